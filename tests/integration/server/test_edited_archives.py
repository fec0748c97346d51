"""An archive that somebody edited brings nothing that could not be set here: each row is refused, or harmless."""

import contextlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.campaigns.models import Campaign
from server.directory.models import SMALLEST_GROUP, Company, Notice
from server.errors import Refused
from server.reports.figures import report
from server.reports.models import Block, BlockMember
from server.reports.snapshots import newest
from server.signals.keys import person_key
from server.tenants.closing import close_company
from server.tenants.exporting import export_company
from server.tenants.importing import import_company
from server.tenants.row_rules import wrong_rows
from tests.integration.server.test_company_archives import Files, _read, _repacked
from tests.support import company_life as life
from tests.support import server_data
from tests.support.campaign_server import ServerHome
from tests.support.server_commands import run_command
from tests.support.wire import an_hour_ago

FUZZED = 60
"""Of all fields and values, as many as the suite has time for."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that lives: people share, and campaigns run, have ended, and were recalled."""
    home = ServerHome(tmp_path_factory.mktemp("from") / "server")
    home.init()
    with home.opened():
        people = server_data.add_people(14)
        server_data.add_computers(people[:2])
        receipts = life.share_all(people, ["seen", "click"])
        campaign = server_data.publish(
            "c-news", starts=an_hour_ago(), variants={"en": ["l1"], "fr": ["l1", "l2"]}
        )
        for person in people[:9]:
            life.act(person, campaign, receipts[person.pk]["seen"])
            life.act(person, campaign, receipts[person.pk]["click"], "click")
        report(campaign)
        server_data.publish("c-some", groups=["Everyone"], people=people[:3])
        run_command("campaign", "recall", "c-some")
        path = home.folder.parent / "northwind.zip"
        export_company(Company.objects.get(), path)
    return path


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """A server with another company, whose rows an archive could name."""
    home = ServerHome(tmp_path_factory.mktemp("to") / "server")
    home.init()
    with home.opened():
        close_company(Company.objects.get())
        other = Company.objects.create(
            id="southwind",
            name="Southwind",
            legal_name="Southwind",
            region="eu",
            dpo_name="D",
            dpo_email="d@s.example",
        )
        Notice.objects.create(
            company=other, version=1, date=datetime(2026, 11, 1, tzinfo=UTC).date(), text={"en": "x"}
        )
    return home


@pytest.fixture
def server(elsewhere: ServerHome, caplog: pytest.LogCaptureFixture) -> Iterator[ServerHome]:
    with elsewhere.opened():
        yield elsewhere
        for company in Company.objects.filter(pk="northwind"):
            close_company(company)
    caplog.clear()


def _rows(files: Files, table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[f"rows/{table}.jsonl"].splitlines()]


def _with(archive: Path, target: Path, table: str, index: int, **values: Any) -> Path:
    def change(files: Files) -> None:
        rows = _rows(files, table)
        rows[index] |= values
        files[f"rows/{table}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    return _repacked(archive, target, change)


COMPANY, CAMPAIGN, LINK = "directory.company", "campaigns.campaign", "campaigns.link"


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (COMPANY, "minimum", 1),
        (COMPANY, "minimum", 4),
        (COMPANY, "minimum", 1001),
        (COMPANY, "poll_interval_s", 0),
        (COMPANY, "poll_interval_s", 9),
        (COMPANY, "link_hosts", ["*"]),
        (COMPANY, "link_hosts", ["*.*"]),
        (COMPANY, "link_hosts", ["evil.example/"]),
        (COMPANY, "link_hosts", [5]),
        (COMPANY, "signals", ["seen", "where"]),
        (COMPANY, "directory_fields", ["id"]),
        (COMPANY, "server_url", "javascript:alert(1)"),
        (COMPANY, "accent", "red"),
        (COMPANY, "dpo_email", "nobody"),
        (COMPANY, "logo", {"sha256": "../../x"}),
        (COMPANY, "counter", 2**60),
        ("directory.notice", "text", {}),
        ("directory.notice", "text", {"en": 5}),
        ("directory.notice", "version", 0),
        ("directory.person", "email", "no address"),
        ("directory.person", "first_name", "Ma\nrie"),
        ("directory.person", "site_addresses", [{"a": 1}]),
        ("directory.group", "name", ""),
        (CAMPAIGN, "minimum", 1),
        (CAMPAIGN, "campaign_id", "c-../x"),
        (CAMPAIGN, "counted", {"l1": "l1", "l2": "l2"}),
        (CAMPAIGN, "urgency", "emergency"),
        (CAMPAIGN, "status", "recalled"),
        (CAMPAIGN, "ends", "2099-01-01T00:00:00+00:00"),
        (CAMPAIGN, "result", {"figures": 5}),
        (LINK, "url", "http://northwind.example/"),
        (LINK, "url", "https://user@northwind.example/"),
        (LINK, "url", "file:///etc/passwd"),
        (LINK, "label", ""),
        (LINK, "link_id", "../x"),
        (LINK, "campaign", 99),
        ("directory.person", "company", "southwind"),
    ],
)
def test_what_could_not_be_set_here_is_refused_with_its_table_and_column(
    archive: Path, server: ServerHome, tmp_path: Path, table: str, column: str, value: Any
) -> None:
    with pytest.raises(Refused) as refused:
        import_company(_with(archive, tmp_path / "bad.zip", table, 0, **{column: value}))
    assert refused.value.message.startswith(f"{table}: {column}"), refused.value.message
    assert not Company.objects.filter(pk="northwind").exists()


@pytest.mark.parametrize(
    "variant",
    [
        {"links": [{"link_id": "l1", "label": "Read", "url": "javascript:alert(1)"}]},
        {"links": [{"link_id": "l1", "label": "Re\u202ead", "url": "https://northwind.example/"}]},
        {"title": "x" * 201},
        {"title": 5},
        {"image": {"sha256": "../../../etc/passwd", "size": 1, "type": "image/png"}},
        {"video": {"sha256": "0" * 64, "size": 1, "type": "video/mp4"}},
        {"surprise": True},
    ],
)
def test_texts_that_could_not_be_published_here_are_refused(
    archive: Path, server: ServerHome, tmp_path: Path, variant: dict[str, Any]
) -> None:
    content = _rows(_read(archive)[1], CAMPAIGN)[0]["content"]
    content["variants"]["en"] |= variant
    with pytest.raises(Refused, match="cannot be right") as refused:
        import_company(_with(archive, tmp_path / "bad.zip", CAMPAIGN, 0, content=content))
    assert refused.value.message.startswith(f"{CAMPAIGN}: content"), refused.value.message


def test_the_archive_as_it_was_comes_in_whole(archive: Path, server: ServerHome) -> None:
    company = import_company(archive)
    assert list(wrong_rows(company)) == []
    shown = report(Campaign.objects.get(campaign_id="c-news"))
    assert (shown.figures[0].sharing or 0) >= SMALLEST_GROUP


VALUES: list[Any] = [
    None, True, 0, 1, -1, 2**31, 2**63, 1.5, "", "x", "\0", "\u202e", "x" * 5_000, [], [1], [[]], {}, {"a": {}}, "southwind",
    "00000000-0000-4000-8000-000000000000", "2026-01-01", "9999-12-31T23:59:59+00:00", "c-news", "=1+1", "../../x",
]  # fmt: skip


def test_whatever_a_field_holds_the_row_is_refused_or_harmless(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    files, chance = _read(archive)[1], random.Random(4)
    fields = [
        (name.removeprefix("rows/").removesuffix(".jsonl"), column)
        for name in files
        if name.startswith("rows/") and files[name]
        for column in json.loads(files[name].splitlines()[0])
    ]
    tries = [(table, column, value) for table, column in fields for value in VALUES]
    came_in = 0
    for table, column, value in chance.sample(tries, FUZZED):
        with contextlib.suppress(Refused):
            company = import_company(_with(archive, tmp_path / "bad.zip", table, 0, **{column: value}))
            came_in += 1
            assert list(wrong_rows(company)) == [], (table, column, value)
            for campaign in Campaign.objects.filter(company=company):
                sharing = {
                    figure.sharing
                    for shown in (report(campaign), newest(campaign))
                    for figure in shown.figures
                }
                assert all(count is None or count >= SMALLEST_GROUP for count in sharing), (
                    table,
                    column,
                    value,
                )
            close_company(company)
    assert 0 < came_in < FUZZED


# --- Rows that somebody edited in the database ----------------------------------------------------------


def test_figures_are_about_five_or_more_whatever_the_row_says(archive: Path, server: ServerHome) -> None:
    import_company(archive)
    Company.objects.filter(pk="northwind").update(minimum=1)
    Campaign.objects.update(minimum=1)
    campaign = Campaign.objects.get(campaign_id="c-news")
    few = Block.objects.create(campaign=campaign, signal="seen", cohort="0" * 32, groups=["Few"])
    someone = Company.objects.get(pk="northwind").people.first()
    assert someone is not None
    BlockMember.objects.filter(block__campaign=campaign).delete()
    BlockMember.objects.create(block=few, person_key=person_key(campaign.key.key, someone.pk))
    shown = report(campaign)
    assert shown.minimum == SMALLEST_GROUP
    groups = [figure for group in shown.groups if group.name == "Few" for figure in group.figures]
    for figure in (*shown.figures, *shown.links, *groups):
        assert figure.sharing is None or figure.sharing >= SMALLEST_GROUP


def test_check_tells_rows_that_could_not_be_set(
    archive: Path, server: ServerHome, capsys: pytest.CaptureFixture[str]
) -> None:
    import_company(archive)
    Company.objects.filter(pk="northwind").update(minimum=1, poll_interval_s=0, link_hosts=["*"])
    Campaign.objects.filter(campaign_id="c-news").update(minimum=2)
    run_command("check", "--json")
    found = json.loads(capsys.readouterr().out)
    (told,) = [one for one in found if one["name"] == "Rows of northwind"]
    assert told["state"] == "fault"
    for words in (
        "directory.company: minimum",
        "poll_interval_s",
        "link_hosts",
        "campaigns.campaign: minimum",
    ):
        assert words in told["message"]
    Company.objects.filter(pk="northwind").update(minimum=5, poll_interval_s=60, link_hosts=[])
