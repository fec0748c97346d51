"""`make prove-privacy`: try every guarantee of docs/privacy.md at its full count, and write `build/privacy-report.html`.

Exit codes: 0 each guarantee was tried and held, 1 one did not hold or was not tried.
"""

import os
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
    """A plugin of pytest that notes which guarantee each test was about and how the test ended."""

    def __init__(self) -> None:
        self._guarantees: dict[str, str] = {}
        self.rows = {name: Row(name) for name in GUARANTEES}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only tests that prove a guarantee run, wherever they lie."""
        proving = [item for item in items if item.get_closest_marker("proves")]
        for item in proving:
            mark = item.get_closest_marker("proves")
            assert mark is not None
            self._guarantees[item.nodeid] = mark.args[0]
        items[:] = proving

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds up the three phases of a test."""
        row = self.rows[self._guarantees[report.nodeid]]
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
    code = pytest.main(["-q", "-m", "proves", *(arguments or ["tests"])], plugins=[outcomes])
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
