"""The audit log: a chain of hashes on both databases, and its end in the data folder. Every kind of tampering is found."""

import csv
import errno
import hashlib
import io
import json
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F

from server.audit import chain_heads, log
from server.audit.models import Chain, Entry
from server.audit.verifying import Verdict, verify
from server.core import private_files
from server.core.csv_export import csv_text
from server.core.errors import Refused
from tests.support.server import bulk_data
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.run_command import run_command

pytestmark = pytest.mark.both_databases

HASHED_COLUMNS = ("time", "actor", "action", "subject", "detail", "previous", "digest")
CHANGES = 60


@pytest.fixture
def empty(northwind: ServerHome) -> Iterator[ServerHome]:
    """Northwind's server with an empty audit log, before and after."""
    _forget()
    yield northwind
    _forget()


@pytest.fixture
def chain(empty: ServerHome) -> ServerHome:
    """The same with ten entries."""
    for number in range(10):
        log.record("northwind", log.COMMAND_LINE, "publish", uuid4(), {"campaign": f"c-{number}"})
    assert _verdict().sound
    return empty


def _forget() -> None:
    Entry.objects.all().delete()
    Chain.objects.all().delete()
    chain_heads.forget("northwind")


def _verdict(expected: str | None = None) -> Verdict:
    return verify(bulk_data.company(), expected)


def test_each_entry_holds_the_digest_of_the_one_before(empty: ServerHome) -> None:
    company, person = bulk_data.company(), uuid4()
    first = log.record(company, log.COMMAND_LINE, "publish", detail={"campaign": "c-video"})
    second = log.record(company, "agent", "read-own-data", person)
    assert (first.number, first.previous) == (1, "")
    assert (second.number, second.previous) == (2, first.digest)
    assert str(person) not in f"{second.subject}{second.detail}"
    assert chain_heads.kept("northwind") == chain_heads.Kept(chain_heads.Head(2, second.digest))


def test_an_act_that_was_undone_leaves_no_entry(chain: ServerHome) -> None:
    from django.db import transaction

    with transaction.atomic():
        log.record("northwind", log.COMMAND_LINE, "recall")
        transaction.set_rollback(True)
    verdict = _verdict()
    assert (verdict.sound, verdict.entries) == (True, 10)


def test_a_changed_byte_is_found_wherever_it_is(chain: ServerHome) -> None:
    chance, missed = random.Random(7), []
    for _ in range(CHANGES):
        entry = Entry.objects.get(number=chance.randint(1, 10))
        column = chance.choice([name for name in HASHED_COLUMNS if getattr(entry, name)])
        text = getattr(entry, column)
        place = chance.randrange(len(text))
        other = chance.choice([letter for letter in "abcdef0123456789" if letter != text[place]])
        Entry.objects.filter(pk=entry.pk).update(**{column: text[:place] + other + text[place + 1 :]})
        if _verdict().sound:
            missed.append((entry.number, column))
        Entry.objects.filter(pk=entry.pk).update(**{column: text})
    assert not missed
    assert _verdict().sound


def _remove_one() -> None:
    Entry.objects.filter(number=4).delete()


def _exchange_two() -> None:
    Entry.objects.filter(number=4).update(number=100)
    Entry.objects.filter(number=5).update(number=4)
    Entry.objects.filter(number=100).update(number=5)


def _cut_the_tail() -> None:
    Entry.objects.filter(number__gt=7).delete()


def _cut_the_tail_and_its_end() -> None:
    _cut_the_tail()
    last = Entry.objects.get(number=7)
    Chain.objects.update(number=7, digest=last.digest)


def _remove_all() -> None:
    Entry.objects.all().delete()
    Chain.objects.all().delete()


def _remove_one_and_close_the_gap() -> None:
    _remove_one()
    for number in range(5, 11):
        Entry.objects.filter(number=number).update(number=number - 1)
    _write_anew(4)


def _change_and_write_anew() -> None:
    Entry.objects.filter(number=4).update(actor="somebody else")
    _write_anew(4)


def _write_anew(first: int) -> None:
    """What somebody can do who knows how the digests are made, and has the database."""
    entries = list(Entry.objects.order_by("number"))
    for before, entry in zip(entries[first - 2 :], entries[first - 1 :], strict=False):
        entry.previous = before.digest
        entry.digest = log.digest(entry)
        entry.save()
    Chain.objects.update(number=len(entries), digest=entries[-1].digest)


@pytest.mark.parametrize(
    "tamper",
    [
        _remove_one,
        _exchange_two,
        _cut_the_tail,
        _cut_the_tail_and_its_end,
        _remove_all,
        _remove_one_and_close_the_gap,
        _change_and_write_anew,
        lambda: chain_heads.forget("northwind"),
        lambda: Chain.objects.update(number=F("number") + 1),
    ],
)
def test_tampering_is_found(chain: ServerHome, tamper: Callable[[], object]) -> None:
    tamper()
    assert not _verdict().sound


def test_a_log_written_anew_with_its_end_is_found_by_a_digest_noted_elsewhere(chain: ServerHome) -> None:
    noted = _verdict().head.digest
    _change_and_write_anew()
    chain_heads.forget("northwind")
    chain_end = Chain.objects.get()
    chain_heads.begin("northwind", chain_heads.Kept(chain_heads.Head(chain_end.number, chain_end.digest)))
    assert _verdict().sound, "the server by itself cannot know"
    assert not _verdict(noted).sound


def _explain(reason: str = "a backup was restored") -> int:
    return run_command("audit", "explain", "--by", "head of IT", "--reason", reason)


@pytest.mark.parametrize("acts_before", [0, 1, 3])
def test_a_restored_backup_is_told_until_a_person_explains_it(
    chain: ServerHome, caplog: pytest.LogCaptureFixture, acts_before: int
) -> None:
    lost = Chain.objects.get().digest
    _cut_the_tail_and_its_end()
    for _number in range(acts_before):
        log.record("northwind", log.COMMAND_LINE, "recall")
        assert any("ends with entry 7, and 10 is remembered" in fault for fault in _verdict().faults)
    assert _explain() == 0
    (broken,) = Entry.objects.filter(action=log.BREAK)
    assert broken.number == 11
    assert lost in broken.detail
    assert Entry.objects.get(number=7).digest in broken.detail
    said = Entry.objects.get(action=log.EXPLAIN)
    assert json.loads(said.detail)["reason"] == "a backup was restored"
    verdict = _verdict()
    assert (verdict.sound, verdict.faults) == (True, [])
    assert "head of IT: “a backup was restored”" in " ".join(verdict.notes)
    log.record("northwind", log.COMMAND_LINE, "recall")
    assert _verdict().sound
    caplog.clear()


def test_acts_go_on_after_every_kind_of_break_and_none_of_them_hides_it(
    chain: ServerHome, caplog: pytest.LogCaptureFixture
) -> None:
    for tamper in (
        _cut_the_tail_and_its_end,
        _change_and_write_anew,
        _remove_all,
        Chain.objects.all().delete,
    ):
        tamper()
        for _number in range(5):
            log.record("northwind", log.COMMAND_LINE, "publish-emergency")
        assert not _verdict().sound
    assert "does not go on" in caplog.text
    kept = chain_heads.kept("northwind")
    assert kept is not None
    assert len(kept.breaks) == 4
    assert _explain() == 0
    assert _verdict().sound
    caplog.clear()


def test_what_was_remembered_is_kept_though_the_act_after_is_undone(
    chain: ServerHome, caplog: pytest.LogCaptureFixture
) -> None:
    from django.db import transaction

    _change_and_write_anew()
    for _number in range(2):
        with transaction.atomic():
            log.record("northwind", log.COMMAND_LINE, "recall")
            transaction.set_rollback(True)
    kept = chain_heads.kept("northwind")
    assert kept is not None
    assert len(kept.breaks) == 1
    assert any("written anew" in fault for fault in _verdict().faults)
    caplog.clear()


def test_only_a_person_explains(chain: ServerHome, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the program nor entries that somebody wrote into the database."""
    _cut_the_tail_and_its_end()
    log.record("northwind", "server", log.RESTORED)
    log.record(
        "northwind", log.COMMAND_LINE, log.EXPLAIN, detail={"by": "me", "reason": "nothing", "faults": 9}
    )
    assert not _verdict().sound
    with pytest.raises(Refused, match="Who explains"):
        _explain(reason=" ")
    assert not _verdict().sound
    caplog.clear()


def test_what_is_whole_needs_no_explanation(chain: ServerHome) -> None:
    with pytest.raises(Refused, match="nothing to explain"):
        _explain()
    assert not Entry.objects.filter(action=log.EXPLAIN).exists()


def test_an_explanation_explains_nothing_that_comes_later(
    chain: ServerHome, caplog: pytest.LogCaptureFixture
) -> None:
    _change_and_write_anew()
    _explain()
    assert _verdict().sound
    Entry.objects.filter(number=2).update(actor="somebody else")
    assert not _verdict().sound
    _write_anew(2)
    assert not _verdict().sound
    log.record("northwind", log.COMMAND_LINE, "recall")
    assert not _verdict().sound
    caplog.clear()


@pytest.mark.parametrize("content", ["{", "[]", '{"number": 3}', '{"number": "x", "digest": 1}', "null"])
def test_a_broken_end_in_the_data_folder_is_told_kept_and_stops_no_act(
    chain: ServerHome, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    file = chain.folder / "audit" / "northwind.json"
    file.write_text(content)
    assert not _verdict().sound
    log.record("northwind", log.COMMAND_LINE, "recall")
    log.record("northwind", log.COMMAND_LINE, "recall")
    assert any("has lost the end" in fault for fault in _verdict().faults)
    assert "cannot be read" in caplog.text
    (aside,) = file.parent.glob("northwind.*.damaged")
    assert aside.read_text() == content
    assert _explain() == 0
    assert _verdict().sound
    caplog.clear()


def test_a_data_folder_that_takes_nothing_stops_no_act(
    chain: ServerHome, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(private_files, "write", full)
        for _number in range(3):
            log.record("northwind", log.COMMAND_LINE, "publish-emergency")
        assert not Entry.objects.filter(action=log.BREAK).exists()
    assert "No space left" in caplog.text
    log.record("northwind", log.COMMAND_LINE, "recall")
    assert Entry.objects.filter(action=log.BREAK).count() == 1
    assert _explain("the disk was full") == 0
    assert _verdict().sound
    caplog.clear()


def test_an_end_of_an_older_version_may_be_some_entries_behind(chain: ServerHome) -> None:
    """It was written after the commit, and a process may have been killed in between."""
    file = chain.folder / "audit" / "northwind.json"
    for number in (10, 8):
        digest = Entry.objects.get(number=number).digest
        file.write_text(json.dumps({"number": number, "digest": digest}))
        assert _verdict().sound
    file.write_text(json.dumps({"number": 8, "digest": Entry.objects.get(number=7).digest}))
    assert not _verdict().sound
    file.write_text(json.dumps({"number": 8, "digest": Entry.objects.get(number=8).digest}))
    log.record("northwind", log.COMMAND_LINE, "recall")
    assert _verdict().sound
    assert chain_heads.kept("northwind") == chain_heads.Kept(chain_heads.Head(11, Chain.objects.get().digest))


def test_entries_of_many_at_once_queue_up(empty: ServerHome) -> None:
    def append(number: int) -> None:
        try:
            log.record("northwind", f"thread {number}", "recall")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as together:
        list(together.map(append, range(30)))
    verdict = _verdict()
    assert (verdict.sound, verdict.entries) == (True, 30)


def test_erasing_a_person_leaves_the_chain_whole_and_names_nobody(
    empty: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    bulk_data.connect(serving, person.email).get("/me")
    run_command("purge", "--yes", person.email)
    assert _verdict().sound
    columns = [" ".join(map(str, row)) for row in Entry.objects.values_list(*HASHED_COLUMNS)]
    assert not [text for text in columns if person.email in text or str(person.pk) in text]


def test_the_command_shows_exports_and_verifies(
    chain: ServerHome, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run_command("audit", "show", "--last", 1)
    assert capsys.readouterr().out.split("\t")[:4:3] == ["10", "publish"]
    file = tmp_path / "audit.csv"
    run_command("audit", "export", "-o", file)
    assert file.stat().st_mode & 0o777 == 0o600
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 11)]
    assert run_command("audit", "verify", "--expect", rows[-1]["digest"]) == 0
    assert run_command("audit", "verify", "--expect", "") == 1
    _cut_the_tail_and_its_end()
    capsys.readouterr()
    assert run_command("audit", "verify") == 1
    assert "NOT whole" in capsys.readouterr().out
    assert _explain() == 0
    assert run_command("audit", "verify") == 0
    assert "8 to 11 were lost" in capsys.readouterr().out
    caplog.clear()


def test_an_exported_log_can_be_checked_without_the_program(
    chain: ServerHome, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    run_command("audit", "export")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    for row in rows:
        claimed = row.pop("digest")
        content = row | {"number": int(row["number"]), "company": "northwind"}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(canonical.encode()).hexdigest() == claimed
    assert len(rows) == 10


def test_the_program_says_that_the_log_is_whole(chain: ServerHome) -> None:
    assert "The log is whole." in chain.succeed("audit", "verify")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_no_cell_of_a_csv_file_is_live(cell: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_text(["a"], [[cell]]), newline="")))[1:]
    begins = {"\t=1": "'\t'=1", "\r=1": "'\r'=1"}  # for some programs a cell, too
    assert row == [begins.get(cell, f"'{cell}")]
