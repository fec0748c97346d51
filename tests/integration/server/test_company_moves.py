"""A company is taken out, closed and brought in: all of it, byte for byte, or nothing."""

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from django.db import transaction

from server.access.models import AccessToken
from server.accounts.models import Account, SignInLink
from server.archives.exporting import row_counts
from server.archives.rows import company_models, is_of_the_server, label
from server.audit.models import Entry, EntrySubject
from server.campaigns.models import Publisher
from server.core.errors import Refused
from server.devices.models import Invitation
from server.directory.models import Company, ImportProgress, KeptCorrection, Person
from server.drafts.models import Draft, DraftFile, DraftUpload, DraftVersion, Trial
from server.erasure.erasure import erase
from server.erasure.models import ErasureRequest
from server.erasure_ledger import ledger
from server.erasure_ledger.models import LedgerState
from server.mail.models import ConsoleMail, InvitationMail
from server.notices.models import NoticeProposal
from server.processing_record.models import Processor
from server.recovery.replay import catch_up
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.postgres import programs
from tests.support.server.run_command import run_command
from tests.support.server.whole_company import Whole, fill, found_under
from tests.support.server.wire import payload


@dataclass
class Move:
    """A filled company on one server, and an empty server on the other kind of database."""

    source: ServerHome
    target: ServerHome
    whole: Whole
    archive: Path


@pytest.fixture(params=["sqlite", "postgresql"])
def move(request: pytest.FixtureRequest, tmp_path: Path) -> Move:
    url = request.getfixturevalue("postgres_cluster").new_database()
    urls = (None, url) if request.param == "sqlite" else (url, None)
    source, target = (ServerHome(tmp_path / name, url) for name, url in zip(("a", "b"), urls, strict=True))
    source.init()
    target.take_tables()
    target.succeed("init", "--region", "eu")
    with source.opened():
        whole = fill(source)
    return Move(source, target, whole, tmp_path / "northwind.zip")


@pytest.fixture
def home(whole_company: ServerHome, tmp_path: Path) -> Iterator[ServerHome]:
    """One filled company, open in this process."""
    made = ServerHome(tmp_path / "server")
    shutil.copytree(whole_company.folder, made.folder)
    with made.opened():
        yield made


def _contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist() if name != "manifest.json"}


def _pg_dump(url: str) -> bytes:
    return subprocess.run([programs() / "pg_dump", url], capture_output=True, check=True).stdout


def _is_audit(name: str) -> bool:
    return name.startswith(("rows/audit.", "audit/"))


def test_a_company_moves_to_another_server_whole_and_leaves_nothing(move: Move) -> None:
    with ExitStack() as running:
        server = running.enter_context(move.source.running())
        headers = {"Authorization": f"Bearer {move.whole.tokens[1]}"}
        before = requests.get(f"{server.url}/api/v1/feed", headers=headers, timeout=30)
    with move.source.opened():
        counter = Company.objects.get().counter
        run_command("company", "export", move.archive)
        assert move.archive.stat().st_mode & 0o777 == 0o600
        run_command("company", "close", "northwind", "--exported", move.archive, "--yes")
        assert row_counts("northwind") == {}
    assert found_under(move.source.folder, move.whole.needles) == []
    if move.source.database_url:
        dump = _pg_dump(move.source.database_url)
        assert [needle for needle in move.whole.needles if needle in dump] == []
    with move.target.opened():
        run_command("company", "import", move.archive)
        run_command("company", "export", move.archive.with_name("again.zip"))
        assert Company.objects.get().counter == counter
        assert bulk_data.publish("c-two").counter > counter
    first, again = _contents(move.archive), _contents(move.archive.with_name("again.zip"))
    assert first.keys() == again.keys()
    assert [name for name in first if first[name] != again[name] and not _is_audit(name)] == []
    audit = "rows/audit.entry.jsonl"
    assert again[audit].startswith(first[audit]), "the log goes on where it was"
    with move.target.running() as server:
        headers["If-None-Match"] = before.headers["ETag"]
        after = requests.get(f"{server.url}/api/v1/feed", headers=headers, timeout=30)
        assert (before.status_code, after.status_code) == (200, 200)
        assert set(before.json()["campaigns"]) < set(after.json()["campaigns"])
        assert before.json()["company"] == after.json()["company"]


def test_the_same_company_gives_the_same_bytes(home: ServerHome, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        from server.archives.exporting import export_company

        export_company(Company.objects.get(), tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_an_export_holds_every_row_of_every_model(home: ServerHome, tmp_path: Path) -> None:
    there = dict(row_counts("northwind"))  # that it was exported is on record after it
    run_command("company", "export", tmp_path / "out.zip")
    contents = _contents(tmp_path / "out.zip")
    counts = {
        name.removeprefix("rows/").removesuffix(".jsonl"): content.count(b"\n")
        for name, content in contents.items()
        if name.startswith("rows/")
    }
    here = (EntrySubject, AccessToken, Invitation, Account, SignInLink, Draft, DraftVersion)
    here += (Draft.audience_groups.through, Draft.audience_people.through, Draft.writers.through)
    here += (DraftVersion.audience_groups.through, DraftVersion.audience_people.through)
    here += (Draft.excluded_groups.through, DraftVersion.excluded_groups.through)
    here += (DraftFile, DraftUpload, Trial)
    here += (ErasureRequest, ErasureRequest.people.through)
    here += (ConsoleMail, InvitationMail, NoticeProposal, Processor)
    here += (ImportProgress, KeptCorrection, Publisher)
    here += (AccessToken.bound_groups.through, Account.bound_groups.through)
    staying = {label(model): there.pop(label(model)) for model in here}
    assert min(staying.values()) > 0
    assert counts == there
    assert len(counts) == len(company_models()) - len(staying)


def test_a_company_that_changed_after_its_export_is_not_closed_with_it(
    home: ServerHome, tmp_path: Path
) -> None:
    archive = tmp_path / "out.zip"
    run_command("company", "export", archive)
    person = Person.objects.order_by("pk")[0]
    person.title = "Now something else"
    person.save()
    before = row_counts("northwind")
    with pytest.raises(Refused, match="does not hold all"):
        run_command("company", "close", "northwind", "--exported", archive, "--yes")
    assert row_counts("northwind") == before
    assert list((home.folder / "keys").rglob("*.json"))


def test_export_and_import_tell_the_digest_and_what_stays_behind(
    home: ServerHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "out.zip"
    run_command("company", "export", archive)
    told = capsys.readouterr()
    (digest,) = re.findall(r"^Digest: ([0-9a-f]{64})$", told.out, re.MULTILINE)
    assert "import --expect" in told.err
    run_command("company", "close", "northwind", "--yes")
    with pytest.raises(Refused, match="not the archive that you expect"):
        run_command("company", "import", archive, "--expect", 64 * "0")
    assert not Company.objects.exists()
    capsys.readouterr()
    run_command("company", "import", archive, "--expect", digest)
    told = capsys.readouterr()
    assert f"Digest: {digest}" in told.out
    assert "tidings-server token create, tidings-server invite" in told.out
    assert "Nobody has checked" not in told.err
    said = [json.loads(entry.detail) for entry in Entry.objects.filter(action="company-import")]
    assert said == [{"archive": digest, "closed_here": 1}], "its acts since the export are in no log any more"


def test_closing_asks_first(home: ServerHome) -> None:
    done = home.command(
        "company", "close", "northwind", answer="northwind\n"
    )  # no terminal: nobody was asked
    assert (done.returncode, done.stdout) == (1, "")
    assert "Nothing was deleted" in done.stderr
    assert Company.objects.count() == 1


def test_who_was_erased_since_the_export_does_not_come_back(home: ServerHome, tmp_path: Path) -> None:
    archive = tmp_path / "out.zip"
    run_command("company", "export", archive)
    gone = Person.objects.get(email="p3@northwind.example")
    erase(Company.objects.get(), [gone.pk])
    counter = Company.objects.get().counter
    run_command("company", "close", "northwind", "--yes")
    run_command("company", "import", archive)
    assert not Person.objects.filter(pk=gone.pk).exists()
    assert Person.objects.filter(email="p2@northwind.example").exists()
    company = Company.objects.get()
    assert company.counter > counter
    assert payload(company.document)["ctr"] > counter


def test_every_model_belongs_to_a_company_or_says_that_it_is_the_servers() -> None:
    from django.apps import apps

    models = {
        model
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.startswith("server.")
    }
    assert {model for model in models if is_of_the_server(model)} == models - set(company_models())


@pytest.mark.expected_logs("older than what happened since")
def test_a_closing_that_a_crash_cut_off_after_its_line_takes_the_files_too(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        with transaction.atomic():
            ledger.write([ledger.Fact("company-closed", "northwind")])
        LedgerState.objects.all().delete()  # as the database is after the crash
        assert catch_up() == {"company-closed": 1}
        assert not Company.objects.exists()
    assert not (home.folder / "keys" / "northwind").exists()
    assert not (home.folder / "audit" / "northwind.json").exists()
