"""Servers whose people chose differently, and everything that whoever administers them can get out of them."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.http.response import HttpResponseBase

from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, Examples, token_for
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.run_command import run_command
from tests.support.server.wire import acknowledgement, an_hour_ago, consent, event, give, send

PEOPLE = 16
TARGET = "p0@northwind.example"
"""Whom the administrator looks at most closely."""
ACKNOWLEDGING = 3
"""The first of them confirm a campaign, the target too, whether they share or not."""

SIGNALS = ("seen", "click", "like")
ROLES = ("administrator", "communicator", "dpo")

VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|\+00:00)?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "DIGEST"),
    (re.compile(r"\btat_[A-Za-z0-9_-]{43}"), "TOKEN"),
    (re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"), "KEY"),
    (re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b"), "CODE"),
    (re.compile(r"[\d.]+ [GM]B free"), "SPACE"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
)
"""What differs between any two servers: times, ids, digests, tokens, thumbprints of keys, codes, ports, free space."""

VOLATILE_IN_PAGES = (
    (re.compile(r'value="[A-Za-z0-9]{64}"'), "FORM"),
    (re.compile(r"\b[0-9A-Z]{32}\b|<svg.*?</svg>", re.DOTALL), "SECRET"),
    (re.compile(r">[0-9a-f]{8}<"), ">SEAL<"),
    (re.compile(r"<v>\d{5}\.\d+</v>"), "<v>TIME</v>"),
    (re.compile(r"\w{3} \d{1,2} \w{3}, \d\d:\d\d UTC|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "TIME"),
)
"""The same for pages: forms, the secret of a second factor and its picture, seals, times in words."""
SHARED_TEXTS = "xl/sharedStrings.xml"
SHARED_TEXT = re.compile("<si>(.*?)</si>", re.DOTALL)
OF_SHARED_TEXT = re.compile(r"(?<= t=\"s\">)<v>(\d+)</v>")
"""Cells name their text by its number. Read so, two times of one second would make the numbers of all others differ."""
PART = re.compile(r"<\w+:\w+>")
"""Of an address: what varies."""


@dataclass(frozen=True)
class Choices:
    """Who shares all three signals, and who of them takes it back, by the number of the person."""

    given: frozenset[int]
    withdrawn: frozenset[int]


def masked(text: str) -> str:
    """The text without what differs between any two servers."""
    for pattern, name in VOLATILE:
        text = pattern.sub(name, text)
    return text


@dataclass
class Numbered:
    """As `masked`, but what is the same twice stays so: each value has a number, in the order in which it was met."""

    met: dict[str, str] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        for pattern, name in VOLATILE:
            if name in ("UUID", "DIGEST"):
                text = pattern.sub(lambda one: self.met.setdefault(one[0], f"<{len(self.met)}>"), text)
        return masked(text)


@dataclass
class World:
    """One server with its people. `mask`: takes out of an answer what may differ."""

    home: ServerHome
    server: RunningServer
    mask: Callable[[str], str] = masked

    def arrive(self) -> list[Computer]:
        """Add people, each with a computer, and campaigns for them. Within `ServerHome.opened()`."""
        people = bulk_data.add_people(PEOPLE)
        starts = an_hour_ago()  # of both: lists are in the order of their seconds
        bulk_data.publish("c-video", starts=starts)
        bulk_data.publish("c-safety", starts=starts, acknowledge=True)
        tokens = bulk_data.add_computers(people)
        return [Computer(self.server.url, {"device_token": token}) for token in tokens]

    def live(self, choices: Choices) -> None:
        """Let the people choose and act. Within `ServerHome.opened()`."""
        computers = self.arrive()
        receipts = {
            (number, signal): give(computers[number], signal)
            for number in sorted(choices.given)
            for signal in SIGNALS
        }
        for number in choices.given:
            acts = [event(signal, "c-video", receipts[number, signal]) for signal in SIGNALS]
            assert send(computers[number], *acts) == len(acts) * ["stored"]
        for computer in computers[:ACKNOWLEDGING]:
            assert (
                computer.post("/acknowledgements", acknowledgement("c-safety")).json()["status"] == "stored"
            )
        output("report", "c-video")
        for number, signal in receipts:
            if number in choices.withdrawn:
                taken = consent(signal, "withdrawn", receipt_id=receipts[number, signal])
                assert computers[number].post("/consents", taken).ok

    def answers(self, commands: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
        """What each role gets from each endpoint, and the command line from each command, by what was asked."""
        tokens = {role: token_for(role) for role in ROLES}
        calls = Examples().calls(self.server.url)
        ours = [call for call in calls if call.path.startswith(ADMIN)]
        for call in ours:
            for role in sorted(tokens, reverse=True):
                if call.method == "GET":
                    yield f"{role} {call.method} {call.path}", self._answer(call, tokens[role])
        yield from self._pages()
        for words in commands:
            yield f"tidings-server {' '.join(words)}", self.mask(self._run(words))
        for call in ours:
            if call.method != "GET":
                yield f"administrator {call.method} {call.path}", self._answer(call, tokens["administrator"])
        # No report: which blocks leave with an erasure is drawn by lot. P13 compares what can be drawn.
        for words in (("audit", "export"), ("device", "list")):
            yield f"afterwards: {' '.join(words)}", self.mask(self._run(words))
        for call in calls:
            if not call.path.startswith(ADMIN):
                yield f"administrator {call.method} {call.path}", self._answer(call, tokens["administrator"])
        yield "log", self.mask(self.server.process.output())

    def _pages(self) -> Iterator[tuple[str, str]]:
        """What each role gets from each page of the console."""
        from server.access.roles import Role
        from server.console import urls

        routes = [str(pattern.pattern) for pattern in urls.urlpatterns]
        with console_settings():
            for role in Role:
                client = client_of(account_of(f"{role}@northwind.example", role))
                for route in routes:
                    for campaign_id in ("c-video", "c-safety") if "campaign_id" in route else ("",):
                        path = "/" + PART.sub(campaign_id or "none", route)
                        answer = client.get(path)
                        headers = {
                            name: value for name, value in answer.headers.items() if name != "Content-Length"
                        }
                        text = f"{answer.status_code} {sorted(headers.items())} {readable(answer)}"
                        for pattern, name in VOLATILE_IN_PAGES:
                            text = pattern.sub(name, text)
                        yield f"{role} {path}", self.mask(text)

    def _answer(self, call: object, token: str) -> str:
        campaign_id = "c-safety" if "acknowledgements" in call.path else "c-video"  # type: ignore[attr-defined]
        names = {
            "campaign_id": campaign_id,
            "number": "1",
            "email": "p1@northwind.example",
            "sha256": 64 * "0",
        }
        answer = call.send(self.server.url, token, **names)  # type: ignore[attr-defined]
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "date"}
        return self.mask(f"{answer.status_code} {sorted(headers.items())} {answer.text}")

    def _run(self, words: Sequence[str]) -> str:
        return output(*(word.format(folder=self.home.folder) for word in words))


def readable(answer: HttpResponseBase) -> str:
    """The content as text; of a spreadsheet, all that is in it."""
    content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
    answer.close()
    if not content.startswith(b"PK"):
        return content.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
    texts = SHARED_TEXT.findall(parts.pop(SHARED_TEXTS, ""))
    return "\n".join(
        f"{name} {OF_SHARED_TEXT.sub(lambda cell: texts[int(cell[1])], part)}" for name, part in parts.items()
    )


def output(name: str, *words: str) -> str:
    """All that a command says, on both streams, and how it ends."""
    from server.core.errors import ServerError

    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            status: object = run_command(name, *words)
        except ServerError as error:
            status = f"{error.title} {error.message}"
    return f"{told.getvalue()}\n{status}"


def crawl(
    folder: Path,
    live: Callable[[World], None],
    commands: Sequence[Sequence[str]],
    mask: Callable[[str], str] = masked,
) -> dict[str, str]:
    """Make a server in this folder, let its people `live`, and ask it everything."""
    home = ServerHome(folder)
    home.init()
    (folder / "people.csv").write_text(f"email,first_name\n{TARGET},Zoé\n", encoding="utf-8")
    with home.opened(), home.running("--requests-per-minute", "0") as server:
        world = World(home, server, mask)
        live(world)
        return {
            f"{number}. {asked}": answer.replace(str(folder), "FOLDER")
            for number, (asked, answer) in enumerate(world.answers(commands))
        }
