"""What is handed to an administrator: nothing that anybody wrote is in it."""

import importlib.metadata
from datetime import UTC, datetime, timedelta

from agent.cli.diagnostics import libraries, report
from agent.domain.model import (
    Company,
    ConnectionState,
    FeedbackSignal,
    Notice,
    Person,
    Region,
    Status,
    Trouble,
)
from agent.domain.preferences import DEFAULTS

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
CANARY = "kanarienvogel"


def full_of_canaries() -> Status:
    """Every text that the company, the person or a fault can put there says the word."""
    company = Company(
        f"{CANARY}-id", f"{CANARY} name", f"{CANARY} legal", Region.EU, f"{CANARY} officer",
        f"{CANARY}@dpo.example", "#0F766E", (f"{CANARY}.example",), frozenset(FeedbackSignal),
        Notice(3, "2026-11-02", {"en": CANARY}),
    )  # fmt: skip
    return Status(
        ConnectionState.OFFLINE,
        server_url=f"https://user:{CANARY}@{CANARY}.example/{CANARY}",
        company=company,
        person=Person(f"{CANARY}@northwind.example", CANARY),
        last_check=NOW - timedelta(minutes=7),
        troubles=(
            Trouble("DiskFault", f"{CANARY} title", f"/home/{CANARY}/token-{CANARY}"),
            Trouble(f"{CANARY} code", CANARY, CANARY),
        ),
    )


def said(status: Status, **environment: str) -> str:
    return report(
        status, DEFAULTS, {"sound"}, language="fr", window_system="xcb", environment=environment, now=NOW
    )


def test_no_word_that_somebody_wrote_is_in_the_diagnostics() -> None:
    text = said(
        full_of_canaries(),
        XDG_CURRENT_DESKTOP=f"{CANARY}:GNOME",
        XDG_SESSION_TYPE=CANARY,
        USER=CANARY,
        HOME=f"/home/{CANARY}",
    )
    assert CANARY not in text.lower()
    assert "@" not in text
    assert "/" not in text
    assert "Desktop: gnome\n" in text
    assert "Troubles: DiskFault, other\n" in text


def test_the_diagnostics_say_what_an_administrator_asks_first() -> None:
    lines = said(full_of_canaries()).splitlines()
    for wanted in (
        "Connection: offline",
        "Region: eu",
        "Last contact: 7 min ago",
        "Language: fr",
        "Window system: xcb",
        "Session: not said",
        "Preference sound: False (fixed by the organisation)",
        "Preference text_size: 100",
        f"Library msgspec: {importlib.metadata.version('msgspec')}",
    ):
        assert wanted in lines


def test_a_computer_that_is_not_connected_has_no_region_and_no_contact() -> None:
    lines = said(Status(ConnectionState.NOT_CONNECTED)).splitlines()
    assert {"Region: none", "Last contact: never", "Troubles: none"} <= set(lines)


def test_the_libraries_are_those_that_come_with_it_and_say_their_licence() -> None:
    by_name = {each.name.lower().replace("_", "-"): each for each in libraries()}
    assert "LGPL-3.0" in by_name["pyside6-essentials"].licence
    assert by_name["requests"].licence == "Apache-2.0"
    assert "certifi" in by_name, "what a library requires comes with it"
    assert not {"pytest", "django"} & by_name.keys(), "neither the developers' nor the server's"
    assert all(each.licence for each in by_name.values())
