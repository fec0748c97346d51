"""Which file system a folder is on, and whether other computers may be on it too."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

_OF_ONE_COMPUTER = frozenset(
    (
        "bcachefs",
        "btrfs",
        "exfat",
        "ext2",
        "ext3",
        "ext4",
        "f2fs",
        "jfs",
        "overlay",
        "tmpfs",
        "vfat",
        "xfs",
        "zfs",
    )
)
"""Where flock(2) is seen by everybody who can write there."""


def is_of_one_computer(folder: Path) -> bool:
    """Whether only this computer can write there, as far as that is known."""
    return _type(folder) in _OF_ONE_COMPUTER


def _type(folder: Path) -> str:
    """The type of the file system (proc(5), mountinfo); empty where the system does not tell."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        place = os.fspath(folder.resolve())
    except OSError:
        return ""
    found = ("", "")
    for line in lines:
        mount, _, described = line.partition(" - ")
        root = _unescaped(mount.split(" ")[4])
        if len(root) >= len(found[0]) and _is_in(place, root):  # of two at one place the later one is seen
            found = root, described.partition(" ")[0]
    return found[1]


def _is_in(place: str, root: str) -> bool:
    return place == root or place.startswith(root.rstrip("/") + "/")


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)
