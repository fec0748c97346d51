"""What of Python's and Qt's files goes into the frozen program. What is not named here stays out.

Libraries of the operating system stay out too, but for Python's own: the package names them as dependencies, so that
a security update of OpenSSL or of an X library reaches the agent through apt, without a new release of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

QT_PLUGINS = {
    "imageformats": {"libqjpeg.so", "libqwebp.so"},
    "multimedia": {"libffmpegmediaplugin.so"},
    "platforminputcontexts": {
        "libcomposeplatforminputcontextplugin.so",
        "libibusplatforminputcontextplugin.so",
    },
    "platforms": {"libqminimal.so", "libqoffscreen.so", "libqwayland.so", "libqxcb.so"},
    "platformthemes": {"libqgtk3.so", "libqxdgdesktopportal.so"},
    "wayland-decoration-client": {"libadwaita.so", "libbradient.so"},
    "wayland-graphics-integration-client": {"libqt-plugin-wayland-egl.so", "libshm-emulation-server.so"},
    "wayland-shell-integration": {"libqt-shell.so", "libxdg-shell.so"},
    "xcbglintegrations": {"libqxcb-egl-integration.so", "libqxcb-glx-integration.so"},
}
"""Plugins by folder. PNG needs none, it is in QtGui."""

QT_LIBRARIES_LEFT_OUT = (
    "libQt6EglFS",
    "libQt6EglFs",
    "libQt6Pdf",
    "libQt6VirtualKeyboard",
)
"""They come in only for plugins that stay out. QtQml and QtQuick do not: the video plugin links to them."""

LANGUAGES = ("en", "fr")

MODULES_LEFT_OUT = [
    *(
        "PIL",
        "PyInstaller",
        "_decimal",
        "curses",
        "django",
        "numpy",
        "pip",
        "pytest",
        "readline",
        "setuptools",
    ),
    *("server", "tests", "tkinter", "yaml"),
    *("PySide6.QtQml", "PySide6.QtQuick"),
    *(
        f"apscheduler.jobstores.{store}"
        for store in ("etcd", "mongodb", "redis", "rethinkdb", "sqlalchemy", "zookeeper")
    ),
]
"""`_decimal`: Debian's one needs a library whose name differs from release to release; Python has another in itself."""

HIDDEN_IMPORTS = [
    "agent.__main__",  # beside the program's own __main__ it is not noticed
    "apscheduler.executors.pool",
    "apscheduler.triggers.interval",
    "jeepney.io.blocking",
    "keyring.backends.SecretService",
    "keyring.backends.chainer",
    "keyring.backends.fail",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
    "secretstorage",
    "webvtt",
]
"""Chosen by name at run time, so that no import statement shows them."""

SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")

Entry = tuple[str, str, str]
"""Where a file goes, where it is now (a symbolic link: where it points), and PyInstaller's name of its kind."""


def wanted(entries: Iterable[Entry]) -> list[Entry]:
    """Those of PyInstaller's finds that go into the program."""
    kept = [entry for entry in entries if _is_wanted(*entry)]
    present = {destination for destination, _, _ in kept}
    return [entry for entry in kept if entry[2] != "SYMLINK" or _target(entry) in present]


def _is_wanted(destination: str, source: str, kind: str) -> bool:
    path = PurePosixPath(destination)
    if kind == "BINARY" and source.startswith(SYSTEM_FOLDERS) and not path.name.startswith("libpython"):
        return False
    if path.name.startswith(QT_LIBRARIES_LEFT_OUT):
        return False
    if "plugins" in path.parts:
        return path.name in QT_PLUGINS.get(path.parent.name, ())
    if "translations" in path.parts:
        return path.stem in {f"qtbase_{language}" for language in LANGUAGES}
    return True


def _target(entry: Entry) -> str:
    """Where a symbolic link points, seen from the program's folder."""
    destination, source, _ = entry
    parts: list[str] = []
    for part in (PurePosixPath(destination).parent / source).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
