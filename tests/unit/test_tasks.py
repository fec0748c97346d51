"""The commands that everybody starts with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DPKG_WITH_NOTHING_INSTALLED = "#!/bin/sh\nexit 0\n"
SUDO_THAT_WANTS_A_PASSWORD = "#!/bin/sh\nexit 1\n"


def tasks(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tasks", *words]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_help_names_every_task(words: tuple[str, ...]) -> None:
    said = tasks(*words)
    assert said.returncode == 0
    for task in (
        "demo",
        "test",
        "prove-privacy",
        "bench",
        "package",
        "setup",
        "lint",
        "messages",
        "gallery",
        "clean",
    ):
        assert f"\n  {task} " in said.stdout


@pytest.mark.parametrize("words", [("dance",), ("setup", "dancing")])
def test_wrong_usage_ends_with_2_and_says_what_there_is(words: tuple[str, ...]) -> None:
    said = tasks(*words)
    assert said.returncode == 2
    assert "test" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="apt is Debian's")
def test_who_may_not_install_gets_the_line_to_run(tmp_path: Path) -> None:
    # Root may always install, so the task is told that it is somebody else.
    for name, script in {
        "dpkg-query": DPKG_WITH_NOTHING_INSTALLED,
        "sudo": SUDO_THAT_WANTS_A_PASSWORD,
    }.items():
        program = tmp_path / name
        program.write_text(script)
        program.chmod(0o755)
    for name in ("tasks.py", "system_packages.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    as_nobody = "import os, runpy, sys; os.geteuid = lambda: 65534; sys.argv = ['tasks', 'setup', 'run']"
    code = f"{as_nobody}; runpy.run_module('tasks', run_name='__main__')"
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert "sudo apt-get install --no-install-recommends" in said.stderr
    assert "libxcb-cursor0" in said.stderr


def test_make_passes_its_words_on() -> None:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    done = subprocess.run(
        ["make", "--silent", "setup", "ARGS=dancing"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "dancing" in done.stderr


APT_OF_ITS_OWN = """
Dir::State "{folder}";
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "/dev/null";
"""
HOLDS_A_LOCK = """
import fcntl, sys
with open(sys.argv[1], "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""
UPDATE = "import tasks; tasks.step('Package lists', ['env', 'LC_ALL=C', 'apt-get', 'update'])"


@pytest.mark.skipif(not shutil.which("apt-get"), reason="apt is Debian's")
def test_setup_waits_for_apts_lock_and_says_for_whom(tmp_path: Path) -> None:
    for name in ("lists/partial", "cache/archives/partial"):
        (tmp_path / name).mkdir(parents=True)
    config = tmp_path / "apt.conf"
    config.write_text(APT_OF_ITS_OWN.format(folder=tmp_path))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    lock = tmp_path / "lists" / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDS_A_LOCK, str(lock)], **pipes) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        environment = os.environ | {"APT_CONFIG": str(config)}
        update = [sys.executable, "-c", UPDATE]
        with subprocess.Popen(update, cwd=ROOT, env=environment, **pipes) as setup:
            assert setup.stdout
            told = ""
            while "apt's lock" not in told:
                piece = setup.stdout.read(1)
                assert piece, told
                told += piece
            holder.stdin.close()
            assert setup.wait(60) == 0
    assert f"waiting for process {holder.pid} (" in told
