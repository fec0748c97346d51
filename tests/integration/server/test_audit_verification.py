"""Every entry of the audit log is read in the background, when somebody in the console asks for it."""

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.audit import log
from server.audit.models import Entry
from server.audit.verifying import Verdict
from server.console import audit_verification
from server.console.audit_verification import ORDER, Verifications
from server.console.pages import audit
from server.core import under_way
from tests.support.server import bulk_data, large_company
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.waiting import until

pytestmark = pytest.mark.both_databases


@pytest.fixture
def officer(northwind: ServerHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with console_settings():
        start_anew(monkeypatch)
        yield client_of(account_of("ines@northwind.example", Role.DPO))
        Account.objects.all().delete()


def start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a console knows that was just started."""
    monkeypatch.setattr(audit, "VERIFICATIONS", Verifications())


def verify(browser: Client, expected: str = "") -> str:
    """Have it done. Answers what the page says then."""
    assert browser.post("/audit/verification", {"expected": expected}).status_code == 302
    progress = {"HTTP_HX_REQUEST": "true"}
    until(
        lambda: "HX-Refresh" in browser.get("/audit/verification", **progress).headers,  # type: ignore[arg-type]
        "every entry to be read",
    )
    return text_of(browser)


def text_of(browser: Client) -> str:
    page = browser.get("/audit").content.decode().partition('<main id="page"')[2]
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def result() -> tuple[str, dict[str, object]]:
    entry = Entry.objects.filter(action="verify-audit-log").order_by("-number")[0]
    return entry.actor, json.loads(entry.detail)


def test_every_entry_is_read_and_what_was_found_is_on_record(officer: Client) -> None:
    large_company.audit_entries(bulk_data.company(), 20)
    noted = Entry.objects.order_by("-number").values_list("digest", flat=True)[5]
    assert "were read. All are as they were written" in verify(officer, noted.upper())
    assert "The digest that you noted is among them" in text_of(officer)
    actor, detail = result()
    assert actor == Account.objects.get().actor
    assert detail["faults"] == 0
    assert Entry.objects.get(digest=str(detail["digest"])).number == detail["entries"]
    assert "had every entry of the log read" in text_of(officer)
    assert officer.post("/audit/verification", {"expected": "0" * 63}).status_code == 422
    assert "is not in this log" in verify(officer, "0" * 64)


def test_what_was_changed_is_told_and_on_record(officer: Client) -> None:
    changed = log.record("northwind", "command-line", "import-people", detail={"added": 1, "changed": 1})
    log.record("northwind", "command-line", "import-people", detail={"added": 2, "changed": 0})
    Entry.objects.filter(pk=changed.pk).update(actor="nobody")
    assert f"the log is not whole Entry {changed.number} was changed" in verify(officer)
    assert result()[1]["found"] == [f"Entry {changed.number} was changed"]
    Entry.objects.filter(pk=changed.pk).update(actor="command-line")
    assert "All are as they were written" in verify(officer)


def test_a_digest_that_the_one_under_way_does_not_look_for_is_not_dropped_silently(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, read = threading.Event(), audit_verification.verify

    def waiting(*words: Any) -> Verdict:
        assert go_on.wait(30)
        return read(*words)

    monkeypatch.setattr(audit_verification, "verify", waiting)
    assert officer.post("/audit/verification", {"expected": "1" * 64}).status_code == 302
    answer = officer.post("/audit/verification", {"expected": "0" * 64})
    assert officer.post("/audit/verification", {"expected": ""}).status_code == 302
    go_on.set()
    assert (answer.status_code, "does not look for this digest" in answer.content.decode()) == (409, True)
    until(lambda: "is not in this log" in text_of(officer), "the first one to be done")


def test_one_that_ended_with_its_console_is_said_to_be_cut_off(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with under_way.order(ORDER, "northwind") as order:
        order.begin(b"reads")
        assert "verification was cut off" not in text_of(officer), "it is being done"
        assert "This is being done already" in verify(officer), "by another console"
        start_anew(monkeypatch)
    assert "A verification was cut off" in text_of(officer)
    assert "All are as they were written" in verify(officer)
    start_anew(monkeypatch)
    assert "verification was cut off" not in text_of(officer)
