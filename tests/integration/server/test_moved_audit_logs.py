"""The audit log of a company that moves: nothing is lost on the way, nothing is hidden, and an edited one does not arrive."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from server.archives.archive import LOG_END
from server.archives.closing import close_company
from server.archives.exporting import export_company
from server.audit import chain_heads, log
from server.audit.models import Chain, Entry
from server.audit.verifying import verify
from server.core.errors import Refused
from server.directory.models import Company
from server.recovery.arrival import bring_in
from tests.integration.server.test_company_archives import Files, _repacked
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.run_command import run_command

ENTRIES = "rows/audit.entry.jsonl"
Change = Callable[[Files], None]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    made = ServerHome(tmp_path_factory.mktemp("server"))
    made.init()
    return made


@pytest.fixture
def northwind(home: ServerHome, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Path]:
    """A company whose log has a few entries; where its archive is to be. It moves within one server."""
    with home.opened():
        Entry.objects.all().delete()
        Chain.objects.all().delete()
        chain_heads.forget("northwind")
        for number in range(4):
            log.record("northwind", log.COMMAND_LINE, "publish", detail={"campaign": f"c-{number}"})
        yield tmp_path / "northwind.zip"
        if not Company.objects.exists():
            bring_in(tmp_path / "whole.zip")
    caplog.clear()


def _moved(archive: Path, change: Change = lambda _files: None) -> list[str]:
    """Take the company out, close it, and bring it in, as it was or edited. Answers what is told of its log."""
    whole = archive.with_name("whole.zip")
    whole.unlink(missing_ok=True)
    export_company(Company.objects.get(), whole)
    close_company(Company.objects.get())
    return bring_in(_repacked(whole, archive, change)).faults


def _refused(archive: Path, change: Change) -> str:
    with pytest.raises(Refused) as refused:
        _moved(archive, change)
    assert not Company.objects.exists()
    assert chain_heads.kept("northwind") is None
    return f"{refused.value.title} {refused.value.message}"


def _edit_entry(index: int, **values: Any) -> Change:
    def change(files: Files) -> None:
        rows = [json.loads(line) for line in files[ENTRIES].splitlines()]
        rows[index] |= values
        files[ENTRIES] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    return change


def _without_entry(index: int) -> Change:
    def change(files: Files) -> None:
        lines = files[ENTRIES].splitlines(keepends=True)
        files[ENTRIES] = b"".join(lines[:index] + lines[index + 1 :] if index >= 0 else lines[:index])

    return change


def _edit_end(change: Callable[[dict[str, Any]], object]) -> Change:
    def edit(files: Files) -> None:
        fields = json.loads(files[LOG_END])
        change(fields)
        files[LOG_END] = json.dumps(fields).encode()

    return edit


def _rewrite() -> None:
    """As somebody can who may write the database."""
    entries = list(Entry.objects.order_by("number"))
    entries[1].actor = f"somebody {uuid4()}"
    before = ""
    for entry in entries:
        entry.previous, before = before, ""
        entry.digest = before = log.digest(entry)
        entry.save()
    Chain.objects.update(number=entries[-1].number, digest=entries[-1].digest)


def _explain() -> None:
    run_command("audit", "explain", "--by", "head of IT", "--reason", "a disk was at fault")


def test_a_whole_log_arrives_whole_and_goes_on(northwind: Path) -> None:
    before = list(Entry.objects.order_by("number").values_list("number", "digest"))
    assert _moved(northwind) == []
    after = list(Entry.objects.order_by("number").values_list("number", "digest"))
    assert after[: len(before)] == before
    assert Entry.objects.latest("number").action == "company-import"
    assert verify(bulk_data.company(), before[-1][1]).sound


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_edit_entry(1, actor="nobody"), "Entry 2 was changed"),
        (_edit_entry(1, detail="{}"), "Entry 2 was changed"),
        (_edit_entry(2, subject="ab" * 32), "Entry 3 was changed"),
        (_edit_entry(2, digest="ab" * 32), "Entry 3 was changed"),
        (_without_entry(1), "Missing: the entries from 2 to 2"),
        (_without_entry(0), "Missing"),
        (_without_entry(-1), "noted"),
        (lambda files: files.update({ENTRIES: b""}), "noted"),
        (lambda files: files.update({"rows/audit.chain.jsonl": b""}), "has noted 0"),
        (_edit_end(lambda fields: fields["log"].update(number=2)), "another end"),
        (_edit_end(lambda fields: fields["log"].update(digest="ab" * 32)), "another end"),
        (_edit_end(lambda fields: fields.update(more=1)), LOG_END),
        (_edit_end(lambda fields: fields["log"].update(breaks=[{}])), LOG_END),
        (lambda files: files.update({LOG_END: b"[" * 100_000}), LOG_END),
    ],
)
def test_a_log_that_was_edited_on_its_way_is_refused(northwind: Path, change: Change, said: str) -> None:
    message = _refused(northwind, change)
    assert said in message
    assert "Nothing was imported" in message


def test_an_explanation_that_nobody_gave_is_refused(northwind: Path) -> None:
    said = {"time": "2026-11-26T12:00:00Z", "by": "me", "reason": "nothing", "entry": 2, "faults": ["x"]}
    change = _edit_end(lambda fields: fields["log"]["explanations"].append(said))
    assert "does not say what is explained" in _refused(northwind, change)


def test_a_break_that_nobody_explained_is_told_by_the_export_and_after_the_import(
    northwind: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    _rewrite()
    run_command("company", "export", northwind.with_name("told.zip"))
    assert "The audit log is NOT whole" in capsys.readouterr().err
    close_company(Company.objects.get())
    run_command("company", "import", northwind.with_name("told.zip"))
    assert "The audit log is NOT whole" in capsys.readouterr().err
    assert any("written anew" in fault for fault in verify(bulk_data.company()).faults)
    assert run_command("audit", "verify") == 1
    _explain()
    assert run_command("audit", "verify") == 0
    caplog.clear()


def test_a_break_on_record_and_its_explanation_arrive(
    northwind: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _rewrite()
    log.record("northwind", log.COMMAND_LINE, "recall")
    told = _moved(northwind)
    assert any("written anew" in fault for fault in told)
    _explain()
    assert _moved(northwind.with_name("explained.zip")) == []
    kept = chain_heads.kept("northwind")
    assert kept is not None
    assert len(kept.breaks) == 1
    assert kept.explanations[0].reason == "a disk was at fault"
    assert any("a disk was at fault" in note for note in verify(bulk_data.company()).notes)
    caplog.clear()


def test_who_takes_a_break_out_of_the_archive_does_not_hide_it(
    northwind: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _rewrite()
    log.record("northwind", log.COMMAND_LINE, "recall")
    _explain()

    def hide(fields: dict[str, Any]) -> None:
        fields["log"]["breaks"] = fields["log"]["explanations"] = []
        fields["faults"] = []

    assert "written anew" in _refused(northwind, _edit_end(hide))
    caplog.clear()


def test_an_archive_of_an_older_version_is_taken_and_what_is_wrong_with_its_log_is_told(
    northwind: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def older(files: Files) -> None:
        del files[LOG_END]
        del files["keys/replaced.jwks.json"]

    assert _moved(northwind, older) == []

    def changed(files: Files) -> None:
        older(files)
        _edit_entry(1, actor="nobody")(files)

    assert any("Entry 2 was changed" in fault for fault in _moved(northwind, changed))
    assert run_command("audit", "verify") == 1
    _explain()
    caplog.clear()


def test_a_lost_end_of_the_log_is_carried_as_a_break(
    northwind: Path, home: ServerHome, caplog: pytest.LogCaptureFixture
) -> None:
    (home.folder / "audit" / "northwind.json").write_text("{")
    assert any("has lost the end" in fault for fault in _moved(northwind))
    assert run_command("audit", "verify") == 1
    _explain()
    caplog.clear()
