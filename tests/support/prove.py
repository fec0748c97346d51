"""`make prove-privacy` and its siblings: try every guarantee of an area, and write `build/AREA-report.html`.

Exit codes: 0 each guarantee was tried and held, 1 one did not hold or was not tried.
"""

import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.proof_report import Making, Row, commit_of, page
from tests.support.proofs import AREAS, FINDINGS, FULL, findings, guarantees_of

ROOT = Path(__file__).resolve().parents[2]
TURNS = (("proves and alone", 1), ("proves and not alone", os.cpu_count() or 1))
"""What is tried one after the other: what measures how fast the machine is, and beside nothing else; then all the rest."""


class Outcomes:
    """A plugin of pytest that notes how the tests of each guarantee ended: the name of their file begins with its number."""

    def __init__(self, area: str) -> None:
        self.rows = {name: Row(name) for name in guarantees_of(area)}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds up the three phases of a test."""
        number = re.search(r"test_([prs])(\d+)_", report.nodeid)
        if number is None:
            return
        row = self.rows[f"{number[1].upper()}{int(number[2])}"]
        row.seconds += report.duration
        if report.failed:
            row.failed.append(report.nodeid.rpartition("::")[2])
        elif report.skipped:
            row.skipped.append(report.nodeid.rpartition("::")[2])
        elif report.when == "call":
            row.passed += 1


def main(arguments: Sequence[str]) -> int:
    """Run the proofs of the area that the first word names; further words go to pytest."""
    area, *words = arguments
    if area not in AREAS:
        sys.exit(f"Which area? One of: {', '.join(AREAS)}.")
    report = ROOT / "build" / f"{area}-report.html"
    report.parent.mkdir(exist_ok=True)
    notes = report.with_name(f"{area}-findings.jsonl")
    notes.unlink(missing_ok=True)
    os.environ[FINDINGS] = str(notes)
    os.environ.setdefault(FULL, "full")
    outcomes = Outcomes(area)
    commit, started = commit_of(ROOT), time.monotonic()
    codes = {
        pytest.main(
            ["-q", "-m", which, "-n", str(processes), "--dist", "loadfile", *(words or [f"tests/{area}"])],
            plugins=[outcomes],
        )
        for which, processes in TURNS
    }
    for finding in findings(notes):
        outcomes.rows[finding.guarantee].findings.append(finding)
    rows = list(outcomes.rows.values())
    is_full = os.environ[FULL] == "full"
    making = Making(commit, is_full, time.monotonic() - started, tuple(words), os.getloadavg()[0])
    report.write_text(page(area, rows, making), encoding="utf-8")
    for row in rows:
        print(f"{row.guarantee:<4} {row.verdict:<10} {row.seconds:>6.0f} s  {row.figures()}")
    print(f"\n{making.sentences()}\n{report}")
    is_sound = codes <= {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    return 0 if is_sound and all(row.verdict == "held" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
