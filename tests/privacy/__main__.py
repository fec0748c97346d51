"""`make prove-privacy`: try every guarantee of docs/privacy.md at its full count, and write `build/privacy-report.html`.

Exit codes: 0 each guarantee was tried and held, 1 one did not hold or was not tried.
"""

import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.privacy.report import Row, page
from tests.support.proofs import FINDINGS, FULL, GUARANTEES, findings

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "build" / "privacy-report.html"


class Outcomes:
    """A plugin of pytest that notes how the tests of each guarantee ended: the name of their file begins with its number."""

    def __init__(self) -> None:
        self.rows = {name: Row(name) for name in GUARANTEES}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds up the three phases of a test."""
        number = re.search(r"test_p(\d+)_", report.nodeid)
        if number is None:
            return
        row = self.rows[f"P{int(number[1])}"]
        row.seconds += report.duration
        if report.failed:
            row.failed.append(report.nodeid.rpartition("::")[2])
        elif report.skipped:
            row.skipped.append(report.nodeid.rpartition("::")[2])
        elif report.when == "call":
            row.passed += 1


def main(arguments: Sequence[str]) -> int:
    """Run the proofs; further words go to pytest."""
    REPORT.parent.mkdir(exist_ok=True)
    notes = REPORT.with_name("privacy-findings.jsonl")
    notes.unlink(missing_ok=True)
    os.environ[FINDINGS] = str(notes)
    os.environ.setdefault(FULL, "full")
    outcomes = Outcomes()
    started = time.monotonic()
    options = ["-q", "-m", "proves", "-n", str(os.cpu_count() or 1), "--dist", "loadfile"]
    code = pytest.main([*options, *(arguments or ["tests/privacy"])], plugins=[outcomes])
    for finding in findings(notes):
        outcomes.rows[finding.guarantee].findings.append(finding)
    rows = list(outcomes.rows.values())
    REPORT.write_text(page(rows, time.monotonic() - started), encoding="utf-8")
    for row in rows:
        print(f"{row.guarantee:<4} {row.verdict:<10} {row.figures()}")
    print(f"\n{REPORT}")
    return 0 if code == pytest.ExitCode.OK and all(row.verdict == "held" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
