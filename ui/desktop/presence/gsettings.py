"""Do-not-disturb of the desktops that keep it in gsettings: GNOME, MATE, Cinnamon."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess

from agent.domain.model import Tristate

log = logging.getLogger(__name__)

TIMEOUT_S = 0.4

_KEYS = {
    "GNOME": ("org.gnome.desktop.notifications", "show-banners", "false"),
    "MATE": ("org.mate.NotificationDaemon", "do-not-disturb", "true"),
    "X-Cinnamon": ("org.cinnamon.desktop.notifications", "display-notifications", "false"),
}
"""By the name in XDG_CURRENT_DESKTOP: the schema, its key, and the value with which the person is left alone."""


def gsettings_do_not_disturb() -> Tristate:
    """Unknown on other desktops, whose settings would be somebody else's defaults."""
    desktops = os.environ.get("XDG_CURRENT_DESKTOP", "").split(":")
    asked = next((_KEYS[name] for name in desktops if name in _KEYS), None)
    tool = shutil.which("gsettings") if asked else None
    if asked is None or tool is None:
        return Tristate.UNKNOWN
    schema, key, quiet = asked
    try:
        done = subprocess.run(
            [tool, "get", schema, key], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("gsettings: %s", error)
        return Tristate.UNKNOWN
    value = done.stdout.strip()
    if value not in ("true", "false"):
        return Tristate.UNKNOWN
    return Tristate.YES if value == quiet else Tristate.NO
