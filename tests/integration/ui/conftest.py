"""A desktop that this process asks as the agent on it would."""

from collections.abc import Iterator

import pytest

from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop

ASKED = (
    *("DISPLAY", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE"),
)


@pytest.fixture(scope="module")
def asked_desktop() -> Iterator[VirtualDesktop]:
    """Two monitors, xfwm4 with its compositor, a panel; the session bus is the system bus too. One for a file's tests."""
    with (
        VirtualDesktop(DesktopOptions(keyring="none", monitors=2, compositor=True)) as running,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name in ASKED:
            environment.setenv(name, running.env[name])
        environment.setenv("DBUS_SYSTEM_BUS_ADDRESS", running.env["DBUS_SESSION_BUS_ADDRESS"])
        environment.delenv("WAYLAND_DISPLAY", raising=False)
        yield running
