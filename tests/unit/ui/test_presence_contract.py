"""What holds for presence on every system: each answer of the system's calls is read as documented, and no answer is unknown.

The calls of Windows and macOS are scripted here with their documented return values; on Linux the buses and the X server.
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from agent.domain.model import PresenceState, Tristate
from ui.desktop.dbus import Bus, Question
from ui.desktop.presence import macos, windows
from ui.desktop.presence.linux import LinuxPresence
from ui.desktop.presence.macos import Frameworks, MacPresence
from ui.desktop.presence.windows import WindowsPresence
from ui.desktop.presence.x11 import Screen

YES, NO, UNKNOWN = Tristate.YES, Tristate.NO, Tristate.UNKNOWN
IDLE_AFTER_S = 300
IDLE_MS = 300_000
JUST_NOW_MS = 299_999


class System(Protocol):
    def ask(self) -> PresenceState:
        """What the adapter for this system says."""


@dataclass
class Windows:
    """shell32, user32 and kernel32 in one. A field that is None is a call that fails."""

    state: int | None = windows.QUNS_ACCEPTS_NOTIFICATIONS
    desktop: str | None = "Default"
    open_error: int = 0
    last_input: int | None = 5_000
    ticks: int = 5_000
    open_desktops: int = 0

    @property
    def shell32(self) -> Any:
        return self

    @property
    def user32(self) -> Any:
        return self

    @property
    def kernel32(self) -> Any:
        return self

    def last_error(self) -> int:
        return self.open_error

    def SHQueryUserNotificationState(self, state: Any) -> int:
        if self.state is None:
            return -2_147_467_259  # E_FAIL
        state._obj.value = self.state
        return 0

    def OpenInputDesktop(self, _flags: int, _inherit: bool, access: int) -> int:
        assert access == windows.GENERIC_READ
        if self.open_error:
            return 0
        self.open_desktops += 1
        return 0xDE57

    def GetUserObjectInformationW(self, desktop: int, kind: int, name: Any, size: int, _needed: None) -> int:
        assert (desktop, kind) == (0xDE57, windows.UOI_NAME)
        assert size == ctypes.sizeof(name)
        if self.desktop is None:
            return 0
        name.value = self.desktop
        return 1

    def CloseDesktop(self, _desktop: int) -> int:
        self.open_desktops -= 1
        return 1

    def GetLastInputInfo(self, info: Any) -> int:
        assert info._obj.size == ctypes.sizeof(windows.LastInputInfo)
        if self.last_input is None:
            return 0
        info._obj.tick = self.last_input
        return 1

    def GetTickCount(self) -> int:
        return self.ticks

    def ask(self) -> PresenceState:
        state = WindowsPresence(IDLE_AFTER_S, self).current()
        assert self.open_desktops == 0, "a desktop stays open"
        return state


@dataclass
class Mac:
    """CoreFoundation, ApplicationServices and IOKit in one; objects are their numbers. A None is a call that fails."""

    session: Mapping[bytes, bool] | None = field(default_factory=lambda: {b"kCGSSessionOnConsoleKey": True})
    assertions: Mapping[bytes, int] | None = field(default_factory=dict)
    idle_s: float = 0.0
    objects: dict[int, Any] = field(default_factory=dict)
    created: set[int] = field(default_factory=set)

    def _make(self, value: Any, *, ours: bool = True) -> int:
        number = 0x1000 + len(self.objects)
        self.objects[number] = value
        if ours:
            self.created.add(number)
        return number

    def CGSessionCopyCurrentDictionary(self) -> int | None:
        return None if self.session is None else self._make(self.session)

    def CGEventSourceSecondsSinceLastEventType(self, state: int, kind: int) -> float:
        assert (state, kind) == (macos.HID_SYSTEM_STATE, macos.ANY_INPUT_EVENT)
        return self.idle_s

    def IOPMCopyAssertionsStatus(self, status: Any) -> int:
        if self.assertions is None:
            return -536_870_212  # kIOReturnError
        status._obj.value = self._make(self.assertions)
        return 0

    def CFStringCreateWithCString(self, _allocator: None, text: bytes, encoding: int) -> int:
        assert encoding == macos.UTF8
        return self._make(text)

    def CFDictionaryGetValue(self, dictionary: int, key: int) -> int | None:
        found = self.objects[dictionary].get(self.objects[key])
        return None if found is None else self._make(found, ours=False)

    def CFBooleanGetValue(self, value: int) -> bool:
        return bool(self.objects[value])

    def CFNumberGetValue(self, value: int, kind: int, number: Any) -> bool:
        assert kind == macos.NUMBER_INT
        number._obj.value = self.objects[value]
        return True

    def CFRelease(self, released: int) -> None:
        self.created.remove(released)

    def ask(self) -> PresenceState:
        state = MacPresence(IDLE_AFTER_S, Frameworks(self, self, self)).current()
        assert not self.created, "something was not released"
        return state


@dataclass
class Linux:
    """The services that answer, by the member that is asked (a property by its name), and the screen."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    screen: Screen = field(default_factory=Screen)

    def converse(
        self, questions: Mapping[Bus, Sequence[Question]], _timeout_s: float
    ) -> dict[Bus, list[Any]]:
        return {bus: [self.answers.get(_asked(each)) for each in asked] for bus, asked in questions.items()}

    def ask(self) -> PresenceState:
        return LinuxPresence(IDLE_AFTER_S, look=lambda: self.screen, ask=self.converse).current()


def _asked(question: Question) -> str:
    by_name = question.member in ("Get", "GetProperty")
    return str(question.body[-1]) if by_name else question.member


SILENT: dict[str, System] = {
    "Windows": Windows(state=None, open_error=6, last_input=None),
    "macOS": Mac(session=None, assertions=None, idle_s=-1.0),
    "Linux": Linux(),
}
"""Every call fails: with an error code, with nothing, or with nobody there to answer."""


@pytest.mark.parametrize("name", SILENT)
def test_where_every_call_fails_everything_is_unknown(name: str) -> None:
    assert SILENT[name].ask() == PresenceState()


CASES: dict[str, tuple[System, dict[str, Tristate]]] = {
    "Windows, free": (Windows(), {"locked": NO, "full_screen": NO, "presenting": NO, "idle": NO}),
    "Windows, first hour of an account": (
        Windows(state=windows.QUNS_QUIET_TIME),
        {"full_screen": NO, "presenting": NO, "do_not_disturb": UNKNOWN},
    ),
    "Windows, full screen": (
        Windows(state=windows.QUNS_BUSY),
        {"full_screen": YES, "presenting": UNKNOWN},
    ),
    "Windows, a game": (
        Windows(state=windows.QUNS_RUNNING_D3D_FULL_SCREEN),
        {"full_screen": YES, "presenting": UNKNOWN},
    ),
    "Windows, presentation settings": (
        Windows(state=windows.QUNS_PRESENTATION_MODE),
        {"presenting": YES, "full_screen": UNKNOWN},
    ),
    "Windows, a program of the Store": (
        Windows(state=7),
        {"presenting": UNKNOWN, "full_screen": UNKNOWN, "locked": NO},
    ),
    "Windows, nobody present": (
        Windows(state=windows.QUNS_NOT_PRESENT),
        {"locked": YES, "full_screen": UNKNOWN},
    ),
    "Windows, lock screen": (Windows(desktop="Winlogon"), {"locked": YES}),
    "Windows, lock screen that may not be opened": (
        Windows(open_error=windows.ERROR_ACCESS_DENIED),
        {"locked": YES},
    ),
    "Windows, a desktop without a name": (Windows(desktop=None), {"locked": UNKNOWN}),
    "Windows, input a moment ago": (Windows(last_input=1_000, ticks=1_000 + JUST_NOW_MS), {"idle": NO}),
    "Windows, input long ago": (Windows(last_input=1_000, ticks=1_000 + IDLE_MS), {"idle": YES}),
    "Windows, input before the counter began anew": (
        Windows(last_input=2**32 - 1_000, ticks=JUST_NOW_MS - 1_000),
        {"idle": NO},
    ),
    "Windows, input long before the counter began anew": (
        Windows(last_input=2**32 - 1_000, ticks=IDLE_MS - 1_000),
        {"idle": YES},
    ),
    "macOS, free": (
        Mac(),
        {"locked": NO, "presenting": NO, "idle": NO, "full_screen": UNKNOWN, "do_not_disturb": UNKNOWN},
    ),
    "macOS, lock screen": (
        Mac(session={macos.ON_CONSOLE: True, macos.LOCKED: True}),
        {"locked": YES},
    ),
    "macOS, unlocked again": (
        Mac(session={macos.ON_CONSOLE: True, macos.LOCKED: False}),
        {"locked": NO},
    ),
    "macOS, somebody else is at the screen": (
        Mac(session={macos.ON_CONSOLE: False}),
        {"locked": YES},
    ),
    "macOS, a presentation": (Mac(assertions={b"PreventUserIdleDisplaySleep": 1}), {"presenting": YES}),
    "macOS, music": (
        Mac(assertions={b"PreventUserIdleSystemSleep": 1, b"PreventUserIdleDisplaySleep": 0}),
        {"presenting": NO},
    ),
    "macOS, input a moment ago": (Mac(idle_s=299.9), {"idle": NO}),
    "macOS, input long ago": (Mac(idle_s=300.0), {"idle": YES}),
    "Linux, free": (
        Linux({"LockedHint": False, "Inhibited": False, "ListInhibitors": []}, Screen(NO, UNKNOWN, 0)),
        {"locked": NO, "full_screen": NO, "do_not_disturb": NO, "presenting": NO, "idle": NO},
    ),
    "Linux, one of several says that it is locked": (
        Linux({"LockedHint": False, "GetActive": True}),
        {"locked": YES},
    ),
    "Linux, a locker that only the screen shows": (
        Linux({"LockedHint": False}, Screen(YES, YES, 0)),
        {"locked": YES, "full_screen": YES},
    ),
    "Linux, do not disturb": (Linux({"paused": True, "Inhibited": False}), {"do_not_disturb": YES}),
    "Linux, a presentation": (Linux({"HasInhibition": True, "ListInhibitions": []}), {"presenting": YES}),
    "Linux, input a moment ago": (Linux(screen=Screen(idle_ms=JUST_NOW_MS)), {"idle": NO}),
    "Linux, input long ago": (Linux(screen=Screen(idle_ms=IDLE_MS)), {"idle": YES}),
    "Linux, input that only one of two has noticed": (
        Linux({"GetIdletime": JUST_NOW_MS}, Screen(idle_ms=IDLE_MS)),
        {"idle": NO},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_answer_is_read_as_documented(name: str) -> None:
    system, expected = CASES[name]
    state = system.ask()
    assert {each: getattr(state, each) for each in expected} == expected


FAILURES: dict[str, tuple[System, frozenset[str]]] = {
    "Windows, notification state": (Windows(state=None), frozenset({"full_screen", "presenting"})),
    "Windows, desktop": (Windows(open_error=6), frozenset({"locked"})),
    "Windows, last input": (Windows(last_input=None), frozenset({"idle"})),
    "macOS, session": (Mac(session=None), frozenset({"locked"})),
    "macOS, assertions": (Mac(assertions=None), frozenset({"presenting"})),
    "macOS, last input": (Mac(idle_s=-1.0), frozenset({"idle"})),
}
KNOWN_WHEN_FREE = {
    "Windows": frozenset({"locked", "full_screen", "presenting", "idle"}),
    "macOS": frozenset({"locked", "presenting", "idle"}),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_call_that_fails_makes_its_own_fields_unknown_and_no_other(name: str) -> None:
    system, failed = FAILURES[name]
    state = system.ask()
    known = {each for each in PresenceState.__struct_fields__ if getattr(state, each) is not UNKNOWN}
    assert known == KNOWN_WHEN_FREE[name.split(",")[0]] - failed
