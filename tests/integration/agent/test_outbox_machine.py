"""The outbox under all that can happen in any order: each event is counted once, none is lost, none leaves while off."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.domain import errors
from agent.domain.model import FeedbackSignal
from tests.support.agent.company_in_memory import Company, Fault, instead, lost_answer
from tests.support.agent.parts import Sending, SettableClock, a_company, notice, sending_parts
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request, html, problem

SIGNALS = st.sampled_from(list(FeedbackSignal))


def altered(change: Callable[[bytes], bytes]) -> Fault:
    def fault(_: Request, answer: Callable[[], Reply]) -> Reply:
        reply = answer()
        return Reply(reply.status, change(reply.body), {"Content-Type": "application/json"})

    return fault


def only_half(body: bytes) -> bytes:
    content = json.loads(body)
    if "results" in content:
        content["results"] = content["results"][: len(content["results"]) // 2]
    else:
        content.pop("receipt", None)
    return json.dumps(content).encode()


def other_ids(body: bytes) -> bytes:
    content = json.loads(body)
    for result in content.get("results", [content]):
        result["event_id"] = "00000000-0000-4000-8000-000000000000"
    return json.dumps(content).encode()


FAULTS: dict[str, Fault] = {
    "lost request": instead(Reply(LOST)),
    "lost answer": lost_answer,
    "500": instead(Reply(500)),
    "502 of a proxy": instead(html(502)),
    "429": instead(problem(429, "too-many-requests", {"Retry-After": "3600"})),
    "503": instead(Reply(503)),
    "401": instead(problem(401, "unauthorized")),
    "404": instead(problem(404, "not-found")),
    "403 of a proxy": instead(html(403)),
    "captive portal": instead(html()),
    "redirect": instead(Reply(302, b"", {"Location": "https://portal.example/"})),
    "truncated JSON": altered(lambda body: body[: len(body) // 2]),
    "half of the results": altered(only_half),
    "results for others": altered(other_ids),
    "another shape": altered(lambda _: b'{"results": {}}'),
    "empty": altered(lambda _: b""),
}


@contextmanager
def a_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tidings-outbox-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class OutboxAndServer(RuleBasedStateMachine):
    """A person who chooses and acts, a network that fails, a process that restarts, a notice that changes."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = a_folder()
        self.folder = self._folder.__enter__()
        self.company = Company()
        self.server = LoopbackServer(self._watched)
        self.clock = SettableClock()
        self.version = 3
        self.allowed = frozenset(FeedbackSignal)
        self.given: dict[FeedbackSignal, str] = {}
        self.expired: dict[FeedbackSignal, str] = {}
        self.made: Counter[str] = Counter()
        self.escaped: list[str] = []
        self.sending = self._open()

    def _open(self) -> Sending:
        known = a_company(notice=notice(self.version), signals=self.allowed)
        return sending_parts(self.folder, self.server.url, self.clock, known)

    def _watched(self, request: Request) -> Reply:
        """Whatever arrives is looked at first, be it answered or not."""
        if request.path.endswith("/signals"):
            for event in json.loads(request.body)["events"]:
                signal = FeedbackSignal(event["signal"])
                if signal not in self.allowed or self.given.get(signal) != event["receipt_id"]:
                    self.escaped.append(event["signal"])
        return self.company(request)

    def teardown(self) -> None:
        try:
            self.company.faults.clear()
            self.allowed = frozenset(FeedbackSignal)
            self.sending.gate.use_company(a_company(notice=notice(self.version)))
            self.sending.outbox.send(self.sending.client)
            assert self.sending.outbox.waiting() == 0
            for signal, receipt in self.given.items():
                assert len(self.company.counted(signal.value, receipt)) == self.made[receipt], signal
            in_force = {*self.given.values(), *self.expired.values()}
            assert {each["receipt_id"] for each in self.company.events.values()} <= in_force
            assert not self.escaped
        finally:
            self.sending.close()
            self.server.close()
            self._folder.__exit__(None, None, None)

    @initialize(signals=st.sets(SIGNALS))
    def first_choice(self, signals: set[FeedbackSignal]) -> None:
        for signal in signals:
            self.give(signal)

    @rule(signal=SIGNALS)
    def give(self, signal: FeedbackSignal) -> None:
        self.sending.outbox.drop_ended()
        self.sending.gate.choose({signal: True}, "en")
        receipt = self.sending.gate._consents[signal].receipt_id
        self.given[signal] = receipt
        self.expired.pop(signal, None)

    @rule(signal=SIGNALS)
    def withdraw(self, signal: FeedbackSignal) -> None:
        self.given.pop(signal, None)
        self.expired.pop(signal, None)
        self.sending.gate.choose({signal: False}, "en")
        self.sending.outbox.withdraw([signal])
        assert list(self.folder.glob(f"outbox-{signal.value}*")) == []

    @rule(signal=SIGNALS, count=st.integers(1, 5))
    def act(self, signal: FeedbackSignal, count: int) -> None:
        for _ in range(count):
            made = self.sending.outbox.make(signal, "c-one", link_id="l1")
            assert made == (signal in self.given and signal in self.allowed)
            if made:
                self.made[self.given[signal]] += 1
            elif signal not in self.given:
                assert list(self.folder.glob(f"outbox-{signal.value}*")) == []

    @rule(faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=4))
    def send(self, faults: list[str]) -> None:
        self.company.faults.extend(FAULTS[name] for name in faults)
        for _ in range(len(faults) + 1):
            try:
                self.sending.outbox.send(self.sending.client)
            except (errors.EnvironmentFault, errors.Refused):
                continue
        self.company.faults.clear()

    @rule(signals=st.frozensets(SIGNALS))
    def policy_changes(self, signals: frozenset[FeedbackSignal]) -> None:
        self.allowed = signals
        self.sending.gate.use_company(a_company(notice=notice(self.version), signals=signals))

    @precondition(lambda self: self.version < 6)
    @rule(told=st.booleans())
    def notice_changes(self, told: bool) -> None:
        """``told``: the agent learns of it by its feed; else by the server's 409."""
        self.version += 1
        self.company.sign_company(notice=self.company.content["notice"] | {"version": self.version})
        if not told:
            self.sending.outbox.send(self.sending.client)
        self.expired |= self.given
        self.given.clear()
        if self.sending.gate.use_company(a_company(notice=notice(self.version), signals=self.allowed)):
            self.sending.outbox.drop_ended()

    @rule()
    def restart(self) -> None:
        self.sending.close()
        self.sending = self._open()

    @invariant()
    def nothing_left_that_was_off(self) -> None:
        assert not self.escaped


OutboxAndServer.TestCase.settings = hypothesis.settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


@pytest.mark.expected_logs("does not understand", "refused a")
class TestEachEventIsCountedOnce(OutboxAndServer.TestCase):  # type: ignore[misc,name-defined]
    pass
