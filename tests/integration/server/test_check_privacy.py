"""`tidings-server check` looks after what was promised: region, erasure ledger, record of processing, audit log."""

import json
from pathlib import Path

import pytest

from server.retention.housekeeping import JOBS
from tests.support.server.campaign_server import ServerHome

UNTIL_AN_ACT = {"MEMBERSHIP", "ACKNOWLEDGEMENT", "CONSENT_PROOF", "OFFICE", "AUDIT", "REQUEST", "ACCOUNT"}
"""Kept until somebody does something: erases the person, decides a request, names another contact, closes the company."""


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    made = ServerHome(tmp_path / "server")
    made.init()
    return made


def _states(home: ServerHome) -> dict[str, str]:
    findings = json.loads(home.command("check", "--json").stdout)
    return {finding["name"]: finding["state"] for finding in findings}


def test_check_names_each_broken_promise(home: ServerHome) -> None:
    from server.audit.models import Entry

    sound = _states(home)
    assert set(sound.values()) == {"ok"}
    names = {"Region", "Erasure ledger", "Record of processing", "Audit log of northwind"}
    assert names <= sound.keys()
    (home.folder / "erasures.ledger").write_text("{}\n")
    (home.folder / "region").write_text("us\n")
    with home.opened():
        Entry.objects.filter(number=1).update(actor="somebody else")
    found = _states(home)
    assert {name for name, state in found.items() if state == "fault"} == names - {"Record of processing"}


def test_what_the_record_says_of_retention_is_what_housekeeping_does() -> None:
    from server.core.data_map import Retention

    ended_by_a_job = {job.retention.name for job in JOBS if job.retention is not None}
    assert ended_by_a_job == {retention.name for retention in Retention} - UNTIL_AN_ACT
