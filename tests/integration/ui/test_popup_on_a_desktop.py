"""The pop-up on an X11 desktop, with and without a compositing manager."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.desktop.screen import Window
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.waiting import PATIENCE_S, until
from ui.popup.widgets.card import WIDTH
from ui.popup.widgets.frame import SHADOW_MARGIN

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (sys.executable, "-m", "tests.support.ui.show_popup")
ASK_FOR_COMPOSITOR = """
from PySide6.QtGui import QGuiApplication
from ui.widgets.compositing import translucent_windows
application = QGuiApplication([])
print(translucent_windows())
"""
Pixel = tuple[int, int, int]


@pytest.fixture
def desktop() -> Iterator[VirtualDesktop]:
    with VirtualDesktop() as running:
        yield running


def popup(desktop: VirtualDesktop) -> Window:
    """The pop-up, when it stands still."""
    desktop.start(PROGRAM, "popup", {"PYTHONPATH": str(ROOT)})
    desktop.screen.window(title="^Tidings$")
    last: list[Window] = []

    def stands_still() -> Window | None:
        now = desktop.screen.window(title="^Tidings$")
        before = last.pop() if last else None
        last.append(now)
        return now if before is not None and before.box == now.box else None

    return until(stands_still, "the pop-up to stand still")


def pixel(image: Image.Image, x: int, y: int) -> Pixel:
    red, green, blue = image.crop((x, y, x + 1, y + 1)).tobytes()
    return red, green, blue


@pytest.fixture
def blending_desktop() -> Iterator[VirtualDesktop]:
    """One with a compositor from its start: a second window manager in place of the first leaves a gap without one."""
    with VirtualDesktop(DesktopOptions(compositor=True)) as running:
        wait_for_compositor(running)
        yield running


def wait_for_compositor(desktop: VirtualDesktop) -> None:
    ask = (sys.executable, "-c", ASK_FOR_COMPOSITOR)

    def blends() -> bool:
        answer = subprocess.run(
            ask, env=desktop.env, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S
        )
        return answer.stdout.strip() == "True"

    until(blends, "the compositor")


def test_without_a_compositor_the_corners_show_what_is_behind(desktop: VirtualDesktop) -> None:
    before = desktop.screen.image()
    card = popup(desktop)
    assert card.width == WIDTH
    shown = desktop.screen.image()
    left, top, right, bottom = card.box
    for x, y in ((left, top), (right - 1, top), (left, bottom - 1), (right - 1, bottom - 1)):
        assert pixel(shown, x, y) == pixel(before, x, y)
    assert pixel(shown, left + 12, top + 12) == (255, 255, 255)


def test_with_a_compositor_the_card_has_a_shadow_that_lets_the_desktop_through(
    blending_desktop: VirtualDesktop,
) -> None:
    before = blending_desktop.screen.image()
    card = popup(blending_desktop)
    assert card.width == WIDTH + 2 * SHADOW_MARGIN
    shown = blending_desktop.screen.image()
    beside = card.x + SHADOW_MARGIN - 4, card.y + card.height // 2
    assert (0, 0, 0) < pixel(shown, *beside) < pixel(before, *beside)


def test_choosing_later_needs_no_menu_that_would_take_the_keyboard(desktop: VirtualDesktop) -> None:
    card = popup(desktop)
    active = desktop.screen.active_window()
    before = desktop.screen.image(card.box)
    desktop.screen.click(card.x + card.width - 62, card.y + 26)
    until(lambda: desktop.screen.changed(before, card.box), "the choices to open")
    assert desktop.screen.active_window() == active
    assert len(desktop.screen.windows(title="^Tidings$")) == 1
