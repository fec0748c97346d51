"""Debian's and Ubuntu's packages by purpose, and which of them are there. The standard library alone, for `tasks.py`."""

import subprocess
import sys

# The first list is what Qt's wheels expect of the system.
QT = [
    *("libdbus-1-3", "libegl1", "libfontconfig1", "libgl1", "libglib2.0-0", "libpulse0"),
    *("libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0"),
    *("libxcb-render-util0", "libxcb-screensaver0", "libxcb-shape0", "libxcb-xkb1", "libxkbcommon-x11-0"),
]
DESKTOP = [
    *("at-spi2-core", "dbus", "dunst", "fonts-dejavu-core", "fonts-inter", "gnome-keyring", "hsetroot"),
    *("openbox", "trayer", "x11-utils", "x11-xserver-utils", "xdotool", "xfce4-panel", "xfconf", "xfwm4"),
    *("chromium", "xvfb"),
]
PROXIES = ["dconf-gsettings-backend", "gsettings-desktop-schemas", "libglib2.0-bin", "libproxy1v5"]
PRESENCE = ["i3lock", "python3-dbusmock", "xfce4-notifyd", "xscreensaver"]
SYSTEM_PACKAGES = {
    "run": QT,
    "desktop": [*QT, *DESKTOP],
    "test": [
        *(*QT, *DESKTOP, *PROXIES, *PRESENCE, "ffmpeg", "fiu-utils", "grim", "iproute2"),
        *("libfiu0", "libpcre2-8-0", "openssl"),
        *("pgbouncer", "postgresql", "strace", "sway", "systemd"),
    ],
    "bench": [*QT, *DESKTOP, "postgresql", "wrk"],
    "package": [*QT, *DESKTOP, "binutils", "debootstrap", "patchelf"],
}


def installed_packages() -> set[str]:
    """Names that dpkg counts as installed; virtual ones too, as Ubuntu renamed some libraries."""
    query = ["dpkg-query", "-W", "-f=${db:Status-Status} ${Package} ${Provides}\n"]
    names: set[str] = set()
    for line in subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines():
        status, *words = line.replace(",", " ").split()
        if status == "installed":
            names.update(words)
    return names


def needed_packages(purpose: str) -> list[str]:
    """Debian packages for a purpose; Debian keeps `venv` out of its python3, so that may be one of them."""
    needed = list(SYSTEM_PACKAGES[purpose])
    probe = subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True, check=False)
    if probe.returncode:
        needed.append("python3-venv")
    if purpose == "test":
        needed += filter(apt_knows, ["libproxy1-plugin-gsettings", "libproxy1-plugin-webkit"])
    if purpose == "package" and sys.base_prefix == "/usr":
        # Debian's python3 holds its library within; a frozen program needs it as a file.
        needed.append(f"libpython{sys.version_info.major}.{sys.version_info.minor}")
    return needed


def apt_knows(name: str) -> bool:
    """Whether this release of the system has such a package."""
    return not subprocess.run(["apt-cache", "show", name], capture_output=True, check=False).returncode
