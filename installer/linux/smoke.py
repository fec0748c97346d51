"""The trial of the .deb: installed on a bare system, used on a virtual desktop, removed, and nothing left."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent import __version__
from installer.linux import chroot
from installer.linux.chroot import Chroot
from installer.steps import BUILD, ROOT, run, step, tool
from tests.support.agent.processes import TRACEBACK, Program
from tests.support.children import Child, descendants
from tests.support.desktop.accessible import Accessibility, Widget
from tests.support.desktop.screen import Window
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.ports import free_port
from tests.support.server.sample import SampleCompany, sample_media
from tests.support.waiting import OverdueError, until

PICTURES = BUILD / "smoke"
PERSON = "lea.roux@northwind.example"
TITLE = "The new Lyon studio opens on Monday"
NOBODY = "65534:65534"
OPTIONAL = ("platformthemes/libqgtk3.so",)
"""Plugins that are used only where the desktop has their libraries."""
FRAMES = 10
PATIENCE_S = 30


def try_out(package: Path) -> None:
    """Tries a package.

    Raises:
        AssertionError: it does not do what it should; the message says what.
        PackagingError: it could not be tried.
    """
    chroot.require_root()
    shutil.rmtree(PICTURES, ignore_errors=True)
    depends = run([tool("dpkg-deb"), "--field", package, "Depends"]).strip()
    with chroot.fresh(depends) as system:
        before = system.paths()
        with step("Install"):
            _install(system, package)
        with step("Libraries and commands"):
            _libraries(system)
            _commands(system)
        _use(system)
        with step("Purge"):
            system.apt("purge", "tidings")
            left = system.paths() - before
            assert not left, "purging leaves behind:\n" + "\n".join(sorted(left))
    print(f"   the trial went well; its pictures are in {PICTURES.relative_to(ROOT)}")


def _install(system: Chroot, package: Path) -> None:
    there = system.packages()
    shutil.copy(package, system.root / "tmp" / package.name)
    system.apt("install", f"/tmp/{package.name}")
    new = system.packages() - there
    assert new == {"tidings"}, f"installing brought {sorted(new)}"


def _libraries(system: Chroot) -> None:
    """Every library of the program finds every library that it needs in the package's dependencies."""
    folder = Path("/usr/lib/tidings")
    inside = system.root / folder.relative_to("/")
    files = [file for file in inside.rglob("*.so*") if not str(file).endswith(OPTIONAL)]
    paths = [folder / file.relative_to(inside) for file in files]
    # Started by the program, Python's modules and Qt's plugins find what the program has loaded already.
    search = f"{folder}/_internal:{folder}/_internal/PySide6:{folder}/_internal/PySide6/Qt/lib"
    found = system.run("env", f"LD_LIBRARY_PATH={search}", "ldd", *paths, accepted=(0, 1))
    missing = sorted({line.strip() for line in found.splitlines() if "not found" in line})
    assert not missing, "libraries are missing:\n" + "\n".join(missing)


def _commands(system: Chroot) -> None:
    """The commands work for a user without rights, and without a desktop."""
    as_nobody = ("env", "HOME=/tmp/nobody", "XDG_RUNTIME_DIR=/tmp/nobody", "tidings")
    told = system.run(*as_nobody, "--version", user=NOBODY).split()
    assert told == ["tidings", __version__], f"--version said {told}"
    checks = json.loads(system.run(*as_nobody, "doctor", "--json", user=NOBODY, accepted=(0, 1)))
    faults = [check for check in checks if check["verdict"] == "fault"]
    assert not faults, f"doctor found {faults}"


class InstalledAgent(Program):
    """`/usr/bin/tidings` of the installed package, on a desktop outside of the chroot."""

    def __init__(self, system: Chroot, desktop: VirtualDesktop) -> None:
        # The bare system has no other locale.
        env = desktop.env | {"LC_ALL": "C.UTF-8", "TIDINGS_LANGUAGE": "en"}
        super().__init__("ui", env, desktop.folder / "agent.log")
        self.command = system.words("/usr/bin/tidings", binds=[desktop.folder])


@contextmanager
def _desktop() -> Iterator[VirtualDesktop]:
    with VirtualDesktop(DesktopOptions(accessibility=True)) as desktop:
        try:
            yield desktop
        except (OverdueError, AssertionError):
            desktop.screen.screenshot(PICTURES / "stopped-here.png")
            print(desktop.log("agent"))
            raise


def _use(system: Chroot) -> None:
    """A person connects, gets a pop-up, watches its video, and leaves nothing behind."""
    with _desktop() as desktop:
        company = SampleCompany(desktop.folder / "server", free_port())
        with step("Sample company"):
            company.make()
            sample_media()
        with company.serving():
            agent = InstalledAgent(system, desktop)
            with step("Connect"):
                company.publish("lyon-studio")
                agent.run("enrol", company.url, "-", stdin=f"{company.home.invite(PERSON)}\n")
            with step("Pop-up"):
                child = agent.start("run", "--minimized")
                _in_tray(desktop, child)
                watch = _pop_up(desktop, child)
            with step("Video"):
                _watch(desktop, watch, child.pid)
            with step("Remove while it runs, delete the person's part"):
                assert agent.stop() == 0, agent.output()
                agent.run("purge", "--yes")
                _is_gone_from_home(desktop)
                _remove_running(system, desktop, agent)
            assert TRACEBACK not in agent.output(), agent.output()


def _in_tray(desktop: VirtualDesktop, agent: Child) -> None:
    """Waits for the agent's icon."""
    bus = desktop.bus
    assert bus is not None

    def found() -> bool:
        assert agent.running, f"the agent ended with {agent.exit_code}:\n{agent.output()}"
        return bool(bus.tray_items())

    until(found, "the icon in the tray", PATIENCE_S)


def _pop_up(desktop: VirtualDesktop, agent: Child) -> tuple[int, int]:
    """Waits for the pop-up of the campaign with a video. Returns where its Watch button is."""
    assert desktop.bus is not None
    widgets = Accessibility(desktop.bus)

    def found() -> list[Widget]:
        assert agent.running, f"the agent ended with {agent.exit_code}:\n{agent.output()}"
        return widgets.find("Watch", "push button")

    watch = until(found, "the pop-up with its Watch button", PATIENCE_S)[0]
    assert widgets.find(f".*{TITLE}.*"), f"the pop-up does not name the campaign:\n{widgets.outline()}"
    desktop.screen.screenshot(PICTURES / "pop-up.png")
    return watch.centre


def _watch(desktop: VirtualDesktop, watch: tuple[int, int], pid: int) -> None:
    """Clicks Watch, sees the picture move, and closes the player; its process ends."""
    there = {window.id for window in desktop.screen.windows()}
    desktop.screen.click(*watch)

    def player() -> Window | None:
        return next((w for w in desktop.screen.windows("Lyon") if w.id not in there), None)

    window = until(player, "the player's window", PATIENCE_S)
    left, top, right, bottom = window.box
    middle = (
        left + window.width // 4,
        top + window.height // 4,
        right - window.width // 4,
        bottom - window.height // 3,
    )
    seen: set[bytes] = set()

    def frames() -> bool:
        seen.add(desktop.screen.image(middle).tobytes())
        return len(seen) >= FRAMES

    until(frames, f"{FRAMES} different pictures of the video", PATIENCE_S)
    desktop.screen.screenshot(PICTURES / "video.png")
    assert descendants(pid), "the video does not play in a process of its own"
    desktop.screen.focus(window)
    desktop.screen.key("Escape")
    until(lambda: not descendants(pid), "the player's process to end", PATIENCE_S)


def _is_gone_from_home(desktop: VirtualDesktop) -> None:
    left = [path for path in desktop.home.rglob("*") if "tidings" in path.name.lower()]
    assert not left, "“tidings purge” leaves behind:\n" + "\n".join(map(str, left))


def _remove_running(system: Chroot, desktop: VirtualDesktop, agent: InstalledAgent) -> None:
    """Removing the package ends running agents in good order, and leaves its configuration file only."""
    child = agent.start("run", "--minimized")
    _in_tray(desktop, child)
    run(system.words_beside(child.pid, "apt-get", "--yes", "remove", "tidings"), env=chroot.environment())
    until(lambda: not child.running, "the agent to end", PATIENCE_S)
    assert child.exit_code == 0, agent.output()
    assert not os.path.lexists(system.root / "usr/bin/tidings")
