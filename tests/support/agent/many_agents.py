"""Thousands of polling agents in one process: real connections, kept as the agent keeps its own.

An agent sends its next poll over the line of the last one, if the server has not closed it since, and else over a new
one. A poll's time includes the making of the line.

    python -m tests.support.agent.many_agents FILE      with a `Plan` as JSON; prints `Figures` as JSON
"""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE_S = 30.0
"""What a poll may take before it is an error: an agent gives up sooner."""
SOURCES = [f"127.0.0.{number}" for number in range(2, 10)]
"""Loopback addresses to come from: one address has about 28,000 ports."""


@dataclass(frozen=True)
class Plan:
    """Who polls where, how often and for how long."""

    url: str
    tokens: list[str]
    tags: list[str]
    interval_s: float
    seconds: float


@dataclass(frozen=True)
class Figures:
    """`most_open`: lines at once. `answers`: how many of each kind, errors by their name."""

    polls: int
    answers: dict[str, int]
    p50_ms: float
    p99_ms: float
    slowest_ms: float
    most_open: int
    lines: int

    @property
    def errors(self) -> int:
        """Polls that were answered otherwise than with a 304, or not at all."""
        return self.polls - self.answers.get("304", 0)


def measure(plan: Plan, folder: Path) -> Figures:
    """Let the agents of a plan poll, in a process of their own. Raises `subprocess.CalledProcessError`."""
    file = folder / "plan.json"
    file.write_text(json.dumps(asdict(plan)))
    command = [sys.executable, "-m", "tests.support.agent.many_agents", str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=plan.seconds + 120)
    return Figures(**json.loads(done.stdout))


@dataclass
class _Tally:
    times: list[float] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    open: int = 0
    most_open: int = 0
    lines: int = 0

    def answered(self, kind: str, took_s: float) -> None:
        self.times.append(took_s)
        self.answers[kind] = self.answers.get(kind, 0) + 1


class _Line(asyncio.Protocol):
    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._received = b""
        self._waiting: asyncio.Future[str] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._tally.lines += 1
        self._tally.open += 1
        self._tally.most_open = max(self._tally.most_open, self._tally.open)

    def connection_lost(self, _error: Exception | None) -> None:
        self.transport = None
        self._tally.open -= 1
        if self._waiting and not self._waiting.done():
            self._waiting.set_result("cut")

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\r\n\r\n" in self._received and self._waiting and not self._waiting.done():
            self._waiting.set_result(self._received[9:12].decode("latin-1"))

    async def ask(self, request: bytes) -> str:
        assert self.transport is not None
        self._waiting, self._received = asyncio.get_running_loop().create_future(), b""
        self.transport.write(request)
        return await self._waiting


async def _poll(plan: Plan, number: int, tally: _Tally, until: float) -> None:
    address = urlsplit(plan.url)
    request = (
        f"GET /api/v1/feed HTTP/1.1\r\nHost: {address.netloc}\r\nUser-Agent: tidings/0.1.0\r\n"
        f"Authorization: Bearer {plan.tokens[number]}\r\nIf-None-Match: {plan.tags[number]}\r\n\r\n"
    ).encode()
    source = (SOURCES[number % len(SOURCES)], 0)
    loop = asyncio.get_running_loop()
    line: _Line | None = None
    # Spread over one interval, as agents that were started at different times are; each draws its own jitter.
    due = loop.time() + random.uniform(0, plan.interval_s)
    while due < until:
        await asyncio.sleep(due - loop.time())
        began = loop.time()
        try:
            async with asyncio.timeout(PATIENCE_S):
                if line is None or line.transport is None:
                    _, line = await loop.create_connection(
                        lambda: _Line(tally), str(address.hostname), address.port or 80, local_addr=source
                    )
                kind = await line.ask(request)
        except (OSError, TimeoutError) as error:
            kind = type(error).__name__
        tally.answered(kind, loop.time() - began)
        due = began + plan.interval_s * random.uniform(0.95, 1.05)
    if line is not None and line.transport is not None:
        line.transport.close()


async def _run(plan: Plan) -> Figures:
    tally = _Tally()
    until = asyncio.get_running_loop().time() + plan.seconds
    await asyncio.gather(*(_poll(plan, number, tally, until) for number in range(len(plan.tokens))))
    times = sorted(tally.times)
    return Figures(
        polls=len(times),
        answers=tally.answers,
        p50_ms=_at(times, 0.5),
        p99_ms=_at(times, 0.99),
        slowest_ms=_at(times, 1),
        most_open=tally.most_open,
        lines=tally.lines,
    )


def _at(times: Sequence[float], share: float) -> float:
    return 1000 * times[min(len(times) - 1, int(share * len(times)))]


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_run(Plan(**json.loads(Path(sys.argv[1]).read_text())))))))
