"""P12: only the allowed fields travel. All calls of an agent, against a real server, through a proxy that records them.

``FIELDS`` is the table "What may travel" of docs/privacy.md for machines: each field, the form of its value, and the words
with which the table names it.
"""

from __future__ import annotations

import getpass
import itertools
import json
import re
import socket
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent import __version__
from agent.domain.model import Interaction, InteractionKind
from agent.enrolment import token_rotation
from agent.runtime import Runtime
from agent.system.dirs import Folders
from agent.verification.verifier import ProcessVerifier
from tests.support.agent.parts import MemoryKeychain, all_on
from tests.support.agent.processes import ROOT
from tests.support.ports import free_port
from tests.support.proofs import Proof
from tests.support.proxy import Exchange, FaultyProxy, faulty_proxy
from tests.support.server.sample import SAMPLE, SampleCompany

EMPLOYEES = ("lea.roux@northwind.example", "hugo.bernard@northwind.example")
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
DATE = r"\d{4}-\d{2}-\d{2}"

Fields = Mapping[str, tuple[str, str]]
"""A field's name: the form of its value, and its words in the table."""

_EVENT: Fields = {
    "event_id": (UUID4, "`event_id` (random)"),
    "campaign_id": (r"c-[a-z0-9-]{1,40}", "`campaign_id`"),
    "date": (DATE, "UTC date"),
    "receipt_id": (UUID4, "`receipt_id`"),
}
FIELDS: Mapping[str, Fields] = {
    "*seen*": {"signal": ("seen", "seen"), **_EVENT},
    "*click*": {"signal": ("click", "click"), **_EVENT, "link_id": ("[a-z0-9-]{1,40}", "`link_id`")},
    "*like*": {
        "signal": ("like", "like"),
        **_EVENT,
        "value": ("[01]", "0 or 1"),
        "seq": (r"\d{1,10}", "sequence number"),
    },
    "consent, withdrawal": {
        "receipt_id": (UUID4, "`receipt_id`"),
        "signal": ("seen|click|like", "signal"),
        "status": ("given|withdrawn", "`given` or `withdrawn`"),
        "notice_version": (r"\d+", "notice version"),
        "time": (rf"{DATE}T\d\d:\d\d:\d\dZ", "UTC time"),
        "language": ("en|fr", "language"),
    },
    "“I have read this”": {
        "event_id": (UUID4, "`event_id` (random)"),
        "campaign_id": (r"c-[a-z0-9-]{1,40}", "`campaign_id`"),
        "time": (rf"{DATE}T\d\d:\d\d:\d\dZ", "UTC time"),
    },
    "enrolment": {
        "code": ("[A-Z0-9]{12}", "one-time code"),
        "agent_version": (re.escape(__version__), "agent version"),
        "platform": ("linux|windows|macos", "platform name"),
        "retry_secret": (r"[\w-]{43}", "random number"),
    },
    "next key": {"next_sha256": ("[0-9a-f]{64}", "SHA-256 of the computer's next token")},
}
DETAILS = {"email", "first_name", "last_name", "title", "work_landline", "work_cell", "site_addresses"}

HEADERS: Mapping[str, str] = {
    "host": r"127\.0\.0\.1:\d+",
    "user-agent": rf"tidings/{re.escape(__version__)}",
    "accept-encoding": "identity",
    "authorization": r"Bearer tdt_[\w-]+",
}
"""Every request may have these. The host is the server's own name (RFC 9110 section 7.2)."""
OF_A_BODY = {"content-type": "application/json", "content-length": r"\d+"}
CALLS: Mapping[str, Mapping[str, str]] = {
    r"POST /api/v1/enrolments": OF_A_BODY,
    r"GET /api/v1/feed": {"if-none-match": r'"[\w-]+"', "tidings-feed": "signed", "tidings-trials": "shown"},
    r"GET /api/v1/media/[0-9a-f]{64}": {"range": r"bytes=\d+-"},
    r"POST /api/v1/signals": OF_A_BODY,
    r"POST /api/v1/consents": {**OF_A_BODY, "tidings-receipts": "answering"},
    r"POST /api/v1/acknowledgements": OF_A_BODY,
    r"GET /api/v1/me": {},
    r"PATCH /api/v1/me": OF_A_BODY,
    r"POST /api/v1/device/token": OF_A_BODY,
    r"DELETE /api/v1/device": {"content-length": "0"},
}


KINDS = {
    "consents": "consent, withdrawal",
    "acknowledgements": "“I have read this”",
    "enrolments": "enrolment",
    "me": "correction",
    "token": "next key",
}
"""What the table calls the messages to an address."""


def strangers(exchange: Exchange) -> Iterator[str]:
    """Whatever a request has that the table does not allow."""
    call = f"{exchange.method} {exchange.path}"
    own = next((headers for known, headers in CALLS.items() if re.fullmatch(known, call)), None)
    if own is None:
        yield f"call {call}"
        return
    for name, value in exchange.headers.items():
        form = {**HEADERS, **own}.get(name.lower())
        if form is None or not re.fullmatch(form, value):
            yield f"{call}: header {name}: {value}"
    if exchange.method in ("GET", "DELETE"):
        yield from [f"{call}: a body"] if exchange.body else []
        return
    for kind, message in _messages(exchange):
        yield from (f"{call}: {kind}: {each}" for each in _unknown(kind, message))


def _messages(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    body = json.loads(exchange.body)
    ending = exchange.path.rpartition("/")[2]
    if ending == "signals":
        yield "signals", {name: None for name in body if name != "events"}
        for event in body["events"]:
            yield f"*{event.get('signal')}*", event
    else:
        yield KINDS[ending], body


def _unknown(kind: str, message: dict[str, Any]) -> Iterator[str]:
    if kind == "correction":
        changes = message.get("details", {})
        yield from (set(message) - {"details"}) | (set(changes) - DETAILS)
        return
    fields = FIELDS.get(kind, {})
    for name, value in message.items():
        if name not in fields or not re.fullmatch(fields[name][0], str(value)):
            yield f"{name}={value}"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SampleCompany:
    made = SampleCompany(tmp_path_factory.mktemp("company") / "server", free_port())
    made.make()
    made.publish_all("canteen", "lyon-studio")
    made.home.succeed("campaign", "publish", _asking(made.home.folder))
    return made


def _asking(folder: Path) -> Path:
    """The file of a campaign that asks people to confirm that they have read it."""
    canteen = (SAMPLE / "campaigns" / "canteen.toml").read_text(encoding="utf-8")
    file = folder / "rules.toml"
    file.write_text(f"acknowledge = true\n{canteen}", encoding="utf-8")
    return file


def a_whole_life(proxy: FaultyProxy, company: SampleCompany, email: str, folder: Path) -> None:
    """From the first connection to the last: every call that an agent makes."""
    runtime = Runtime.open(Folders.under(folder), secrets=MemoryKeychain(), verifier=ProcessVerifier())
    try:
        runtime.enrol(proxy.url, company.home.invite(email))
        runtime.sync_once()
        runtime._settings.set(token_rotation.DUE, "2020-01-01T00:00:00+00:00")
        runtime.choose(all_on())
        for item in runtime.inbox():
            text = item.campaign.variant("en")
            for act in InteractionKind:
                if act is not InteractionKind.CLICKED:
                    runtime.interactions.record(Interaction(item.campaign.campaign_id, act))
            if item.campaign.acknowledge:
                runtime.interactions.acknowledge(item.campaign.campaign_id)
            for link_id in [link.link_id for link in text.links] + (["video"] if text.video else []):
                runtime.interactions.record(
                    Interaction(item.campaign.campaign_id, InteractionKind.CLICKED, link_id)
                )
        runtime.sync_once()
        assert runtime.status().waiting == 0
        runtime.my_data.correct({"title": "Countess", "site_addresses": ("1 Long Street", "Lyon")})
        assert runtime.my_data.verify().differences == ()
        runtime.my_data.copy()
        runtime.delete_all_shared()
        runtime.sync_once()
        runtime.disconnect()
    finally:
        runtime.stop()


@pytest.mark.proves("P12")
def test_only_the_allowed_headers_and_fields_leave_in_all_that_an_agent_says(
    proof: Proof, company: SampleCompany, tmp_path: Path
) -> None:
    lives = proof.trials(full=10, few=1)
    with company.serving() as server, faulty_proxy(server.url) as proxy:
        for number in range(lives):
            a_whole_life(proxy, company, EMPLOYEES[number % 2], tmp_path / str(number))
        exchanges = proxy.requests()
    unknown = [stranger for exchange in exchanges for stranger in strangers(exchange)]
    proof.found("headers and fields that are not in the table", len(unknown), len(exchanges))
    assert unknown == []
    made = {f"{exchange.method} {exchange.path}" for exchange in exchanges}
    for call in CALLS:
        assert any(re.fullmatch(call, each) for each in made), f"{call} was tried"
    assert {kind for each in exchanges if each.method == "POST" for kind, _ in _messages(each)} >= set(FIELDS)
    spoken = b"".join(
        exchange.body + repr(exchange.headers).encode() + exchange.path.encode() for exchange in exchanges
    )
    for needle in (
        socket.gethostname(),
        f"{uuid.getnode():012x}",
        f"user={getpass.getuser()}",
        str(Path.home()),
    ):
        # As a word: a short name may stand in a random token by chance.
        assert not re.search(rb"(?<![\w-])" + re.escape(needle.encode()) + rb"(?![\w-])", spoken)


@pytest.mark.proves("P12")
def test_one_field_or_header_more_would_be_found(proof: Proof) -> None:
    event = {"signal": "seen", "event_id": str(uuid.uuid4()), "campaign_id": "c-one", "date": "2026-11-23"}
    event["receipt_id"] = str(uuid.uuid4())
    headers = {"Host": "127.0.0.1:1", "User-Agent": f"tidings/{__version__}", "Content-Length": "9"}

    def found(headers: dict[str, str], *events: dict[str, str], path: str = "/api/v1/signals") -> list[str]:
        body = json.dumps({"events": events}).encode()
        return list(strangers(Exchange("POST", path, headers, body, 200, b"")))

    assert found(headers, event) == []
    for more in ({"dwell_ms": "400"}, {"date": "2026-11-23T09:12:13Z"}, {"link_id": "https://a.example/"}):
        assert len(found(headers, event | more)) == 1
    for header in ({"X-Host": "laptop-7"}, {"User-Agent": "tidings/0.1.0 (Linux 6.1)"}, {"Cookie": "a=b"}):
        assert len(found(headers | header, event)) == 1
    assert found(headers, event, path="/api/v1/signals?user=ada")


@pytest.mark.proves("P12")
def test_the_table_of_docs_privacy_names_exactly_these_fields(proof: Proof) -> None:
    lines = (ROOT / "docs" / "privacy.md").read_text().splitlines()
    first = lines.index("| Message | Fields |")
    rows = itertools.takewhile(bool, lines[first + 2 :])
    table = {cells[0].strip(): cells[1].strip() for cells in (row.strip("| ").split(" | ") for row in rows)}
    for message, fields in FIELDS.items():
        words = f"{message} {table[message]}".replace("the same", table["*seen*"])
        for name, (_form, told) in fields.items():
            assert told in words, f"{message}: {name}"
    assert "the fields that the person changed" in table["correction of one's details"]
    (poll,) = (fields for message, fields in table.items() if message.startswith("Poll"))
    for told in ("device token", "ETag", "agent version"):
        assert told in poll
    assert len(table) == len(FIELDS) + 2
