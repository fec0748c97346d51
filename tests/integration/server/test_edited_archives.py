"""An archive that somebody edited brings nothing that could not be set here: each row is refused, or harmless."""

import contextlib
import hashlib
import json
import random
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.access.models import AccessToken
from server.archives.archive import opened
from server.archives.closing import close_company
from server.archives.exporting import export_company
from server.archives.row_rules import wrong_rows
from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.devices.models import Device, Invitation
from server.devices.tokens import token_hash
from server.directory.models import SMALLEST_GROUP, Company, Notice, Person
from server.recovery.arrival import bring_in
from server.reports.figures import report
from server.reports.models import Block, BlockMember
from server.reports.snapshots import newest
from server.signals.keys import person_key
from tests.integration.server.test_company_archives import Change, Files, _read, _repacked
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.whole_company import fill
from tests.support.server.wire import an_hour_ago

FUZZED = 60
"""Of all fields and values, as many as the suite has time for."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that lives: people share, and campaigns run, have ended, and were recalled."""
    home = ServerHome(tmp_path_factory.mktemp("from") / "server")
    home.init()
    with home.opened():
        people = bulk_data.add_people(14)
        bulk_data.add_computers(people[:2])
        receipts = life.share_all(people, ["seen", "click"])
        campaign = bulk_data.publish(
            "c-news", starts=an_hour_ago(), variants={"en": ["l1"], "fr": ["l1", "l2"]}
        )
        for person in people[:9]:
            life.act(person, campaign, receipts[person.pk]["seen"])
            life.act(person, campaign, receipts[person.pk]["click"], "click")
        report(campaign)
        bulk_data.publish("c-some", groups=["Everyone"], people=people[:3])
        run_command("campaign", "recall", "c-some")
        bulk_data.publish("c-taken-back", starts=an_hour_ago(), variants={"en": ["l1"], "fr": ["l1", "l2"]})
        run_command("campaign", "recall", "c-taken-back")
        fill(home)
        path = home.folder.parent / "northwind.zip"
        export_company(Company.objects.get(), path)
    return path


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """A server with another company, whose rows an archive could name."""
    home = ServerHome(tmp_path_factory.mktemp("to") / "server")
    home.init(own_keys=True)
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
        (COMPANY, "time_zone", "Europe/../Paris"),
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
        bring_in(_with(archive, tmp_path / "bad.zip", table, 0, **{column: value}))
    assert refused.value.message.startswith(f"{table}: {column}"), refused.value.message
    assert not Company.objects.filter(pk="northwind").exists()


PERSON_KEY = "ab" * 32
CONSENT, SIGNAL, DEVICE = "signals.consent", "signals.signal", "delivery.device"


@pytest.mark.parametrize(
    ("table", "index", "column", "value", "said"),
    [
        (CONSENT, 0, "status", "withdrawn", "the receipt says something else"),
        (CONSENT, 0, "signal", "like", "the receipt says something else"),
        (CONSENT, 0, "notice_version", 2, "the receipt says something else"),
        (CONSENT, 0, "time", "2026-11-20T12:00:00+00:00", "the receipt says something else"),
        (CONSENT, 0, "language", "fr", "the receipt says something else"),
        (CONSENT, 0, "language", "=1+1", "it will not do"),
        (CONSENT, 0, "received_at", "2999-01-01T00:00:00+00:00", "in the future"),
        (CONSENT, 0, "receipt_id", "0d9b6c1e-3f2a-4c5d-8e7f-000000000001", "the receipt says something else"),
        (CONSENT, 0, "receipt", "a.b.c", "signature"),
        ("directory.notice", -1, "text", {"en": "Something else"}, "does not say what the row says: notice"),
        (SIGNAL, 0, "person_key", PERSON_KEY, "nobody agreed"),
        (SIGNAL, 0, "signal", "like", "likes have one"),
        (SIGNAL, 0, "date", "2020-01-01", "not within the campaign"),
        (SIGNAL, 0, "link_id", "l1", "clicks have one"),
        (SIGNAL, 0, "value", 1, "likes have one"),
        (SIGNAL, 0, "event_id", "00000000-0000-0000-0000-000000000000", "not random"),
        ("reports.blockmember", 0, "person_key", PERSON_KEY, "nobody agreed"),
        ("reports.snapshot", 0, "made_at", "2999-01-01T00:00:00+00:00", "in the future"),
        ("signals.campaignkey", 0, "key", "", "32 bytes"),
        ("signals.campaignkey", 0, "key", "AAAA", "32 bytes"),
        (DEVICE, 0, "token_hash", "secret", "will not do"),
        (DEVICE, 0, "family", "secret", "will not do"),
        (DEVICE, 0, "agent_version", "<b>", "will not do"),
        (DEVICE, 0, "enrolled_at", "2999-01-01T00:00:00+00:00", "in the future"),
        (DEVICE, 0, "reused", True, "disconnected"),
        ("delivery.spenttoken", 0, "grace_until", "2999-01-01T00:00:00+00:00", "minutes"),
        ("rights.correctionrequest", 0, "value", "no address", "no e-mail address"),
        ("rights.correctionrequest", 0, "value", ["a@b.example"], "another type"),
        ("rights.correctionrequest", 0, "field", "site_addresses", "another type"),
        ("rights.correctionrequest", 0, "requested_at", "2999-01-01T00:00:00+00:00", "in the future"),
        ("acknowledgements.acknowledgement", 0, "time", "2020-01-01T00:00:00+00:00", "before the campaign"),
        ("acknowledgements.acknowledgement", 0, "campaign", 1, "does not ask"),
        ("campaigns.media", 0, "type", "video/mp4", "another type"),
        ("campaigns.media", 0, "size", 5, "the file has"),
        ("campaigns.media", 0, "sha256", "0" * 64, "not in the archive"),
        (COMPANY, 0, "name", "Southwind", ""),
        (COMPANY, 0, "link_hosts", ["evil.example"], "does not say what the row says: link_hosts"),
        (COMPANY, 0, "named_reporting", True, "does not say what the row says: named_reporting"),
        (COMPANY, 0, "counter", 0, "higher one"),
        (COMPANY, 0, "document_expires", "2999-01-01T00:00:00+00:00", "when the document expires"),
        (COMPANY, 0, "document", "a.b.c", "not those of its company"),
        (CAMPAIGN, 0, "document", "a.b.c", "signature"),
        (CAMPAIGN, 0, "content", "x", "another type"),
        (CAMPAIGN, 0, "content", [], "another type"),
        (CAMPAIGN, 0, "content", {"surprise": True}, "says more"),
        (CAMPAIGN, 2, "content", {"status": "recalled", "sender": "X", "variants": {}}, "sender"),
        (CAMPAIGN, 2, "sender", "X", "sender"),
        (CAMPAIGN, 0, "counter", 1, "does not say what the row says: ctr"),
        (CAMPAIGN, 0, "notice_version", 99, "no such notice"),
        (CAMPAIGN, 0, "published_at", "2999-01-01T00:00:00+00:00", "in the future"),
        (CAMPAIGN, 0, "closed_at", "2026-11-20T12:00:00+00:00", "a closed campaign has a result"),
        (LINK, 0, "label", "Free money", "not in the campaign’s content"),
        (LINK, 0, "url", "https://evil.example/", "not in the campaign’s content"),
        (LINK, 0, "link_id", "l9", "other links"),
        ("directory.person", 0, "own_fields", ["id"], "no such field"),
        ("directory.person", 0, "site_addresses", 21 * ["x"], "more than 20"),
    ],
)
def test_what_no_server_would_have_stored_is_refused_with_its_file_row_and_column(
    archive: Path,
    server: ServerHome,
    tmp_path: Path,
    table: str,
    index: int,
    column: str,
    value: Any,
    said: str,
) -> None:
    before = set(server.folder.rglob("*"))
    with pytest.raises(Refused) as refused:
        bring_in(_with(archive, tmp_path / "bad.zip", table, index, **{column: value}))
    message = f"{refused.value.title} {refused.value.message}"
    assert said in message
    assert "Nothing was imported" in message
    if column != "name":
        assert re.search(r"\(rows/[a-z.]+\.jsonl, row \d+\)", message), message
    assert not Company.objects.filter(pk="northwind").exists()
    assert not Person.objects.filter(company="northwind").exists()
    left = {path for path in set(server.folder.rglob("*")) - before if path.is_file()}
    assert not [path for path in left if "northwind" in str(path) or ".import-" in str(path)]


def test_the_row_that_is_named_is_the_one_that_was_edited(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    for table, column, value in (("directory.person", "email", "x"), (CONSENT, "language", "fr")):
        with pytest.raises(Refused, match=f"{table}.jsonl, row 4"):
            bring_in(_with(archive, tmp_path / "bad.zip", table, 3, **{column: value}))


def _copied(files: Files, table: str, index: int, **values: Any) -> None:
    row = _rows(files, table)[index] | values
    files[f"rows/{table}.jsonl"] += json.dumps(row).encode() + b"\n"


def test_a_consent_cannot_be_copied_to_who_never_gave_it(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    def copy(files: Files) -> None:
        _copied(files, CONSENT, 0, id=10_000, person=_rows(files, CONSENT)[-1]["person"])

    with pytest.raises(Refused, match="another person’s"):
        bring_in(_repacked(archive, tmp_path / "bad.zip", copy))


def test_a_signal_cannot_be_given_to_who_shares_nothing(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    """Somebody who knows the campaign's key knows how everybody is called under it."""

    def add(files: Files) -> None:
        consents = {row["person"] for row in _rows(files, CONSENT)}
        (silent, *_others) = (
            row["id"] for row in _rows(files, "directory.person") if row["id"] not in consents
        )
        key = b64decode(_rows(files, "signals.campaignkey")[0]["key"])
        _copied(files, SIGNAL, 0, id=10_000, event_id=str(uuid4()), person_key=person_key(key, UUID(silent)))

    def silence(files: Files) -> None:
        person = _rows(files, CONSENT)[-1]["person"]
        rows = [row for row in _rows(files, CONSENT) if row["person"] != person]
        files[f"rows/{CONSENT}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    with pytest.raises(Refused, match="nobody agreed to share this"):
        bring_in(_repacked(archive, tmp_path / "bad.zip", silence))

    def both(files: Files) -> None:
        new = _rows(files, "directory.person")[0] | {"id": str(uuid4()), "email": "silent@northwind.example"}
        files["rows/directory.person.jsonl"] += json.dumps(new).encode() + b"\n"
        add(files)

    with pytest.raises(Refused, match="nobody agreed to share this"):
        bring_in(_repacked(archive, tmp_path / "bad.zip", both))


def _refused(archive: Path, target: Path, change: Change, said: str) -> None:
    with pytest.raises(Refused, match=said):
        bring_in(_repacked(archive, target, change))
    assert not Company.objects.filter(pk="northwind").exists()


def test_people_with_the_same_address_do_not_arrive(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    def same(files: Files) -> None:
        _of_all(files, "directory.person", email="p0@northwind.example")

    _refused(archive, tmp_path / "bad.zip", same, "fit together")


@pytest.mark.parametrize("signal", ["seen", "click"])
def test_of_a_person_and_campaign_there_is_one_row_in_each_place(
    archive: Path, server: ServerHome, tmp_path: Path, signal: str
) -> None:
    """A second one would be told to the person, and could fill the database."""

    def copy(files: Files) -> None:
        index = next(number for number, row in enumerate(_rows(files, SIGNAL)) if row["signal"] == signal)
        other_day = {} if signal == "click" else {"date": _rows(files, CAMPAIGN)[0]["ends"][:10]}
        _copied(files, SIGNAL, index, id=10_000, event_id=str(uuid4()), **other_day)

    _refused(archive, tmp_path / "bad.zip", copy, "another row says the same")


SUPPRESSION = "reports.suppression"


def test_nobody_is_left_out_of_figures_who_could_not_have_been_drawn(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    def of_no_cohort(files: Files) -> None:
        newcomer = str(uuid4())
        _copied(files, "directory.person", 0, id=newcomer, email="new@northwind.example")
        _copied(files, SUPPRESSION, 0, id=10_000, person=newcomer, signal="seen")

    _refused(archive, tmp_path / "bad.zip", of_no_cohort, "person: this person is in no cohort")
    for version in (3, 2, 99):
        with pytest.raises(Refused, match="notice_version: there is no such older notice"):
            bring_in(_with(archive, tmp_path / "bad.zip", SUPPRESSION, 0, notice_version=version))


def test_nobody_is_left_out_of_figures_and_counted_in_them(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    def of_a_block(files: Files) -> None:
        block = next(row for row in _rows(files, "reports.block") if row["live"] and row["signal"] == "seen")
        (key,) = (
            b64decode(row["key"])
            for row in _rows(files, "signals.campaignkey")
            if row["campaign"] == block["campaign"]
        )
        counted = {
            row["person_key"] for row in _rows(files, "reports.blockmember") if row["block"] == block["id"]
        }
        person = next(
            row["id"]
            for row in _rows(files, "directory.person")
            if person_key(key, UUID(row["id"])) in counted
        )
        _copied(files, SUPPRESSION, 0, id=10_000, person=person, signal="seen")

    _refused(archive, tmp_path / "bad.zip", of_a_block, "figures leave this person out")


def test_no_campaign_is_of_an_older_notice_than_was_in_force(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    """It would count people who were asked afresh and have not answered."""
    later = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    before = (datetime.now(UTC) - timedelta(days=3)).isoformat()

    def by_a_consent(files: Files) -> None:
        _of_all(files, CAMPAIGN, notice_version=1, published_at=later)
        _of_all(files, CONSENT, received_at=before)

    def by_a_campaign(files: Files) -> None:
        _of_all(files, CAMPAIGN, published_at=before)
        rows = _rows(files, CAMPAIGN)
        rows[0] |= {"notice_version": 1, "published_at": later}
        files[f"rows/{CAMPAIGN}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    for change in (by_a_consent, by_a_campaign):
        _refused(archive, tmp_path / "bad.zip", change, "notice_version: a newer notice was in force")


def _of_all(files: Files, table: str, **values: Any) -> None:
    rows = [row | values for row in _rows(files, table)]
    files[f"rows/{table}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_no_block_of_few_arrives_and_nobody_is_in_two(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    members = "reports.blockmember"

    def shrink(files: Files) -> None:
        rows = _rows(files, members)
        kept = [row for row in rows if row["block"] != rows[0]["block"]] + rows[:1]
        files[f"rows/{members}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in kept)

    def double(files: Files) -> None:
        block = next(
            row for row in _rows(files, "reports.block") if row["id"] == _rows(files, members)[0]["block"]
        )
        _copied(files, "reports.block", 0, **block | {"id": 10_000})
        for row in _rows(files, members):
            if row["block"] == block["id"]:
                _copied(files, members, 0, **row | {"id": 10_000 + row["id"], "block": 10_000})

    for change, said in ((shrink, "fewer than 5"), (double, "another one of it")):
        with pytest.raises(Refused, match=said):
            bring_in(_repacked(archive, tmp_path / "bad.zip", change))


BLOCK = "reports.block"
SAME = 0
COUNTS: dict[str, Any] = {"size": SAME, "days": {}, "links": {}}


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        (BLOCK, {"size": 999}, "size: it has"),
        (BLOCK, {"size": 1}, "size: it has"),
        (BLOCK, {"cohort": str(uuid4())}, "block: it is of another cohort"),
        ("reports.cohortmember", {"cohort": str(uuid4())}, "block: it is of another cohort"),
        (BLOCK, {"counts": COUNTS | {"size": 99}}, "counts: it has"),
        (BLOCK, {"counts": COUNTS | {"days": {"2026-11-26": 99}}}, "counts: fewer of its people did this"),
        (BLOCK, {"counts": COUNTS | {"days": {"1999-01-01": 1}}}, "counts: it is not within"),
        (BLOCK, {"counts": COUNTS | {"links": {"l2": 1}}}, "counts: fewer of its people did this"),
        ("directory.group", {"name": "everyONE"}, "name: another group"),
        ("directory.group", {"name": "Lyon "}, "name: another group"),
    ],
)
def test_blocks_figures_and_groups_are_as_a_server_made_them(
    archive: Path, server: ServerHome, tmp_path: Path, table: str, values: dict[str, Any], said: str
) -> None:
    def change(files: Files) -> None:
        rows = _rows(files, table)
        if table == "directory.group":
            rows.append(rows[0] | values | {"id": 10_000})
        else:
            for row in rows:
                row |= values
                if (row.get("counts") or {}).get("size") == SAME:
                    row["counts"] = row["counts"] | {"size": row["size"]}
        files[f"rows/{table}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    with pytest.raises(Refused, match=re.escape(said)):
        bring_in(_repacked(archive, tmp_path / "bad.zip", change))
    assert not Company.objects.filter(pk="northwind").exists()


def test_no_two_campaigns_of_an_archive_have_one_key(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    keys = [row["key"] for row in _rows(_read(archive)[1], "signals.campaignkey")]
    bad = _with(archive, tmp_path / "bad.zip", "signals.campaignkey", 0, key=keys[1])
    with pytest.raises(Refused, match="key: it is another campaign’s"):
        bring_in(bad)


@pytest.mark.parametrize("column", ["token_hash", "next_hash"])
def test_a_computer_of_the_archive_is_nobody_elses(
    archive: Path, server: ServerHome, tmp_path: Path, column: str
) -> None:
    """A computer with the digest of another company's would be let in as that one, or lock it out."""
    person = Person.objects.create(company_id="southwind", email="p@southwind.example")
    taken = token_hash("tdt_of-southwind")
    theirs = Device.objects.create(person=person, token_hash=taken, platform="linux", agent_version="0.1.0")
    try:
        with pytest.raises(Refused, match=f"{DEVICE}: {column}.*row 1"):
            bring_in(_with(archive, tmp_path / "bad.zip", DEVICE, 0, **{column: taken}))
        assert Device.objects.get(token_hash=taken) == theirs
    finally:
        person.delete()


def test_no_two_tokens_of_an_archive_are_one(archive: Path, server: ServerHome, tmp_path: Path) -> None:
    spent = _rows(_read(archive)[1], "delivery.spenttoken")[0]["token_hash"]
    first = _rows(_read(archive)[1], DEVICE)[0]["token_hash"]
    for table, index, values in (
        (DEVICE, 1, {"next_hash": first}),
        ("delivery.spenttoken", 0, {"token_hash": first}),
        (DEVICE, 1, {"next_hash": _rows(_read(archive)[1], DEVICE)[2]["token_hash"]}),
    ):
        with pytest.raises(Refused, match="such a token already"):
            bring_in(_with(archive, tmp_path / "bad.zip", table, index, **values))
    assert spent


def test_tokens_and_invitations_stay_behind_also_those_of_an_older_archive(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    token = {
        "id": 1,
        "company": "northwind",
        "role": "administrator",
        "name": "mine",
        "token_hash": token_hash("tat_mine"),
        "created_at": now.isoformat(),
        "expires_at": "9999-01-01T00:00:00+00:00",
    }

    def add(files: Files) -> None:
        assert "rows/access.accesstoken.jsonl" not in files
        assert "rows/delivery.invitation.jsonl" not in files
        files["rows/access.accesstoken.jsonl"] = json.dumps(token).encode() + b"\n"
        files["rows/delivery.invitation.jsonl"] = b'{"id": 1}\n'

    company = bring_in(_repacked(archive, tmp_path / "older.zip", add)).company
    assert not AccessToken.objects.filter(company=company).exists()
    assert not Invitation.objects.filter(person__company=company).exists()


def test_links_of_a_recalled_campaign_have_no_figures_whatever_the_archive_says(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    rows = _rows(_read(archive)[1], CAMPAIGN)
    (index,) = (number for number, row in enumerate(rows) if row["campaign_id"] == "c-taken-back")
    assert rows[index]["counted"] == {"l1": "l1"}
    bring_in(_with(archive, tmp_path / "bad.zip", CAMPAIGN, index, counted={"l1": "l1", "l2": "l2"}))
    assert Campaign.objects.get(campaign_id="c-taken-back").counted == {}


def test_an_archive_that_was_edited_is_not_the_one_whose_digest_was_told(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    """Whoever has the archive has the company's keys, and can make one in which all fits together: the digest tells."""
    with opened(archive) as read:
        digest = read.digest
    edited = _with(archive, tmp_path / "edited.zip", "directory.person", 0, first_name="Somebody else")
    with pytest.raises(Refused, match="not the archive that you expect"):
        bring_in(edited, expected=digest)
    assert not Company.objects.filter(pk="northwind").exists()
    assert bring_in(archive, expected=digest.upper()).company.pk == "northwind"


def _without(name: str) -> Change:
    return lambda files: files.update({name: b""}) if name.startswith("rows/") else files.__delitem__(name)


@pytest.mark.parametrize("missing", ["keys/campaign.jwk.json", "keys/receipt.jwk.json"])
def test_an_archive_without_keys_is_refused(
    archive: Path, server: ServerHome, tmp_path: Path, missing: str
) -> None:
    with pytest.raises(Refused, match="damaged"):
        bring_in(_repacked(archive, tmp_path / "bad.zip", _without(missing)))


def test_a_company_without_a_notice_or_a_campaign_without_a_key_is_refused(
    archive: Path, server: ServerHome, tmp_path: Path
) -> None:
    for table, said in (("directory.notice", "no notice"), ("signals.campaignkey", "no key")):
        with pytest.raises(Refused, match=said):
            bring_in(_repacked(archive, tmp_path / "bad.zip", _without(f"rows/{table}.jsonl")))


def test_a_medium_of_which_no_row_tells_is_refused(archive: Path, server: ServerHome, tmp_path: Path) -> None:
    content = b"<script>"
    name = f"media/{hashlib.sha256(content).hexdigest()}"
    with pytest.raises(Refused, match="no row tells of media"):
        bring_in(_repacked(archive, tmp_path / "bad.zip", lambda files: files.update({name: content})))


def test_receipts_of_keys_that_were_replaced_move_with_the_company(
    server: ServerHome, elsewhere: ServerHome, archive: Path, tmp_path: Path
) -> None:
    bring_in(archive)
    run_command("keys", "replace", "--yes", "--company", "northwind")
    export_company(Company.objects.get(pk="northwind"), tmp_path / "replaced.zip")
    close_company(Company.objects.get(pk="northwind"))
    bring_in(tmp_path / "replaced.zip")
    export_company(Company.objects.get(pk="northwind"), tmp_path / "again.zip")
    kept = [_read(tmp_path / name)[1]["keys/replaced.jwks.json"] for name in ("replaced.zip", "again.zip")]
    assert kept[0] == kept[1]
    assert b'"d"' not in kept[0], "the private part of a key that was stolen stays behind"


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
        bring_in(_with(archive, tmp_path / "bad.zip", CAMPAIGN, 0, content=content))
    assert refused.value.message.startswith(f"{CAMPAIGN}: content"), refused.value.message


def test_the_archive_as_it_was_comes_in_whole(archive: Path, server: ServerHome) -> None:
    company = bring_in(archive).company
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
            company = bring_in(_with(archive, tmp_path / "bad.zip", table, 0, **{column: value})).company
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
    bring_in(archive)
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
    bring_in(archive)
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
