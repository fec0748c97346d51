"""The works council's page: who looked at what, what was decided and changed; no figure, and nothing of one employee."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from server.access.roles import Role
from server.accounts.models import Account
from server.audit import log
from server.audit.oversight import ACTS
from server.console.words import ACTIONS
from server.core import clock
from server.directory.models import Person
from tests.support.server import bulk_data, large_company
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.run_command import run_command
from tests.support.server.wire import an_hour_ago

pytestmark = pytest.mark.both_databases

MONTH = datetime(2041, 5, 7, 12, tzinfo=UTC)
"""One in which no other test does anything."""

NOT_SHOWN = frozenset(
    {
        # Of employees about their own data, and about single people's computers.
        "correct-own-data",
        "invite",
        "read-own-data",
        "revoke-devices",
        "token-reused",
        # Of people of the console about their own account.
        "add-passkey",
        "change-password",
        "end-copied-passkey",
        "make-recovery-codes",
        "remove-passkey",
        "set-up-second-factor",
        "show-test",
        "sign-out-everywhere",
        "use-link",
        "use-recovery-code",
        # Requests of programs, whose effects have entries of their own, and what tells of nobody.
        "approve-campaigns",
        "decide-corrections",
        "delete-template",
        "denied",
        "draft-campaigns",
        "edit-notice",
        "edit-record",
        "bind-accounts",
        "edit-templates",
        "keep-template",
        "manage-people",
        "read-campaigns",
        "read-groups",
        "read-health",
        "rename-template",
    }
)
"""What the page leaves out on purpose: every other act of the log is shown."""


@pytest.fixture
def council(northwind: ServerHome) -> Iterator[Client]:
    with console_settings(), clock.using(lambda: MONTH):
        yield client_of(account_of("council@northwind.example", Role.WORKS_COUNCIL))
        Account.objects.all().delete()


def text_of(browser: Client, address: str = "/oversight") -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    page = answer.content.decode().partition('<main id="page"')[2]
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_month_says_who_looked_what_was_decided_and_changed(
    council: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    people = bulk_data.add_people(6)
    campaign = bulk_data.publish("c-looked-at", starts=an_hour_ago())
    receipts = life.share_all(people)
    life.act(people[0], campaign, receipts[people[0].pk]["seen"])
    reader = account_of("lea@northwind.example", Role.COMMUNICATOR)
    for _time in range(2):
        client_of(reader).get("/campaigns/c-looked-at")
    log.record("northwind", "agent", "read-own-data", people[0].pk)
    log.record("northwind", "account 1 (dpo)", "read-people", people[0].pk)
    log.record(
        "northwind", "command-line", "publish-emergency", detail={"campaign": "c-1", "reason": "=Fire"}
    )
    log.record(
        "northwind", "command-line", "publish", detail={"campaign": "c-2", "author": "account 1 (approver)"}
    )
    page = text_of(council)
    for shown in (
        f"{reader.actor} read a report campaign c-looked-at 2",
        "account 1 (dpo) looked people up 1",
        "command-line published an emergency campaign c-1 =Fire",
        "command-line published a campaign campaign c-2 author account 1 (approver)",
        "works council 1 0",
        "in force",
        "looked at who looked at what 1",
    ):
        assert shown in page, shown
    for hidden in (people[0].email, "read their own data", "counted", "Seen"):
        assert hidden not in page
    file = council.get("/oversight/acts.csv").content.decode()
    by_act = {row["act"]: row for row in rows(file)}
    assert by_act["read-reports"] | {"day": ""} == {
        "day": "",
        "kind": "look",
        "who": reader.actor,
        "act": "read-reports",
        "about": "campaign c-looked-at",
        "reason": "",
        "times": "2",
    }
    assert by_act["publish-emergency"]["reason"] == "'=Fire", "no spreadsheet runs it"
    capsys.readouterr()
    assert run_command("audit", "acts", "--month", "2041-05") == 0
    assert {row["act"] for row in rows(capsys.readouterr().out)} >= set(by_act)
    Person.objects.all().delete()


def test_every_act_of_the_log_is_shown_or_left_out_on_purpose(council: Client) -> None:
    assert not ACTS.keys() & NOT_SHOWN
    assert ACTS.keys() | NOT_SHOWN == ACTIONS.keys()
    log.record("northwind", "command-line", "bind-account", detail={"account": 71, "groups": None})
    file = rows(council.get("/oversight/acts.csv").content.decode())
    assert {"bind-account": "account 71"}.items() <= {row["act"]: row["about"] for row in file}.items()


def test_each_month_is_apart_and_a_long_log_costs_no_more(council: Client) -> None:
    log.record("northwind", "command-line", "invite-account", detail={"account": 71, "roles": ["dpo"]})
    with clock.using(lambda: MONTH + timedelta(days=31)):
        council = client_of(account_of("later@northwind.example", Role.DPO))
        assert "account 71" not in text_of(council)
        assert "account 71" in text_of(council, "/oversight?month=2041-05")
        for wrong in ("2041-13", "x", "2099-01", "2041-05-01"):
            assert "June 2041" in text_of(council, f"/oversight?month={wrong}")
        large_company.audit_entries(bulk_data.company(), 400)
        with CaptureQueriesContext(connection) as made:
            council.get("/oversight")
    asked = [query["sql"] for query in made.captured_queries if query["sql"].startswith("SELECT")]
    assert len(asked) <= 12, asked
    lines = [query for query in asked if "GROUP BY" in query and "audit_entry" in query]
    assert lines
    assert all("LIMIT 301" in query for query in lines), "a month of many looks is not held in memory"
