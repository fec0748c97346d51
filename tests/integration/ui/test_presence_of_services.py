"""What logind, GNOME, KDE, MATE, Cinnamon and sway's programs say of the person, played by python3-dbusmock on a real bus."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from jeepney import DBusAddress

from agent.domain.model import PresenceState, Tristate
from tests.support.children import Child
from tests.support.desktop.mocked_services import MockedServices
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.waiting import until
from ui.desktop.presence import inhibitors, linux
from ui.desktop.presence.linux import LinuxPresence
from ui.desktop.presence.x11 import Screen

YES, NO, UNKNOWN = Tristate.YES, Tristate.NO, Tristate.UNKNOWN
IDLE_AFTER_S = 300
ME = os.getuid()


@pytest.fixture(scope="module")
def process(asked_desktop: VirtualDesktop) -> MockedServices:
    return MockedServices(asked_desktop)


@pytest.fixture
def services(process: MockedServices) -> Iterator[MockedServices]:
    """Nothing but what the test adds answers."""
    yield process
    process.leave()


SINCE_START_S = 86_400.0
"""How long the computer has run, whatever this one has."""


def now(screen: Screen | None = None) -> PresenceState:
    """What the buses say, beside a screen that says nothing."""
    return LinuxPresence(
        IDLE_AFTER_S, look=lambda: screen or Screen(), monotonic=lambda: SINCE_START_S
    ).current()


@contextmanager
def hanging(process: Child) -> Iterator[None]:
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_with_no_service_everything_is_unknown(services: MockedServices) -> None:
    assert now() == PresenceState()


@pytest.mark.parametrize("saver", linux.SCREEN_SAVERS, ids=lambda saver: str(saver.bus_name))
def test_each_desktops_screen_saver_is_believed(services: MockedServices, saver: DBusAddress) -> None:
    services.answers(saver, "GetActive", "b", True)
    assert now() == PresenceState(locked=YES)
    services.answers(saver, "GetActive", "b", False)
    assert now() == PresenceState(locked=NO)


@pytest.mark.parametrize(
    ("hint", "active", "expected"),
    [(True, True, YES), (False, True, NO), (False, False, YES)],
    ids=["locked", "open", "somebody else is at the screen"],
)
def test_logind_tells_a_session_that_nobody_sees(
    services: MockedServices, hint: bool, active: bool, expected: Tristate
) -> None:
    services.has(linux.SESSION, "LockedHint", "b", hint)
    services.has(linux.SESSION, "Active", "b", active)
    assert now() == PresenceState(locked=expected)


@pytest.mark.parametrize(
    ("idle", "since_s", "expected"),
    [(True, IDLE_AFTER_S + 60, YES), (True, IDLE_AFTER_S - 60, NO), (False, 0, UNKNOWN)],
    ids=["long ago", "a moment ago", "a desktop that may never tell"],
)
def test_logind_tells_idleness_where_nothing_measures_it(
    services: MockedServices, idle: bool, since_s: float, expected: Tristate
) -> None:
    since_us = int((SINCE_START_S - since_s) * 1_000_000)
    services.has(linux.SESSION, "IdleHint", "b", idle)
    services.has(linux.SESSION, "IdleSinceHintMonotonic", "t", since_us)
    assert now() == PresenceState(idle=expected)
    assert now(Screen(idle_ms=0)) == PresenceState(idle=NO)


@pytest.mark.parametrize(("idle_ms", "expected"), [(299_999, NO), (300_000, YES)])
def test_gnome_measures_idleness(services: MockedServices, idle_ms: int, expected: Tristate) -> None:
    services.answers(linux.MUTTER, "GetIdletime", "t", idle_ms)
    assert now() == PresenceState(idle=expected)


@pytest.mark.parametrize(("quiet", "expected"), [(True, YES), (False, NO)])
def test_kde_asks_not_to_disturb(services: MockedServices, quiet: bool, expected: Tristate) -> None:
    services.has(linux.NOTIFICATIONS, "Inhibited", "b", quiet)
    assert now() == PresenceState(do_not_disturb=expected)


@pytest.mark.parametrize(("quiet", "expected"), [(True, YES), (False, NO)])
def test_sway_notification_center_asks_not_to_disturb(
    services: MockedServices, quiet: bool, expected: Tristate
) -> None:
    services.answers(linux.SWAYNC, "GetDnd", "b", quiet)
    assert now() == PresenceState(do_not_disturb=expected)


@pytest.mark.parametrize(("modes", "expected"), [(["default", "do-not-disturb"], YES), (["default"], NO)])
def test_mako_asks_not_to_disturb(services: MockedServices, modes: list[str], expected: Tristate) -> None:
    services.answers(linux.MAKO, "ListModes", "as", modes)
    assert now() == PresenceState(do_not_disturb=expected)


@pytest.mark.parametrize(("shown", "expected"), [("false", YES), ("true", NO)])
def test_gnome_asks_not_to_disturb_by_its_settings(
    services: MockedServices,
    asked_desktop: VirtualDesktop,
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    expected: Tristate,
) -> None:
    if shutil.which("gsettings") is None:
        pytest.fail("libglib2.0-bin is missing: python3 -m tasks setup")
    settings = asked_desktop.home / ".config/glib-2.0/settings/keyfile"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"[org/gnome/desktop/notifications]\nshow-banners={shown}\n")
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    assert now() == PresenceState(), "another desktop's settings are not asked"
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    # A program has to start, which a busy machine may not do within the time that presence waits for an answer.
    until(lambda: now() == PresenceState(do_not_disturb=expected), "the answer of the settings")


Inhibitor = tuple[str, str, str, str, int, int]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([], NO),
        ([("idle", "Totem", "Playing a movie", "block", ME, 1)], YES),
        ([("sleep:idle", "Impress", "Presentation", "block", ME, 1)], YES),
        ([("sleep", "Rhythmbox", "Playing", "block", ME, 1)], NO),
        ([("idle", "Chromium", "Playing audio", "block", ME, 1)], NO),
        ([("idle", "Firefox", "audio-playing", "block", ME, 1)], NO),
        ([("idle", "caffeine", "user request", "block", ME, 1)], NO),
        ([("idle", "Update", "Installing", "delay", ME, 1)], NO),
        ([("idle", "Somebody else", "Playing a movie", "block", ME + 1, 1)], NO),
        (
            [
                ("idle", "Chromium", "Playing audio", "block", ME, 1),
                ("idle", "Meeting", "In a call", "block", ME, 2),
            ],
            YES,
        ),
    ],
    ids=lambda value: value[-1][2] + "/" + value[-1][0] if isinstance(value, list) and value else str(value),
)
def test_logind_tells_who_keeps_the_screen_on(
    services: MockedServices, listed: list[Inhibitor], expected: Tristate
) -> None:
    services.answers(inhibitors.LOGIND, "ListInhibitors", "a(ssssuu)", listed)
    assert now() == PresenceState(presenting=expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("org.gnome.Evince", "Running in presentation mode", 12)], YES),
        ([("org.gnome.Rhythmbox3", "Playing", 4)], NO),
        ([("caffeine-gnome-extension", "Inhibit by caffeine", 12)], NO),
        ([("caffeine-gnome-extension", "Inhibit by caffeine", 12), ("firefox", "video-playing", 8)], YES),
    ],
    ids=["a presentation", "music", "a tool", "a tool and a video"],
)
def test_gnome_tells_who_keeps_the_screen_on(
    services: MockedServices, found: list[tuple[str, str, int]], expected: Tristate
) -> None:
    paths = [f"/org/gnome/SessionManager/Inhibitor{number}" for number in range(len(found))]
    for path, (who, why, flags) in zip(paths, found, strict=True):
        each = DBusAddress(path, inhibitors.GNOME.bus_name, "org.gnome.SessionManager.Inhibitor")
        for member, signature, value in (
            ("GetAppId", "s", who),
            ("GetReason", "s", why),
            ("GetFlags", "u", flags),
        ):
            services.answers(each, member, signature, value)
    keeps_on = any(flags & inhibitors.GNOME_IDLE for _, _, flags in found)
    services.answers(inhibitors.GNOME, "IsInhibited", "b", keeps_on, takes="u")
    services.answers(inhibitors.GNOME, "GetInhibitors", "ao", paths)
    assert now() == PresenceState(presenting=expected)


@pytest.mark.parametrize(
    ("inhibited", "listed", "expected"),
    [
        (False, [], NO),
        (True, [("Okular", "Giving a presentation")], YES),
        (True, [("Chromium", "Playing audio")], NO),
        (True, [], YES),
    ],
    ids=["nobody", "a presentation", "music", "nobody says who"],
)
def test_kde_tells_who_keeps_the_screen_on(
    services: MockedServices, inhibited: bool, listed: list[Any], expected: Tristate
) -> None:
    services.answers(inhibitors.KDE, "HasInhibition", "b", inhibited, takes="u")
    services.answers(inhibitors.KDE, "ListInhibitions", "a(ss)", listed)
    assert now() == PresenceState(presenting=expected)


def test_answers_of_another_kind_are_no_answers(services: MockedServices) -> None:
    services.answers(linux.SCREEN_SAVERS[0], "GetActive", "s", "yes")
    services.has(linux.SESSION, "LockedHint", "s", "yes")
    services.answers(linux.MAKO, "ListModes", "b", True)
    services.answers(linux.MUTTER, "GetIdletime", "s", "long")
    services.answers(inhibitors.LOGIND, "ListInhibitors", "as", ["idle"])
    services.answers(inhibitors.KDE, "HasInhibition", "i", 1, takes="u")
    services.answers(inhibitors.GNOME, "IsInhibited", "u", 8, takes="u")
    assert now() == PresenceState()


def test_a_service_that_hangs_does_not_silence_the_others(
    services: MockedServices, asked_desktop: VirtualDesktop
) -> None:
    for saver in linux.SCREEN_SAVERS:
        services.answers(saver, "GetActive", "b", True)
    services.has(linux.SESSION, "LockedHint", "b", True)
    assert now().locked is YES
    with hanging(services.process), asked_desktop.start(["dunst"], "dunst"):
        assert asked_desktop.bus is not None
        bus = asked_desktop.bus
        until(lambda: linux.NOTIFICATIONS.bus_name in bus.names(), "dunst")
        assert now() == PresenceState(locked=UNKNOWN, do_not_disturb=NO)


def test_a_bus_that_hangs_leaves_what_the_screen_shows(
    services: MockedServices, asked_desktop: VirtualDesktop
) -> None:
    services.has(linux.SESSION, "LockedHint", "b", True)
    assert asked_desktop.bus is not None
    with hanging(asked_desktop.bus.daemon):
        assert now(Screen(full_screen=YES)) == PresenceState(full_screen=YES)
    assert now() == PresenceState(locked=YES)


def test_asking_starts_no_service_and_leaves_nothing_open(asked_desktop: VirtualDesktop) -> None:
    assert asked_desktop.bus is not None
    before, open_before = asked_desktop.bus.names(), psutil.Process().num_fds()
    for _ in range(20):
        LinuxPresence().current()
    assert asked_desktop.bus.names() == before
    assert psutil.Process().num_fds() == open_before
