"""Which lines and branches the tests of five rooms reach: `python -m tests.support.coverage_floors`, `make coverage`.

These five decide what leaves a computer and what is told of people. Further words go to pytest. Exit code 1 if a test fails,
or if a room is below its floor, which is one point under what was measured when it was set.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {
    "agent/consent": 90,
    "agent/outbox": 93,
    "server/feedback": 69,
    "server/signals": 93,
    "server/reports": 97,
}
"""Percent of lines and branches together. What runs in workers of a server only (`api.py`) is not seen: they are killed."""

TESTS = (
    "tests/unit/agent/test_consent_rules.py",
    "tests/unit/server/test_report_sets.py",
    *(
        f"tests/integration/agent/test_{name}.py"
        for name in (
            "acknowledging",
            "another_login",
            "computers_machine",
            "consent_record",
            "damaged_outbox",
            "device_policy",
            "ledger",
            "outbox",
            "outbox_machine",
            "outbox_refusals",
            "runtime_signals",
            "unreadable_store",
            "withdrawal",
        )
    ),
    *(
        f"tests/integration/server/test_{name}.py"
        for name in (
            "consents",
            "growth",
            "housekeeping",
            "purge",
            "report_command",
            "reports",
            "signals",
            "snapshots",
            "tallies",
        )
    ),
    "tests/privacy/test_p11_late_events.py",
    "tests/privacy/test_p13_erasures.py",
    "tests/privacy/test_p13_figures_of_five_or_more.py",
)


def main(arguments: Sequence[str]) -> int:
    """Run the tests, print the table, and say which floors do not hold."""
    measured = coverage.Coverage()
    measured.erase()
    command = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        "-m",
        "pytest",
        "-n",
        str((os.cpu_count() or 1) + 1),
        "--dist",
        "loadfile",
    ]
    failed = subprocess.call([*command, *TESTS, *arguments], cwd=ROOT)
    measured.combine()
    below = []
    for room, floor in FLOORS.items():
        print(f"\n── {room}, at least {floor} %", flush=True)
        reached = measured.report(include=[f"{room}/*"], show_missing=True)
        if reached < floor:
            below.append(f"{room}: {reached:.1f} % is below {floor} %")
    print("\n".join(["", *below]) if below else "\nEvery floor holds.")
    return 1 if failed or below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
