"""The report of the privacy proofs: it must not say that something holds which nobody tried."""

import re
from html import escape
from pathlib import Path

from tests.privacy.report import Row, page
from tests.support.proofs import GUARANTEES, Finding

FOUND = Finding("P5", "events <stored>", "0", 1_000)


def test_a_guarantee_that_no_test_tried_is_not_said_to_hold() -> None:
    assert Row("P5").verdict == "not shown"


def test_a_guarantee_whose_test_counted_nothing_is_not_said_to_hold() -> None:
    assert Row("P5", passed=1).verdict == "not shown"


def test_one_failed_test_is_enough_to_fail_a_guarantee() -> None:
    assert Row("P5", passed=9, failed=["test_it"], findings=[FOUND]).verdict == "failed"


def test_the_report_has_a_line_for_each_guarantee_with_its_figure() -> None:
    report = page([Row(name, passed=1, findings=[FOUND]) for name in GUARANTEES], 60)
    for name, (statement, _target) in GUARANTEES.items():
        assert f"<td>{name}</td><td>{escape(statement)}</td>" in report
    assert report.count("events &lt;stored&gt;: <b>0</b> of 1,000") == len(GUARANTEES)
    assert f"{len(GUARANTEES)} of {len(GUARANTEES)} guarantees held" in report


def test_every_guarantee_has_a_test_that_proves_it() -> None:
    sources = (Path(__file__).parents[1] / "privacy").glob("test_p*.py")
    proved = {name for source in sources for name in re.findall(r'proves\("(P\d+)"\)', source.read_text())}
    assert proved == GUARANTEES.keys()
