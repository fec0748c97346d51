"""The reports of the proofs: it must not say that something holds which nobody tried."""

import re
from html import escape
from pathlib import Path

import pytest

from tests.support.proof_report import Row, page
from tests.support.proofs import AREAS, GUARANTEES, Finding, guarantees_of

FOUND = Finding("P5", "events <stored>", "0", 1_000)


def test_a_guarantee_that_no_test_tried_is_not_said_to_hold() -> None:
    assert Row("P5").verdict == "not shown"


def test_a_guarantee_whose_test_counted_nothing_is_not_said_to_hold() -> None:
    assert Row("P5", passed=1).verdict == "not shown"


def test_one_failed_test_is_enough_to_fail_a_guarantee() -> None:
    assert Row("P5", passed=9, failed=["test_it"], findings=[FOUND]).verdict == "failed"


@pytest.mark.parametrize("area", AREAS)
def test_the_report_has_a_line_for_each_guarantee_with_its_figure(area: str) -> None:
    names = guarantees_of(area)
    report = page(area, [Row(name, passed=1, findings=[FOUND]) for name in names], 60)
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
