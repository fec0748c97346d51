"""`tidings-server report`: aligned, in two languages, for machines, and with names only where the notice says so."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.directory.models import Group, Notice, Person
from server.reports.named import acts
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago


@pytest.fixture
def people(northwind: ServerHome) -> list[Person]:
    return bulk_data.add_people(12)


@pytest.fixture
def receipts(people: list[Person]) -> dict[UUID, dict[str, UUID]]:
    """Of the six people who share that they saw something, and clicked."""
    return life.share_all(people[:6], ["seen", "click"])


@pytest.fixture
def campaign(people: list[Person], receipts: dict[UUID, dict[str, UUID]]) -> Campaign:
    """Half of those who share have seen it."""
    published = bulk_data.publish("c-news", starts=an_hour_ago())
    for person in people[:3]:
        life.act(person, published, receipts[person.pk]["seen"])
    return published


def test_the_report_says_what_is_counted_and_what_is_hidden(
    northwind: ServerHome, campaign: Campaign
) -> None:
    text = northwind.succeed("report", "c-news")
    lines = text.splitlines()
    assert lines[0] == "c-news  About c-news"
    assert lines[1].startswith("For 12 people. As counted at ")
    seen = next(line for line in lines if line.startswith("Seen"))
    assert "3 of 6 (50%)" in seen
    assert "25% to 75%" in seen
    assert "Liked" in text
    assert text.count("hidden: fewer than 5 people are counted") == 1
    assert "Counted are people who share, always 5 or more together" in text
    columns = {line.index(word) for line in lines for word in ("3 of 6", "0 of 6", "hidden:") if word in line}
    assert len(columns) == 1


def test_the_report_speaks_french(northwind: ServerHome, campaign: Campaign) -> None:
    text = replace(northwind, environment={"LC_ALL": "fr_FR.UTF-8"}).succeed("report", "c-news")
    assert "Pour 12 personnes." in text
    assert "3 sur 6 (50\N{NO-BREAK SPACE}%)" in text


def test_groups_and_days_have_a_line_each(northwind: ServerHome, campaign: Campaign) -> None:
    by_group = northwind.succeed("report", "c-news", "--by", "group").splitlines()
    assert next(line for line in by_group if line.startswith("Everyone")).split() == [
        *("Everyone", "12", "3", "of", "6", "(50%)", "0", "of", "6", "(0%)", "hidden"),
    ]
    by_day = northwind.succeed("report", "c-news", "--by", "day").splitlines()
    today = campaign.starts.date().isoformat()
    assert next(line for line in by_day if line.startswith(today)).split() == [today, "3", "0", "hidden"]


def test_machines_get_all_figures_with_hidden_ones_null(northwind: ServerHome, campaign: Campaign) -> None:
    told = json.loads(northwind.succeed("report", "c-news", "--json"))
    assert (told["minimum"], told["assigned"], told["closed"]) == (5, 12, False)
    seen, _click, like = told["figures"]
    assert (seen["people"], seen["sharing"]) == (3, 6)
    assert (like["people"], like["sharing"], like["low"]) == (None, None, None)
    assert [group["name"] for group in told["groups"]] == ["Everyone"]


def test_no_cell_of_the_spreadsheet_is_a_formula(northwind: ServerHome, people: list[Person]) -> None:
    names = ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"]
    for name in names:
        Group.objects.create(company=bulk_data.company(), name=name).people.add(*people)
    receipts = life.share_all(people)
    campaign = bulk_data.publish("c-csv", starts=an_hour_ago(), links=["l1"])
    for person in people:
        life.act(person, campaign, receipts[person.pk]["seen"])
    text = northwind.succeed("report", "c-csv", "--csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    # What reads the command's output as text here makes a line feed of a carriage return.
    names = [re.sub(r"[\t\r](?==)", lambda found: f"{found[0]}'", name).replace("\r", "\n") for name in names]
    assert {row["name"] for row in rows if row["part"] == "group"} == {
        "Everyone",
        *(f"'{name}" for name in names),
    }
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\n")) for row in rows for cell in row.values())
    everybody = next(row for row in rows if (row["part"], row["signal"]) == ("all", "seen"))
    assert (everybody["people"], everybody["sharing"], everybody["share"]) == ("7", "7", "1.0")


def test_a_campaign_that_is_not_there_is_refused(northwind: ServerHome) -> None:
    unknown = northwind.command("report", "c-none")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "There is no campaign c-none" in unknown.stderr


# --- Names --------------------------------------------------------------------------------------------


@pytest.fixture
def named_under_a_new_notice(northwind: ServerHome) -> Iterator[Callable[[], None]]:
    """Switch named reporting on in the midst of a test, and off again afterwards."""
    owner = bulk_data.company()

    def switch() -> None:
        Notice.objects.create(company=owner, version=4, date="2026-11-23", text={"en": "Names are shown."})
        owner.named_reporting = True
        owner.save()

    yield switch
    owner.named_reporting = False
    owner.save()
    Notice.objects.filter(company=owner, version=4).delete()


def test_nobody_is_named_unless_the_company_says_so(northwind: ServerHome, campaign: Campaign) -> None:
    refused = northwind.command("report", "c-news", "--named")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Northwind does not name people in reports" in refused.stderr


def test_what_was_shared_to_be_counted_is_never_named(
    campaign: Campaign, people: list[Person], named_under_a_new_notice: Callable[[], None]
) -> None:
    named_under_a_new_notice()
    life.share_all(people[:6])
    with pytest.raises(Refused, match="not named"):
        acts(Campaign.objects.get(pk=campaign.pk))


def test_those_who_agreed_to_the_new_notice_are_named_with_what_they_did(
    northwind: ServerHome,
    campaign: Campaign,
    people: list[Person],
    receipts: dict[UUID, dict[str, UUID]],
    named_under_a_new_notice: Callable[[], None],
) -> None:
    named_under_a_new_notice()
    newer = bulk_data.publish("c-newer", starts=an_hour_ago())
    seen, idle, withdrawn, old = people[:4]
    for person in (seen, idle, withdrawn):
        receipt = life.give(person)
        if person is not idle:
            assert life.act(person, newer, receipt) == "stored"
    life.withdraw(withdrawn, receipt)
    assert life.act(old, newer, receipts[old.pk]["seen"]) == "dropped_consent"
    told = json.loads(northwind.succeed("report", "c-newer", "--named", "--json"))
    today = newer.starts.date().isoformat()
    assert told == [{"email": seen.email, "signal": "seen", "link": "", "date": today}]
    assert seen.email in northwind.succeed("report", "c-newer", "--named")
    on_record = Entry.objects.filter(action="report-named")
    assert on_record.count() == 2
    assert seen.email not in str(list(on_record.values_list("detail", flat=True)))
