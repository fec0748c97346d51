"""What ``tidings doctor`` looks for where there are windows: screen, tray and videos."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import cache

import msgspec

from agent.cli.doctor import Check
from agent.domain import errors
from agent.domain.msgspec_warmup import decode_json
from agent.system import subprocesses
from resources.i18n import _
from ui.desktop.probe import Desktop

PROBE_TIMEOUT_S = 20


def checks() -> Iterator[Callable[[], Check]]:
    """One after the other; the desktop is asked once."""
    yield tray
    yield video


@cache
def _desktop() -> Desktop | None:
    """None where no window can be shown."""
    try:
        return decode_json(subprocesses.ask("desktop", b"", timeout_s=PROBE_TIMEOUT_S), Desktop)
    except (errors.EnvironmentFault, subprocess.TimeoutExpired, msgspec.DecodeError):
        return None


def tray() -> Check:
    """Whether the desktop has a tray."""
    desktop = _desktop()
    if desktop is None:
        return Check("tray", "warning", _("There is no screen in this session"))
    if not desktop.tray:
        return Check("tray", "warning", _("This desktop has no tray: the inbox opens as a window instead"))
    return Check("tray", "ok", _("The desktop has a tray ({platform})").format(platform=desktop.platform))


def video() -> Check:
    """Whether the player's decoders load."""
    desktop = _desktop()
    if desktop is None:
        return Check("video", "warning", _("Videos cannot be tried without a screen"))
    if not desktop.player:
        return Check("video", "fault", _("The video player's decoders cannot be loaded"))
    return Check("video", "ok", _("The video player has its decoders"))
