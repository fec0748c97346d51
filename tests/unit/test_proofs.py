"""The reports of the proofs: it must not say that something holds which nobody tried."""

import re
import subprocess
from html import escape
from pathlib import Path

import pytest

from tests.support.proof_parts import Part, keep, kept, rows
from tests.support.proof_report import Making, Row, commit_of, page
from tests.support.proofs import AREAS, FINDINGS, GUARANTEES, Finding, findings, guarantees_of, proof

__all__ = ["proof"]

FOUND = Finding("P5", "events <stored>", "0", 1_000)
FULL = Making("commit 1234abcd", True, 60)


def test_a_guarantee_that_no_test_tried_is_not_said_to_hold() -> None:
    assert Row("P5").verdict == "not shown"


def test_a_guarantee_whose_test_counted_nothing_is_not_said_to_hold() -> None:
    assert Row("P5", passed=1).verdict == "not shown"


def test_one_failed_test_is_enough_to_fail_a_guarantee() -> None:
    assert Row("P5", passed=9, failed=["test_it"], findings=[FOUND]).verdict == "failed"


def test_a_guarantee_of_which_a_part_could_not_be_tried_is_not_said_to_hold() -> None:
    assert Row("P5", passed=9, skipped=["test_it"], findings=[FOUND]).verdict == "not shown"


FILES = ["tests/privacy/test_p13_one.py", "tests/privacy/test_p13_two.py", "tests/privacy/test_p05_it.py"]


def test_a_guarantee_is_put_together_of_its_files_and_lacks_those_that_did_not_run(tmp_path: Path) -> None:
    ran = Part(passed=1, findings=[FOUND], seconds=2)
    half = {row.guarantee: row for row in rows("privacy", {FILES[0]: ran, FILES[2]: ran}, FILES)}
    assert (half["P5"].verdict, half["P13"].verdict, half["P1"].verdict) == ("held", "not shown", "not shown")
    assert "did not run: tests/privacy/test_p13_two.py" in page("privacy", list(half.values()), FULL)
    whole = {row.guarantee: row for row in rows("privacy", dict.fromkeys(FILES, ran), FILES)}
    assert (whole["P13"].verdict, whole["P13"].passed, whole["P13"].seconds) == ("held", 2, 4)


def test_parts_are_gone_on_with_of_the_same_commit_only(tmp_path: Path) -> None:
    parts = {FILES[0]: Part(passed=1, failed=["test_it"], findings=[FOUND], seconds=2)}
    keep(tmp_path / "parts", "commit 1234abcd", parts)
    assert kept(tmp_path / "parts", "commit 1234abcd") == parts
    assert kept(tmp_path / "parts", "commit 5678abcd") == {}
    assert kept(tmp_path / "none", "commit 1234abcd") == {}


def test_a_report_says_of_which_code_and_at_which_counts_it_was_made() -> None:
    whole, some = (
        page("privacy", [Row("P5", passed=1, findings=[FOUND])], making)
        for making in (FULL, Making("commit 1234abcd", False, 60))
    )
    assert "commit 1234abcd" in whole
    assert "at the full counts" in whole
    assert "no proof at the full counts" in some


@pytest.mark.parametrize("home", ["postgresql"])
def test_a_finding_says_on_which_database_it_was_made(
    home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert home
    request.node.add_marker(pytest.mark.proves("P5"))
    monkeypatch.setenv(FINDINGS, str(tmp_path / "findings"))
    request.getfixturevalue("proof").found("events", 0, 7)
    (found,) = findings(tmp_path / "findings")
    assert found.subject == "events (PostgreSQL)"


def test_code_that_was_changed_is_not_said_to_be_its_commit(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        own = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *own, *words], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    assert commit_of(tmp_path) == "code of no known commit"
    git("init", "--quiet")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "--quiet", "-m", "One")
    commit = git("rev-parse", "HEAD")
    assert commit_of(tmp_path) == f"commit {commit}"
    (tmp_path / "file").write_text("two")
    assert commit_of(tmp_path) == f"commit {commit} with changes"


@pytest.mark.parametrize("area", AREAS)
def test_the_report_has_a_line_for_each_guarantee_with_its_figure(area: str) -> None:
    names = guarantees_of(area)
    report = page(area, [Row(name, passed=1, findings=[FOUND]) for name in names], FULL)
    for name in names:
        assert f"<td>{name}</td><td>{escape(GUARANTEES[name][0])}</td>" in report
    assert report.count("events &lt;stored&gt;: <b>0</b> of 1,000") == len(names)
    assert f"{len(names)} of {len(names)} guarantees held" in report


@pytest.mark.parametrize("area", AREAS)
def test_every_guarantee_has_a_test_that_proves_it(area: str) -> None:
    letter = AREAS[area]
    sources = (Path(__file__).parents[1] / area).glob(f"test_{letter.lower()}*.py")
    proved = {
        name for source in sources for name in re.findall(rf'proves\("({letter}\d+)"\)', source.read_text())
    }
    assert proved == set(guarantees_of(area))
