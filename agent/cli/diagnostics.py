"""What a person may hand to their administrator: versions, kinds and states, made of known words and numbers only. Pure.

Nothing is taken over that somebody wrote (a name, an address, a title, a path), so that nothing has to be struck out.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from agent import __version__
from agent.domain.model import Status
from agent.domain.preferences import Preferences

_DESKTOPS = ("gnome", "kde", "xfce", "mate", "cinnamon", "lxqt", "lxde", "sway", "budgie", "unity")
_SESSIONS = ("x11", "wayland", "tty")
_PLATFORMS = ("xcb", "wayland", "offscreen", "windows", "cocoa")
_CODE = re.compile(r"[A-Z][A-Za-z]{2,40}")
"""Troubles are known by the name of their exception."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_LONGEST_LICENCE = 60


class Library(Struct, frozen=True):
    """An installed distribution that Tidings comes with. ``licence`` is what it says of itself, perhaps empty."""

    name: str
    version: str
    licence: str


def report(
    status: Status,
    preferences: Preferences,
    locked: Collection[str],
    *,
    language: str,
    window_system: str = "",
    running: bool = True,
    environment: Mapping[str, str] = os.environ,
    now: datetime,
) -> str:
    """English, a line each, as an administrator's ticket wants it.

    ``locked`` are the preferences that the organisation fixed; ``window_system`` is Qt's name of its platform.
    """
    region = status.company.region.value if status.company else "none"
    lines = {
        "Tidings": __version__,
        "Python": platform.python_version(),
        "Qt": _version("pyside6-essentials"),
        "System": f"{sys.platform} {platform.machine()}",
        "Desktop": _known(environment.get("XDG_CURRENT_DESKTOP", ""), _DESKTOPS),
        "Session": _known(environment.get("XDG_SESSION_TYPE", ""), _SESSIONS),
        "Window system": _known(window_system, _PLATFORMS),
        "Language": language,
        "Agent": "running" if running else "not running",
        "Connection": status.connection.value,
        "Region": region,
        "Last contact": _ago(status.last_check, now),
        "Pop-ups": "paused" if status.paused_until else "not paused",
        "Messages waiting": str(status.waiting),
        "Troubles": ", ".join(_codes(status)) or "none",
    }
    values = msgspec.to_builtins(preferences)
    for name in sorted(values):
        fixed = " (fixed by the organisation)" if name in locked else ""
        lines[f"Preference {name}"] = f"{_plain(values[name])}{fixed}"
    for library in libraries():
        lines[f"Library {library.name}"] = library.version
    return "\n".join(f"{name}: {value}" for name, value in lines.items()) + "\n"


def _known(said: str, words: Collection[str]) -> str:
    """The one of our words that is in what the system says: what else stands there may be anything."""
    return next((word for word in words if word in said.lower()), "other" if said else "not said")


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    minutes = round((now - moment).total_seconds() / 60)
    return f"{minutes} min ago" if minutes >= 0 else f"{-minutes} min ahead of the clock"


def _codes(status: Status) -> list[str]:
    codes = {trouble.code for trouble in status.troubles}
    return sorted(code if _CODE.fullmatch(code) else "other" for code in codes)


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def libraries() -> list[Library]:
    """What ``tidings`` requires and what that requires, as far as it is installed here, by name."""
    found: dict[str, Library] = {}
    wanted = _requirements("tidings")
    while wanted:
        name = wanted.pop()
        key = name.lower().replace("_", "-")
        if key in found:
            continue
        try:
            said = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # For another platform.
        found[key] = Library(said["Name"], said["Version"], _licence(said))
        wanted += _requirements(name)
    return [found[key] for key in sorted(found)]


def _requirements(name: str) -> list[str]:
    """The names that a distribution always requires; none where it is not known as one."""
    try:
        said = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    matches = [_NAME.match(each) for each in said if "extra ==" not in each]
    return [match[0] for match in matches if match]


def _licence(said: importlib.metadata.PackageMetadata) -> str:
    """Its expression, or else its short name, or else its classifier."""
    for field in ("License-Expression", "License"):
        text = str(said.get_all(field, [""])[0])
        if text and len(text) <= _LONGEST_LICENCE and "\n" not in text:
            return text
    classifiers = [str(each) for each in said.get_all("Classifier", [])]
    return next((each.split(" :: ")[-1] for each in classifiers if each.startswith("License ::")), "")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not known"


def licences() -> str:
    """The libraries, a line each; the whole texts lie beside each library, in its ``dist-info`` folder."""
    return "\n".join(f"{each.name} {each.version} · {each.licence}" for each in libraries())
