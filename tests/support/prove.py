"""`make prove-privacy` and its siblings: try every guarantee of an area, and write `build/AREA-report.html`.

Where files are named, they alone run, whole, and the report goes on from those that ran before of the same commit.

Exit codes: 0 each guarantee was tried and held, 1 one did not hold or was not tried.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import proof_parts
from tests.support.proof_parts import Part, Parts
from tests.support.proof_report import CHANGED, Making, commit_of, page
from tests.support.proofs import AREAS, FINDINGS, FULL, findings

ROOT = Path(__file__).resolve().parents[2]
TURNS = (("proves and alone", 1), ("proves and not alone", os.cpu_count() or 1))
"""What is tried one after the other: what measures how fast the machine is, and beside nothing else; then all the rest."""

ENDED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}


class Outcomes:
    """A plugin of pytest that notes how the tests of each file ended."""

    def __init__(self) -> None:
        self.parts: Parts = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds up the three phases of a test."""
        file, _, name = report.nodeid.partition("::")
        part = self.parts.setdefault(file, Part())
        part.seconds += report.duration
        if report.failed:
            part.failed.append(name)
        elif report.skipped:
            part.skipped.append(name)
        elif report.when == "call":
            part.passed += 1


def main(arguments: Sequence[str]) -> int:
    """Run the proofs of the area that the first word names; further words are files, of which alone those run."""
    area, *words = arguments
    if area not in AREAS:
        sys.exit(f"Which area? One of: {', '.join(AREAS)}.")
    if strange := [word for word in words if not (ROOT / word).is_file()]:
        sys.exit(f"Name files of tests/{area}: {strange[0]} is none.")
    report = ROOT / "build" / f"{area}-report.html"
    report.parent.mkdir(exist_ok=True)
    notes = report.with_name(f"{area}-findings.jsonl")
    notes.unlink(missing_ok=True)
    os.environ[FINDINGS] = str(notes)
    os.environ.setdefault(FULL, "full")
    outcomes = Outcomes()
    commit, started = commit_of(ROOT), time.monotonic()
    codes = {
        pytest.main(
            ["-q", "-m", which, "-n", str(processes), "--dist", "loadfile", *(words or [f"tests/{area}"])],
            plugins=[outcomes],
        )
        for which, processes in TURNS
    }
    for finding in findings(notes):
        outcomes.parts.setdefault(finding.file, Part()).findings.append(finding)
    is_full, has_ended = os.environ[FULL] == "full", codes <= ENDED
    kept, before = report.with_name(f"{area}-parts.json"), Parts()
    if words and is_full:
        before = proof_parts.kept(kept, commit)
    parts = before | outcomes.parts
    if is_full and has_ended and not commit.endswith(CHANGED):
        proof_parts.keep(kept, commit, parts)
    files = [str(file.relative_to(ROOT)) for file in (ROOT / "tests" / area).glob("test_*.py")]
    rows = proof_parts.rows(area, parts, files)
    making = Making(commit, is_full, time.monotonic() - started, os.getloadavg()[0])
    report.write_text(page(area, rows, making), encoding="utf-8")
    for row in rows:
        print(f"{row.guarantee:<4} {row.verdict:<10} {row.seconds:>6.0f} s  {row.figures()}")
    print(f"\n{making.sentences()}\n{report}")
    return 0 if has_ended and all(row.verdict == "held" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
