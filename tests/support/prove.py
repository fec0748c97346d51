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

from tests.support.proof_report import Row, page
from tests.support.proofs import AREAS, FINDINGS, FULL, findings, guarantees_of

ROOT = Path(__file__).resolve().parents[2]


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
    started = time.monotonic()
    options = ["-q", "-m", "proves", "-n", str(os.cpu_count() or 1), "--dist", "loadfile"]
    code = pytest.main([*options, *(words or [f"tests/{area}"])], plugins=[outcomes])
    for finding in findings(notes):
        outcomes.rows[finding.guarantee].findings.append(finding)
    rows = list(outcomes.rows.values())
    report.write_text(page(area, rows, time.monotonic() - started), encoding="utf-8")
    for row in rows:
        print(f"{row.guarantee:<4} {row.verdict:<10} {row.figures()}")
    print(f"\n{report}")
    return 0 if code == pytest.ExitCode.OK and all(row.verdict == "held" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
