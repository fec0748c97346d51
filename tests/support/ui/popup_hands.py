"""A mouse for the pop-ups of `many_popups`, and what that program told."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.agent.processes import ROOT
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.waiting import PATIENCE_S, until

LAST_GONE_S = 10 * PATIENCE_S


def with_pop_ups(
    desktop: VirtualDesktop,
    store: Path,
    count: int,
    *words: str,
    before_click: Callable[[], None] = lambda: None,
) -> str:
    """Lets so many come and go, and clicks where their program wants it. Gives what that told.

    Args:
        desktop: that they are on.
        store: folder for the agent.
        count: of the pop-ups.
        words: more for the program.
        before_click: called while a pop-up waits for a click, before each.
    """
    command = [sys.executable, "-m", "tests.support.ui.many_popups", str(store), str(count), *words]
    program = desktop.start(command, "popups", {"PYTHONPATH": str(ROOT)})
    done = 0

    def ended_after_all_clicks() -> bool:
        nonlocal done
        running = program.running
        wanted = re.findall(r"^(click|wheel) (\d+) (\d+)\n", program.output(), re.MULTILINE)
        for what, x, y in wanted[done:]:
            if what == "click":
                before_click()
                desktop.screen.click(int(x), int(y))
            else:
                desktop.screen.move(int(x), int(y))
                desktop.screen.scroll(1)
        done = len(wanted)
        return not running

    until(ended_after_all_clicks, "the last pop-up to go", LAST_GONE_S, every=0.02)
    assert program.exit_code == 0, program.output()
    return program.output()


def shown(told: str) -> list[tuple[str, list[str]]]:
    """Each pop-up that was on the screen: what was done with it, and the campaigns that it named."""
    found = re.findall(r"^shown ([^:]+): (.+)$", told, re.MULTILINE)
    return [(kind, campaigns.split()) for kind, campaigns in found]
