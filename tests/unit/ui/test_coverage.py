"""How much of a window lies open, by the rectangles on the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.desktop.coverage import open_share
from ui.desktop.xcb import Box

SCREEN = Box(0, 0, 40, 30)


@pytest.mark.parametrize(
    ("box", "monitors", "covers", "share"),
    [
        (Box(0, 0, 10, 10), [SCREEN], [], 1.0),
        (Box(-5, 0, 10, 10), [SCREEN], [], 0.5),
        (Box(0, 0, 10, 10), [SCREEN, SCREEN], [], 1.0),
        (Box(35, 0, 10, 10), [SCREEN, Box(40, 0, 40, 30)], [], 1.0),
        (Box(0, 0, 10, 10), [SCREEN], [Box(0, 0, 5, 10), Box(3, 0, 5, 10)], 0.2),
        (Box(0, 0, 10, 10), [SCREEN], [Box(2, 2, 4, 4)], 0.84),
        (Box(0, 0, 10, 10), [], [], 0.0),
        (Box(0, 0, 0, 10), [SCREEN], [], 0.0),
    ],
)
def test_the_open_part_is_on_a_monitor_and_beneath_nothing(
    box: Box, monitors: list[Box], covers: list[Box], share: float
) -> None:
    assert open_share(box, monitors, covers) == pytest.approx(share)


BOXES = st.builds(Box, st.integers(-5, 12), st.integers(-5, 12), st.integers(0, 12), st.integers(0, 12))


@given(
    st.builds(Box, st.integers(-5, 12), st.integers(-5, 12), st.integers(1, 12), st.integers(1, 12)),
    st.lists(BOXES, max_size=3),
    st.lists(BOXES, max_size=4),
)
def test_it_is_what_counting_pixels_gives(box: Box, monitors: list[Box], covers: list[Box]) -> None:
    def holds(any_of: list[Box], x: int, y: int) -> bool:
        return any(one.x <= x < one.x + one.width and one.y <= y < one.y + one.height for one in any_of)

    pixels = [(x, y) for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)]
    seen = [pixel for pixel in pixels if holds(monitors, *pixel) and not holds(covers, *pixel)]
    assert open_share(box, monitors, covers) == pytest.approx(len(seen) / len(pixels))
