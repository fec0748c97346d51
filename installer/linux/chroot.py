"""A bare Debian in a folder, to install a package in.

Nothing is mounted outside of a process's own mount namespace, so nothing is left mounted, however the trial ends.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from installer.steps import PackagingError, reused, run, step, tool

CACHE = Path("/var/cache/tidings-package")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
WATCHED = ("etc", "opt", "usr", "var")
NOT_OURS = re.compile(r"^var/(cache/(apt|debconf|fontconfig|ldconfig)|lib/(apt|dpkg)|log)(/|$)(?!.*tidings)")
"""Books that the system keeps of every package and font; what has our name in it counts all the same."""


@dataclass(frozen=True)
class Mirror:
    """Where apt takes this machine's own release from, as apt itself says."""

    address: str
    suite: str
    sources: str


class Chroot:
    """A system in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def words(self, *command: str | Path, binds: Sequence[Path] = (), user: str = "") -> list[str]:
        """The command line that runs a command in here; these folders are at the same place inside as outside.

        The process that is started is the command itself: it can be signalled and measured as any other.
        """
        inside = shlex.quote(str(self.root))
        lines = [
            "set -e",
            f"mount -t proc proc {inside}/proc",
            f"mount --rbind /dev {inside}/dev",
            *(f"mount --bind {shlex.quote(str(each))} {inside}{shlex.quote(str(each))}" for each in binds),
            f'exec chroot {f"--userspec={user} " if user else ""}{inside} "$@"',
        ]
        for each in binds:
            (self.root / each.relative_to("/")).mkdir(parents=True, exist_ok=True)
        own = ["unshare", "--mount", "--propagation", "private", "--"]
        return [*own, "sh", "-c", "\n".join(lines), "chroot", *map(str, command)]

    def words_beside(self, pid: int, *command: str) -> list[str]:
        """The command line that runs a command in the mount namespace of a process that runs in here."""
        enter = ["nsenter", "--target", str(pid), "--mount", "--"]
        return [*enter, "chroot", str(self.root), *command]

    def run(self, *command: str | Path, user: str = "", accepted: Sequence[int] = (0,)) -> str:
        """Runs a command in here to its end and answers its standard output. Raises PackagingError."""
        return run(self.words(*command, user=user), env=environment(), accepted=accepted)

    def apt(self, *words: str | Path) -> str:
        """Runs apt-get without questions."""
        return self.run("apt-get", "--yes", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *words)

    def packages(self) -> set[str]:
        """The names of the installed packages."""
        return set(self.run("dpkg-query", "--show", "--showformat", "${Package}\n").split())

    def paths(self) -> set[str]:
        """Every path that a package or its program could have left something at."""
        found = set()
        for top in WATCHED:
            for folder, folders, files in os.walk(self.root / top):
                here = os.path.relpath(folder, self.root)
                found |= {f"{here}/{name}" for name in [*folders, *files]}
        return {path for path in found if not NOT_OURS.match(path)}


def environment() -> dict[str, str]:
    """What commands in the chroot get, with the proxies that this machine uses."""
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return proxies | {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


@contextmanager
def fresh(depends: str) -> Iterator[Chroot]:
    """A bare system with the packages that `depends` names, to be thrown away.

    Args:
        depends: as in a package's Depends field.

    Raises:
        PackagingError: it could not be made; the message says why.
    """
    base = _base(depends)
    with tempfile.TemporaryDirectory(prefix="trial-", dir=CACHE) as folder:
        root = Path(folder) / "root"
        with step("Fresh system"):
            run(["cp", "--archive", "--reflink=auto", base, root])
        yield Chroot(root)


def _base(depends: str) -> Path:
    """The cached system with the dependencies; a changed dependency or release makes another."""
    mirror = configured_mirror()
    key = hashlib.sha256(f"{mirror}{depends}".encode()).hexdigest()[:12]
    base = CACHE / f"{mirror.suite}-{key}"
    if base.exists():
        reused(f"Bare {mirror.suite} with the dependencies")
        return base
    unfinished = CACHE / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with step(f"Bare {mirror.suite}"):
        alone = ("unshare", "--mount", "--propagation", "private", "--")
        run([*alone, tool("debootstrap"), "--variant=minbase", mirror.suite, unfinished, mirror.address])
    with step("Its dependencies from apt"):
        _configure(unfinished, mirror)
        system = Chroot(unfinished)
        system.apt("update")
        system.apt("satisfy", depends)
        system.apt("clean")
    for old in CACHE.glob(f"{mirror.suite}-*"):
        shutil.rmtree(old)
    return unfinished.rename(base)


def configured_mirror() -> Mirror:
    """What apt on this machine is configured with.

    Raises:
        PackagingError: this is no Debian or Ubuntu, or apt has no lists.
    """
    release = platform.freedesktop_os_release()
    suite, origin = release.get("VERSION_CODENAME", ""), release.get("NAME", "").split()[0]
    fields = "$(CREATED_BY)|$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(COMPONENT)"
    listed = [
        line.split("|") for line in run([tool("apt-get"), "indextargets", "--format", fields]).splitlines()
    ]
    targets = sorted({tuple(line[2:]) for line in listed if line[:2] == ["Packages", origin]})
    main = [address for codename, address, _ in targets if codename == suite]
    if not main:
        raise PackagingError("apt has no lists of packages", "Run “apt-get update” once, then try again.")
    sources = "".join(f"deb {address} {codename} {component}\n" for codename, address, component in targets)
    return Mirror(main[0], suite, sources)


def _configure(root: Path, mirror: Mirror) -> None:
    """Gives the new system this machine's sources, name resolution and proxies, and lets it start no service."""
    (root / "etc/apt/sources.list").write_text(mirror.sources)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(Path("/etc") / name, root / "etc" / name)
    settings = run([tool("apt-config"), "dump", "Acquire::http::Proxy", "Acquire::https::Proxy"])
    (root / "etc/apt/apt.conf.d/30proxy").write_text(settings)
    guard = root / "usr/sbin/policy-rc.d"
    guard.write_text("#!/bin/sh\nexit 101\n")
    guard.chmod(0o755)


def require_root() -> None:
    """Raises PackagingError where a chroot cannot be made."""
    if os.geteuid() != 0:
        raise PackagingError("The trial needs root", "Run “sudo .venv/bin/python -m installer smoke”.")
    allowed = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    if allowed.returncode:
        raise PackagingError(
            "This machine allows no mount namespaces",
            f"In a container, give it CAP_SYS_ADMIN. {allowed.stderr!r}",
        )


def clean() -> None:
    """Removes the cached systems."""
    shutil.rmtree(CACHE, ignore_errors=True)
