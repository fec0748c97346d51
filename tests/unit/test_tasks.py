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
