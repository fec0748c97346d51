"""Runs the tests; the few that failed beside others are tried again alone, and named whatever comes of it (ADR 43)."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest

OUTSIDE = ("e2e", "integration")
"""Folders of tests whose desktops, browsers and servers are programs that are not ours."""

MOST = 3
"""More that failed are no accident."""

TRIES = 3
"""How often each has to pass alone: what fails every second time is found seven times of eight."""


class _Failures:
    """Which tests failed, and whether all of them may be tried again."""

    def __init__(self) -> None:
        self.tests: dict[str, bool] = {}
        self.is_whole = False
        """Whether every test ran, and nothing failed that was not seen here."""
        self._reports = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps one that failed; a worker that died is no test that may be tried again."""
        if report.failed:
            self._reports += 1
            may = report.when in {"setup", "call", "teardown"} and _may_be_tried_again(report)
            self.tests[report.nodeid] = self.tests.get(report.nodeid, True) and may

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported is no test that may be tried again."""
        if report.failed:
            self._reports += 1
            self.tests[report.nodeid] = False

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Whoever stopped early (`-x`) has not run all tests."""
        stopped = session.shouldfail or session.shouldstop
        self.is_whole = not stopped and session.testsfailed == self._reports

    @property
    def may_be_tried_again(self) -> bool:
        """Few failed, and all of them may."""
        return self.is_whole and len(self.tests) <= MOST and all(self.tests.values())


def _may_be_tried_again(report: pytest.TestReport) -> bool:
    folder, *_ = PurePosixPath(report.nodeid).parts[1:]
    return folder in OUTSIDE and "proves" not in report.keywords


def main(arguments: Sequence[str]) -> int:
    """Runs pytest with these arguments; 0 if all passed, be it alone."""
    failures = _Failures()
    code = pytest.main(list(arguments), [failures])
    names = list(failures.tests)
    if code != pytest.ExitCode.TESTS_FAILED or not failures.may_be_tried_again:
        return int(code)
    print(f"\n===== failed beside others; each has to pass {TRIES} times alone =====", flush=True)
    for _ in range(TRIES):
        if subprocess.run([sys.executable, "-m", "pytest", *names], check=False).returncode:
            return int(code)
    print("\nUNSTEADY, to be mended (why they failed is above):", *names, sep="\n  ", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
