"""Disks that fail as real ones do: full, and read-only. Mounting them needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_S


@contextmanager
def a_small_disk(place: Path, size: str = "1m") -> Iterator[Path]:
    """A tmpfs of so many bytes, at a folder that is made."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tidings-test", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True, timeout=PATIENCE_S)


@contextmanager
def a_network_disk(place: Path) -> Iterator[None]:
    """A disk of a kind of which nobody knows that this computer alone uses it, at a folder."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place.mkdir(parents=True, exist_ok=True)
    _mount("-t", "ramfs", "tidings-test", str(place))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True, timeout=PATIENCE_S)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing in a folder be opened for writing, made or deleted. What is open already stays so."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=PATIENCE_S)


def fill(folder: Path) -> Path:
    """Leave no byte. Returns the file that takes the place."""
    path = folder / "ballast"
    with path.open("ab", buffering=0) as ballast:
        for size in (65_536, 4_096, 1):
            try:
                while ballast.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return path


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, timeout=PATIENCE_S)
