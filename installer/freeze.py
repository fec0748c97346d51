"""The agent with its own Python and Qt in one folder, by PyInstaller."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from installer.steps import ROOT, WORK, fingerprint, is_current, reused, run, step, tool

PROGRAM = WORK / "tidings"
STAMP = WORK / "tidings.stamp"
SOURCES = (
    "agent",
    "ui",
    "resources/icons",
    "resources/locale",
    "resources/*.py",
    "installer/*.py",
    "installer/*.spec",
)


def freeze() -> Path:
    """Builds the program in build/package/tidings, unless it is there and nothing has changed. Returns its folder."""
    mark = fingerprint(_sources(), sys.version)
    if is_current(STAMP, mark) and PROGRAM.exists():
        reused("Frozen program")
        return PROGRAM
    STAMP.unlink(missing_ok=True)
    with step("Frozen program"):
        places = ("--distpath", WORK, "--workpath", WORK / "pyinstaller")
        description = ROOT / "installer" / "tidings.spec"
        run([sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *places, description])
        _tidy()
    STAMP.write_text(mark)
    return PROGRAM


def _sources() -> list[Path]:
    """Every file that the program is made from."""
    files = [ROOT / "requirements.lock"]
    for pattern in SOURCES:
        for path in ROOT.glob(pattern):
            files += [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return [file for file in files if "__pycache__" not in file.parts]


def _tidy() -> None:
    """Takes debugging symbols, the building machine's paths and the right to be run from the libraries.

    Qt's libraries are left as their makers built them.
    """
    internal = PROGRAM / "_internal"
    libraries = [file for file in internal.rglob("*.so*") if file.is_file() and not file.is_symlink()]
    for file in libraries:
        file.chmod(0o644)
    others = [file for file in libraries if not file.is_relative_to(internal / "PySide6")]
    run([tool("strip"), "--strip-unneeded", *others])
    if sys.platform == "linux":
        for file in others:
            if run([tool("patchelf"), "--print-rpath", file]).startswith("/"):
                run([tool("patchelf"), "--remove-rpath", file])


def size_mb() -> float:
    """The size of the program's folder in megabytes (10^6 bytes), as `du --apparent-size` counts."""
    return sum(file.lstat().st_size for file in PROGRAM.rglob("*") if not file.is_dir()) / 1e6


def clean() -> None:
    """Forgets what was frozen."""
    shutil.rmtree(WORK, ignore_errors=True)
