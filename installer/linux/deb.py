"""The .deb: the frozen program, its menu entry, start at login, icon, manual page and licences, by nfpm."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from agent import __version__
from installer import licences
from installer.freeze import PROGRAM
from installer.freeze import STAMP as PROGRAM_STAMP
from installer.steps import (
    BUILD,
    ROOT,
    WORK,
    PackagingError,
    fingerprint,
    is_current,
    reused,
    run,
    step,
    tool,
)

HERE = Path(__file__).parent
STAGE = WORK / "deb"
STAMP = WORK / "deb.stamp"
ICON = ROOT / "resources" / "icons" / "tidings.svg"
GLIBC = re.compile(r"GLIBC_2\.(\d+)")
DEB_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def package() -> Path:
    """Builds the package from the frozen program, unless it is there and nothing has changed. Returns its file."""
    file = BUILD / f"tidings_{__version__}_{architecture()}.deb"
    mark = fingerprint([*HERE.glob("*"), ICON, PROGRAM_STAMP], __version__)
    if is_current(STAMP, mark) and file.exists():
        reused("Debian package")
        return file
    STAMP.unlink(missing_ok=True)
    with step("Debian package"):
        moment = source_time()
        _stage(moment)
        env = os.environ | {
            "DEB_ARCH": architecture(),
            "GLIBC": f"2.{oldest_glibc()}",
            "SOURCE_DATE_EPOCH": str(int(moment.timestamp())),
            "VERSION": __version__,
        }
        run(
            [tool("nfpm"), "package", "--config", HERE / "nfpm.yaml", "--packager", "deb", "--target", file],
            env=env,
        )
    STAMP.write_text(mark)
    return file


def architecture() -> str:
    """Debian's name of this machine's architecture.

    Raises:
        PackagingError: Qt has no wheels for it.
    """
    machine = os.uname().machine
    if machine not in DEB_ARCHITECTURES:
        raise PackagingError(
            f"No package for {machine}", "Build on x86_64 or aarch64: Qt's wheels are for these two."
        )
    return DEB_ARCHITECTURES[machine]


def source_time() -> datetime:
    """The time of the last commit, so that two builds of one commit give files of the same time."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or run(["git", "log", "-1", "--format=%ct"])
    return datetime.fromtimestamp(int(seconds), UTC)


def oldest_glibc() -> int:
    """The n of the oldest glibc 2.n that every file of the program can run with."""
    files = [
        file
        for file in PROGRAM.rglob("*")
        if file.is_file() and (".so" in file.name or file.name == "tidings")
    ]
    symbols = run([tool("objdump"), "-T", *files], accepted=(0, 1))  # 1: some of them are no programs
    return max(int(minor) for minor in GLIBC.findall(symbols))


def _stage(moment: datetime) -> None:
    """Makes the files of the package that are neither in the repository nor in the program."""
    shutil.rmtree(STAGE, ignore_errors=True)
    documents = STAGE / "doc"
    documents.mkdir(parents=True)
    shutil.copy(HERE / "copyright", documents)
    licences.write(documents / "licences")
    _compress(_changelog(moment), documents / "changelog.gz")
    _compress(manual(moment), STAGE / "tidings.1.gz")
    run([sys.executable, "-m", "installer.linux.icons", ICON, STAGE / "icons"])


def manual(moment: datetime) -> str:
    """The manual page with its date and version."""
    page = (HERE / "tidings.1").read_text(encoding="utf-8")
    return page.replace("@VERSION@", __version__).replace("@DATE@", f"{moment:%Y-%m-%d}")


def _changelog(moment: datetime) -> str:
    return (
        f"tidings ({__version__}) stable; urgency=medium\n\n"
        f"  * Version {__version__}; what is new is in CHANGELOG.md of the sources.\n\n"
        f" -- Tidings developers <packages@tidings.example>  {moment:%a, %d %b %Y %H:%M:%S +0000}\n"
    )


def _compress(text: str, file: Path) -> None:
    file.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
