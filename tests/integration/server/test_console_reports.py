"""What the console shows of a campaign's reception and of the audit log: what the API shows, and nothing more."""

import ast
import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from server.access.roles import Right, Role
from server.accounts.invitations import bind
from server.accounts.models import Account
from server.audit import log
from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.console import words
from server.directory.models import Company, Group, Notice, Person, default_signals
from server.erasure_ledger import ledger
from server.reports.models import Block, Snapshot
from server.reports.snapshots import make_due, make_if_due, newest
from server.signals.models import Signal
from tests.support.server import bulk_data, large_company
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.wire import an_hour_ago

MOST_QUERIES = 12
READS_OR_WRITES = ("SELECT", "INSERT", "UPDATE", "DELETE")
TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings():
        yield northwind
        Account.objects.all().delete()
        ledger.path().unlink(missing_ok=True)
        ledger.LedgerState.objects.all().delete()


@pytest.fixture
def people(console: ServerHome) -> list[Person]:
    return bulk_data.add_people(20)


@pytest.fixture
def campaign(people: list[Person]) -> Campaign:
    return bulk_data.publish("c-news", starts=an_hour_ago(), lasts=timedelta(days=30))


@pytest.fixture
def reader(console: ServerHome) -> Client:
    return client_of(account_of("lea@northwind.example", Role.COMMUNICATOR))


@pytest.fixture
def officer(console: ServerHome) -> Client:
    return client_of(account_of("ines@northwind.example", Role.DPO))


def words_of(client: Client, address: str) -> str:
    """The page's text, without its marks."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    page = answer.content.decode().partition('<main id="page"')[2]
    return " ".join(TAG.sub(" ", page).split())


def some_have_seen(campaign: Campaign, people: list[Person], sharing: int, seen: int) -> None:
    receipts = life.share_all(people[:sharing])
    for person in people[:seen]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    assert make_if_due(campaign)


def test_a_report_shows_the_figures_of_the_snapshot(
    campaign: Campaign, people: list[Person], reader: Client
) -> None:
    some_have_seen(campaign, people, sharing=10, seen=4)
    words = words_of(reader, "/campaigns/c-news")
    assert "20 people" in words
    assert "4 of 10 counted · 40 %" in words
    figure = newest(campaign).figures[0]
    assert f"likely {100 * (figure.low or 0):.0f} to {100 * (figure.high or 0):.0f} % of all" in words
    assert "Figures of" in words


def test_a_bound_reader_sees_no_group_besides_their_own(
    console: ServerHome, people: list[Person], reader: Client
) -> None:
    hidden = Group.objects.create(company=bulk_data.company(), name="Plan social")
    hidden.people.add(*people[:10])
    campaign = bulk_data.publish("c-news", starts=an_hour_ago(), groups=["Everyone"])
    some_have_seen(campaign, people, sharing=20, seen=15)
    assert "Plan social" in words_of(reader, "/campaigns/c-news")
    bind(Account.objects.get(), [Group.objects.get(name="Everyone")], "test")
    for address in ("/campaigns/c-news", "/campaigns/c-news/report.csv"):
        shown = reader.get(address).content.decode()
        assert "Plan social" not in shown
        assert "Everyone" in shown


def test_looking_counts_nothing_and_changes_nothing(
    campaign: Campaign, people: list[Person], reader: Client
) -> None:
    receipts = life.share_all(people[:10])
    for person in people[:4]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    before = words_of(reader, "/campaigns/c-news")
    assert "Figures come when 5 people or more are counted" in before
    assert not Block.objects.exists()
    assert make_if_due(campaign)
    first = words_of(reader, "/campaigns/c-news")
    for person in people[4:9]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    assert words_of(reader, "/campaigns/c-news") == first


@pytest.mark.parametrize("sharing", range(5))
def test_of_fewer_than_five_nothing_is_told_apart(
    campaign: Campaign, people: list[Person], reader: Client, sharing: int
) -> None:
    """The page is the same, to the letter, whoever shares, whatever they did, and however often it was counted."""
    receipts = life.share_all(people[:sharing])
    for person in people[:sharing]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    make_due()
    bulk_data.add_people(1)  # since then
    found = words_of(reader, "/campaigns/c-news")
    sheet = reader.get("/campaigns/c-news/report.csv").content
    Signal.objects.all().delete()
    Snapshot.objects.all().delete()
    Block.objects.all().delete()
    assert found == words_of(reader, "/campaigns/c-news")
    assert sheet == reader.get("/campaigns/c-news/report.csv").content
    assert "21 people" in found
    assert "0 %" not in found


def test_a_signal_that_the_company_does_not_allow_is_said_to_be_so(
    campaign: Campaign, people: list[Person], reader: Client
) -> None:
    found = Company.objects.filter(pk=campaign.company_id)
    found.update(signals=["seen"])
    try:
        assert "your organisation does not ask for this" in words_of(reader, "/campaigns/c-news")
    finally:
        found.update(signals=default_signals())


def test_the_spreadsheet_has_the_same_figures_and_a_name_of_its_own(
    campaign: Campaign, people: list[Person], reader: Client
) -> None:
    some_have_seen(campaign, people, sharing=10, seen=4)
    answer = reader.get("/campaigns/c-news/report.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="c-news.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode().lstrip("\ufeff"))))
    (seen,) = [row for row in rows if (row["part"], row["signal"]) == ("all", "seen")]
    assert (seen["people"], seen["sharing"], seen["assigned"]) == ("4", "10", "20")


@pytest.mark.parametrize("address", ["/campaigns/c-news", "/campaigns/c-news/report.csv"])
def test_each_look_at_a_report_is_on_record(campaign: Campaign, reader: Client, address: str) -> None:
    reader.get(address)
    entry = Entry.objects.order_by("-number").first()
    assert entry
    assert (entry.action, entry.detail) == ("read-reports", '{"campaign":"c-news"}')
    assert re.fullmatch(r"account \d+ \(communicator\)", entry.actor)


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "HEAD", "GET"]
)
@pytest.mark.parametrize("address", ["/campaigns/c-news", "/campaigns/c-news/report.csv", "/audit"])
def test_no_method_reads_without_being_on_record(
    campaign: Campaign, reader: Client, officer: Client, address: str, method: str
) -> None:
    client = officer if address == "/audit" else reader
    before = Entry.objects.count()
    answer = client.generic(method, address)
    if method in ("GET", "HEAD"):
        assert answer.status_code == 200
        assert Entry.objects.count() == before + 1
    else:
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert b"c-news" not in answer.content


@pytest.mark.parametrize("address", ["/campaigns/c-lea-martin-did-it", "/campaigns/c-other/report.csv"])
def test_nobody_writes_into_the_log_by_naming_what_is_not_there(
    campaign: Campaign, reader: Client, address: str
) -> None:
    other = Company.objects.create(id="apart", name="Other", legal_name="Other", region="eu")
    Notice.objects.create(company=other, version=1, date=campaign.starts.date(), text={"en": "x"})
    before = Entry.objects.count()
    assert reader.get(address).status_code == 404
    assert Entry.objects.count() == before
    other.delete()


@pytest.mark.parametrize("name", ["c-none", "C-NEWS", "c-news%00", "..%2f..%2fetc", "c-" + "x" * 300])
def test_a_campaign_that_is_not_there_is_a_404(campaign: Campaign, reader: Client, name: str) -> None:
    assert reader.get(f"/campaigns/{name}").status_code == 404
    assert reader.get(f"/campaigns/{name}/report.csv").status_code == 404


def test_a_recalled_campaign_keeps_no_text(campaign: Campaign, reader: Client) -> None:
    from server.publishing.recall import recall

    recall(campaign.company, "c-news", "command-line", emergencies=False)
    words = words_of(reader, "/campaigns/c-news")
    assert "Its texts were taken back" in words
    assert "recalled" in words


def test_the_log_shows_the_newest_first_and_pages_by_number(console: ServerHome, officer: Client) -> None:
    company = Company.objects.get(pk="northwind")
    large_company.audit_entries(company, 250)
    first = words_of(officer, "/audit")
    newest_number = Entry.objects.order_by("-number").values_list("number", flat=True)[0]
    assert f"ends with entry {newest_number}" in first
    links = re.findall(r"\?before=(\d+)", officer.get("/audit").content.decode())
    assert links == [str(newest_number + 1 - 99)]
    seen: list[int] = []
    address = "/audit"
    while address:
        page = officer.get(address).content.decode()
        seen += [
            int(found.replace(",", "")) for found in re.findall(r'<span title="\w{64}">([\d,]+)</span>', page)
        ]
        more = re.search(r'rel="next" href="(\?before=\d+)"', page)
        address = f"/audit{more[1]}" if more else ""
    assert seen[-1] == 1
    assert sorted(set(seen), reverse=True) == seen


@pytest.mark.both_databases
@pytest.mark.parametrize("before", ["x", "-1", "0", "9" * 30, "٣", "1e3", ""])
def test_a_number_that_is_none_shows_the_newest(console: ServerHome, officer: Client, before: str) -> None:
    assert officer.get("/audit", {"before": before, "action": "'; DROP"}).status_code == 200


def test_the_log_can_be_narrowed_to_one_act(console: ServerHome, officer: Client) -> None:
    log.record("northwind", "command-line", "invite-all", detail={"computers": 3})
    words = words_of(officer, "/audit?action=invite-all")
    assert words.count("computers 3") == 1
    assert "No entry is like that" in words_of(officer, "/audit?action=gap")


def test_what_others_wrote_into_a_detail_is_text(console: ServerHome, officer: Client) -> None:
    log.record("northwind", "command-line", "recall", detail={"reason": "<script>alert(1)</script>"})
    page = officer.get("/audit").content.decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_log_that_was_changed_is_told_on_top(console: ServerHome, officer: Client) -> None:
    log.record("northwind", "command-line", "invite-all", detail={"computers": 3})
    Entry.objects.filter(action="invite-all").update(digest="0" * 64)
    words = words_of(officer, "/audit")
    assert "The log is not whole" in words
    assert "audit explain" in words


@pytest.mark.both_databases
def test_pages_take_few_queries_however_large_the_company(
    campaign: Campaign, people: list[Person], reader: Client, officer: Client
) -> None:
    some_have_seen(campaign, people, sharing=10, seen=4)
    large_company.audit_entries(Company.objects.get(pk="northwind"), 2_000)
    for client, address in (
        (reader, "/campaigns/c-news"),
        (officer, "/audit"),
        (officer, "/audit?action=recall&before=900"),
    ):
        client.get(address)
        with CaptureQueriesContext(connection) as made:
            assert client.get(address).status_code == 200
        asked = [query for query in made.captured_queries if query["sql"].startswith(READS_OR_WRITES)]
        assert len(asked) <= MOST_QUERIES, "\n".join(query["sql"][:200] for query in asked)


def actions_of_the_server() -> set[str]:
    """The names of acts that the server's code puts on record, and the rights whose use is an act."""
    found = {str(right) for right in Right} | {log.BREAK, log.EXPLAIN, log.GAP, log.RESTORED}
    for file in Path(log.__file__).parents[1].rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if name == "record":
                said = (node for word in call.args[2:3] for node in ast.walk(word))
                found |= {node.value for node in said if isinstance(node, ast.Constant)}
    return found


def test_each_act_has_words_for_people() -> None:
    found = actions_of_the_server()
    assert len(found) > 30
    assert found <= words.ACTIONS.keys()
