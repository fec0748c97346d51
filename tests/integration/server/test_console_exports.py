"""Lists of the console as CSV and XLSX: what the pages show, without live cells, on record."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.audit import log
from server.audit.models import Entry
from server.core.csv_export import csv_text
from server.core.errors import Refused
from server.core.xlsx_export import MOST_ROWS, xlsx_bytes
from tests.integration.server.test_access_review import fresh
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.console_pages import pages
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


MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FIRST_DAY = datetime(1899, 12, 30, tzinfo=UTC)
"""From which Excel counts days, since it takes 1900 for a leap year."""


def sheet(client: Client, address: str) -> tuple[list[list[tuple[str, str]]], set[str]]:
    """Kind and text of each cell, row by row; and the names of all elements and parts of the file."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as book:
        root = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        texts = ["".join(one.itertext()) for one in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
        names = set(book.namelist()) | {element.tag.removeprefix(MAIN) for element in root.iter()}

    def shown(cell: ElementTree.Element) -> tuple[str, str]:
        kind, value = cell.get("t", "n"), "".join(cell.itertext())
        return ("text", texts[int(value)]) if kind == "s" else (kind, value)

    return [[shown(cell) for cell in row.iter(f"{MAIN}c")] for row in root.iter(f"{MAIN}row")], names


def test_a_spreadsheet_has_the_rows_of_the_csv_file_in_cells_that_do_nothing(console: ServerHome) -> None:
    starts = an_hour_ago().replace(microsecond=0)
    bulk_data.add_people(6, "=1+1")
    bulk_data.add_people(6, "https://intranet.northwind.example")
    bulk_data.publish("c-live", starts=starts, groups=["=1+1", "https://intranet.northwind.example"])
    account = account_of("ines@northwind.example", *Role)
    log.record("northwind", "=cmd|' /C calc'!A0", "invite-all", detail={"of": "+1;=2"})
    client, looked = fresh(account), 0
    for name, pattern in sorted(pages().items()):
        if not name.endswith("-xlsx"):
            continue
        address = f"/{pattern.pattern}".replace("<campaign:campaign_id>", "c-live")
        cells, elements = sheet(client, address)
        looked += 1
        live = {"f", "hyperlinks", "hyperlink", "drawing", "xl/externalLinks/externalLink1.xml"}
        assert not live & elements, name
        assert {kind for row in cells for kind, _text in row} <= {"text", "n"}, name
        assert "pane" in elements, f"{name}: its header moves away"
        told = client.get(address.replace(".xlsx", ".csv")).content.decode()
        table = list(csv.reader(io.StringIO(told)))
        assert [text for _kind, text in cells[0]] == table[0], name
        # To take the log out, and to look at who looked, is an entry.
        assert 0 <= len(table) - len(cells) <= 2, name
    assert looked == 6
    [live] = sheet(client, "/campaigns/campaigns.xlsx?state=live&title=c-live")[0][1:]
    assert ("text", "=1+1; https://intranet.northwind.example") in live
    days = [float(text) for kind, text in live if kind == "n"]
    assert FIRST_DAY + timedelta(days=days[0]) - starts < timedelta(seconds=1)
    assert ("n", "12") in live
    entry = sheet(client, "/audit/audit.xlsx?action=invite-all")[0][1]
    assert ("text", "=cmd|' /C calc'!A0") in entry
    newest = Entry.objects.order_by("-number")[0]
    assert (newest.action, newest.detail) == ("export-audit-log", '{"format":"xlsx"}')


def test_more_rows_than_a_spreadsheet_is_made_of_are_refused_and_not_cut_off() -> None:
    with pytest.raises(Refused, match="as CSV"):
        xlsx_bytes(["a"], (("x",) for _number in range(MOST_ROWS + 1)))
