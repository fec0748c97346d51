"""Lists of the console as CSV: what the pages show, without live cells, on record."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest

from server.access.roles import Role
from server.accounts.models import Account
from server.audit import log
from server.audit.models import Entry
from server.core.csv_export import csv_text
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.wire import an_hour_ago


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings():
        yield northwind
        Account.objects.all().delete()


def rows(account: Account, address: str) -> list[dict[str, str]]:
    answer = client_of(account).get(address)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_campaigns_are_taken_with_what_the_page_shows(console: ServerHome) -> None:
    bulk_data.add_people(3, "Lyon")
    bulk_data.publish("c-live", starts=an_hour_ago(), groups=["Lyon"])
    bulk_data.publish("c-later", starts=an_hour_ago() + timedelta(days=2))
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    found = {row["campaign"]: row for row in rows(lea, "/campaigns/campaigns.csv")}
    assert (found["c-live"]["state"], found["c-live"]["groups"], found["c-live"]["people"]) == (
        "live",
        "Lyon",
        "3",
    )
    narrowed = rows(lea, "/campaigns/campaigns.csv?state=scheduled")
    assert "c-later" in {row["campaign"] for row in narrowed}
    assert {row["state"] for row in narrowed} == {"scheduled"}
    entry = Entry.objects.order_by("-number")[0]
    assert (entry.actor, entry.action) == (lea.actor, "read-campaigns")


def test_the_log_is_taken_without_live_cells_and_that_is_an_entry(console: ServerHome) -> None:
    ines = account_of("ines@northwind.example", Role.DPO)
    log.record("northwind", "=1+1", "invite-all", detail={"computers": 77})
    taken = rows(ines, "/audit/audit.csv?action=invite-all")
    assert {row["action"] for row in taken} == {"invite-all"}
    assert (taken[0]["actor"], taken[0]["detail"]) == ("'=1+1", '{"computers":77}')
    # Where ";" ends a cell, as in French, each part is one.
    assert csv_text(["a"], [['Party; "=1+1";\n@x;-1 - 2']]).splitlines()[1:] == [
        '"Party; ""\'=1+1"";',
        "'@x;'-1 - 2\"",
    ]
    newest = rows(ines, "/audit/audit.csv")[0]
    assert (newest["actor"], newest["action"]) == (ines.actor, "export-audit-log")
