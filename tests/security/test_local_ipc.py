"""S16, local inter-process communication belongs to its user: another one reads no file and is answered by no socket."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.ipc import local_socket
from agent.system.dirs import Folders
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import Program
from tests.support.waiting import until

STRANGER = """
import os, pathlib, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    try:
        if path.name.endswith(".socket"):
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(10)
                asking.connect(name)
                asking.sendall(bytes([0, 0, 0, 15]) + b'{"name":"show"}')
                answer = asking.recv(1)
            print("answered", name) if answer else None
        else:
            print("read", name) if path.read_bytes() is not None else None
    except (PermissionError, ConnectionResetError, BrokenPipeError):
        pass
    except IsADirectoryError:
        pass
    try:
        os.listdir(name)
        print("listed", name)
    except (PermissionError, NotADirectoryError):
        pass
    try:
        os.open(name, os.O_WRONLY)
        print("could write", name)
    except (PermissionError, IsADirectoryError):
        pass
    except OSError as error:
        assert name.endswith(".socket"), error
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("opened", [False, True], ids=["as it is", "folders opened to all"])
def test_another_user_reads_no_file_and_is_answered_by_no_socket(tmp_path: Path, *, opened: bool) -> None:
    with a_session(keyring=False) as session:
        home = session.folder / "agent"
        paths = everything_of_an_agent(session, home, tmp_path, opened=opened)
    assert [path.name for path in paths if path.name == local_socket.NAME]


def everything_of_an_agent(session: Session, home: Path, tmp_path: Path, *, opened: bool) -> list[Path]:
    """Let the agent run, and a stranger try all that it made. Gives what was tried."""
    tidings = Program("agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "log")
    tidings.start("run", "--headless")
    try:
        until(lambda: (home / "run" / local_socket.NAME).exists(), "the socket")
        folders = Folders.under(home)
        paths = [path for path in home.rglob("*") if path != home]
        if opened:  # By the person's own mistake: each file and socket keeps its own mode and its own check.
            for folder in (session.folder, home, folders.data, folders.cache, folders.logs, folders.runtime):
                folder.chmod(0o755)
            paths = [path for path in paths if not path.is_dir()]
        done = subprocess.run(
            [sys.executable, "-c", STRANGER, *paths], capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        tidings.stop()
    assert done.stdout == ""
    return paths
