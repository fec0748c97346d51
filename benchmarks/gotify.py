"""gotify-tray, the nearest open program, in an environment of its own, connected to a server on loopback."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.agent.processes import ROOT
from tests.support.children import Child
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.waiting import until

ENVIRONMENT = ROOT / ".venv-gotify"
LOCK = Path(__file__).parent / "gotify-tray.lock"
NAME = "gotify-tray"


class InstallationFailed(Exception):
    """The reference program could not be installed; the message has pip's last lines."""


def install() -> Path:
    """Installs it by hash in .venv-gotify, unless it is there. Returns its Python.

    Raises:
        InstallationFailed: pip failed.
    """
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "lock.sha256"
    mark = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == mark:
        return python
    make: list[str | Path] = [sys.executable, "-m", "venv", "--clear", ENVIRONMENT]
    fill: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        LOCK,
    ]
    for command in (make, fill):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallationFailed((done.stdout + done.stderr)[-2000:])
    stamp.write_text(mark)
    return python


@contextmanager
def running(desktop: VirtualDesktop, python: Path) -> Iterator[Child]:
    """The program in the tray of a desktop, connected."""
    server = desktop.start(
        [sys.executable, "-m", "benchmarks.gotify_server"], "gotify-server", {"PYTHONPATH": str(ROOT)}
    )
    address = until(lambda: re.search(r"http://\S+", server.output()), "Gotify's address").group()
    config = Path(desktop.env["XDG_CONFIG_HOME"]) / f"{NAME}.conf"
    config.write_text(f"[Server]\nurl={address}\nclient_token=C\n\n[logging]\nlevel=DEBUG\n")
    program = desktop.start([python, "-m", "gotify_tray"], NAME, {"TMPDIR": str(desktop.folder)})
    port = int(address.rpartition(":")[2])
    try:
        until(lambda: _is_connected(program.pid, port), f"{NAME} to connect:\n{program.output()}", 30)
        yield program
    finally:
        program.stop()
        server.stop()


def _is_connected(pid: int, port: int) -> bool:
    """Whether it holds an open connection to the server: its stream."""
    return any(
        each.raddr and each.raddr.port == port and each.status == psutil.CONN_ESTABLISHED
        for each in psutil.Process(pid).net_connections("tcp")
    )
