"""What the organisation fixed on this computer, read from a file that an administrator puts there (docs/policy.md).

It can only restrict what is shared: a signal that it does not leave to the person is off, and one that it leaves to them
is as they choose. A file that cannot be read, or does not say exactly which signals it leaves, leaves none.
"""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from agent.domain import errors, preferences
from agent.domain.model import FeedbackSignal
from agent.domain.preferences import Preferences
from resources.i18n import _

MAX_BYTES = 64 * 1024

Mark = tuple[int, ...]
"""By which a changed file is known without reading it."""


class PolicyUnusable(errors.EnvironmentFault):
    """``reason`` says what is wrong with the file at ``path``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self._path, self._reason = path, reason

    @property
    def title(self) -> str:
        return _("Your organisation's policy cannot be used")

    @property
    def message(self) -> str:
        return _("Nothing is shared until an administrator corrects {path}: {reason}.").format(
            path=self._path, reason=self._reason.rstrip(".")
        )


class DevicePolicy(Struct, frozen=True):
    """``signals``: those that are left to the person. ``fault``: why the file could not be used."""

    signals: frozenset[FeedbackSignal] = frozenset(FeedbackSignal)
    fixed: Preferences = preferences.DEFAULTS
    locked: frozenset[str] = frozenset()
    """The names of the preferences that ``fixed`` fixes."""
    server_url: str = ""
    found: bool = False
    fault: PolicyUnusable | None = None


NO_POLICY = DevicePolicy()


class PolicyFile:
    """The file at ``path``; read again only when it has changed. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._mark: Mark | None = None
        self._policy = NO_POLICY
        self.refresh()

    def current(self) -> DevicePolicy:
        """What holds since the file was last looked at."""
        return self._policy

    def refresh(self) -> bool:
        """Look at the file again. Returns whether what holds has changed."""
        with self._lock:
            mark = _mark(self.path)
            if mark is not None and mark == self._mark:
                return False
            before = self._policy
            self._policy = read(self.path)
            self._mark = (
                mark if self._policy.fault is None else None
            )  # one read may fail of a file that is good
            return not _same(self._policy, before)


def read(path: Path) -> DevicePolicy:
    """The policy in a file; no file, no policy."""
    try:
        content = _content(path)
        return DevicePolicy() if content is None else _decode(content)
    except _Unusable as reason:
        return _nothing(path, str(reason))
    except OSError as error:
        return _nothing(path, error.strerror or type(error).__name__)


class _Unusable(Exception):
    """Why a file is no policy."""


def _nothing(path: Path, reason: str) -> DevicePolicy:
    return DevicePolicy(signals=frozenset(), found=True, fault=PolicyUnusable(str(path), reason))


def _mark(path: Path) -> Mark | None:
    """None where it cannot be known: then it is read each time."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return () if not os.path.lexists(path) else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode)


def _content(path: Path) -> bytes | None:
    """The bytes of a plain file, None where there is none. Raises OSError, also for a link that leads nowhere."""
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    # A named pipe would be waited for without end.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _Unusable("it is no plain file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _Unusable(f"it is larger than {MAX_BYTES // 1024} KiB")
    return content


def _decode(content: bytes) -> DevicePolicy:
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Unusable("it is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise _Unusable(str(error)) from error
    except RecursionError as error:
        raise _Unusable("it is nested too deeply") from error
    if unknown := tables.keys() - {"signals", "preferences", "server"}:
        raise _Unusable(f"it has an unknown part: {min(unknown)}")
    signals = _signals(_table(tables, "signals"))
    fixed = _table(tables, "preferences")
    try:
        values = preferences.with_values(preferences.DEFAULTS, fixed)
    except msgspec.ValidationError as error:
        raise _Unusable(f"[preferences]: {error}") from error
    return DevicePolicy(signals, values, frozenset(fixed), _server(_table(tables, "server")), found=True)


def _table(tables: dict[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise _Unusable(f"{name} is no table")
    return table


def _signals(table: dict[str, Any]) -> frozenset[FeedbackSignal]:
    """Each signal must be named: what was cut off or commented out by mistake would widen what is shared."""
    if table.keys() != {signal.value for signal in FeedbackSignal}:
        raise _Unusable("[signals] must say true or false for each of seen, click and like, and nothing else")
    if not all(isinstance(value, bool) for value in table.values()):
        raise _Unusable("[signals] takes true and false only")
    return frozenset(signal for signal in FeedbackSignal if table[signal])


def _server(table: dict[str, Any]) -> str:
    if table.keys() - {"url"}:
        raise _Unusable("[server] takes url only")
    url = table.get("url", "")
    if not isinstance(url, str) or len(url) > 500 or not url.isprintable():
        raise _Unusable("[server] url is no address")
    return url


def _same(one: DevicePolicy, other: DevicePolicy) -> bool:
    """Faults are compared by what they say."""
    return _key(one) == _key(other)


def _key(policy: DevicePolicy) -> tuple[object, ...]:
    detail = policy.fault.detail if policy.fault is not None else ""
    return policy.signals, policy.fixed, policy.locked, policy.server_url, policy.found, detail
