"""`make test` tries a few tests again alone, and says which."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAILS_UNTIL = """
import pathlib
import pytest
@pytest.mark.parametrize("name", {names})
{mark}
def test_it(name):
    tries = pathlib.Path(__file__).with_name(name)
    tries.write_text((tries.read_text() if tries.exists() else "") + "x")
    assert len(tries.read_text()) > {failures}
"""


def ran(
    folder: Path, where: str, *, failures: int, names: tuple[str, ...] = ("one",), mark: str = ""
) -> tuple[int, str, int]:
    """What the suite ends with, what it prints, and how often the first test ran."""
    place = folder / "tests" / where
    place.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = proves\naddopts = --import-mode=importlib\n")
    (place / "test_unsteady.py").write_text(FAILS_UNTIL.format(names=names, mark=mark, failures=failures))
    done = run(folder)
    return done.returncode, done.stdout + done.stderr, len((place / names[0]).read_text())


def run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.support.suite", "tests", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("folder", ["e2e", "integration/ui"])
def test_one_that_failed_beside_others_passes_if_it_passes_three_times_alone_and_is_named(
    tmp_path: Path, folder: str
) -> None:
    code, told, tries = ran(tmp_path, folder, failures=1)
    assert (code, tries) == (0, 4), told
    assert told.endswith(
        f"UNSTEADY, to be mended (why they failed is above):\n  tests/{folder}/test_unsteady.py::test_it[one]\n"
    )
    assert "assert 1 > 1" in told


@pytest.mark.parametrize("failures", [2, 3, 9])
def test_one_that_fails_alone_too_fails(tmp_path: Path, failures: int) -> None:
    code, told, tries = ran(tmp_path, "e2e", failures=failures)
    assert (code, tries) == (1, 2), told


def test_nothing_is_tried_again_if_all_pass(tmp_path: Path) -> None:
    code, told, tries = ran(tmp_path, "e2e", failures=0)
    assert (code, tries) == (0, 1), told
    assert "UNSTEADY" not in told


@pytest.mark.parametrize(
    ("folder", "names", "mark"),
    [
        ("unit/agent", ("one",), ""),
        ("privacy", ("one",), ""),
        ("e2e", ("one",), '@pytest.mark.proves("R4")'),
        ("e2e", ("one", "two", "three", "four"), ""),
    ],
    ids=["a unit test", "a privacy test", "a guarantee", "four at once"],
)
def test_what_is_no_accident_is_not_tried_again(
    tmp_path: Path, folder: str, names: tuple[str, ...], mark: str
) -> None:
    code, told, tries = ran(tmp_path, folder, failures=1, names=names, mark=mark)
    assert (code, tries) == (1, 1), told


@pytest.mark.slow
def test_a_worker_that_died_is_not_tried_again(tmp_path: Path) -> None:
    place = tmp_path / "tests" / "e2e"
    place.mkdir(parents=True)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -n 1\n")
    (place / "test_dies.py").write_text(
        "import os, pathlib\n"
        "def test_dies():\n"
        "    tries = pathlib.Path(__file__).with_name('tries')\n"
        "    if not tries.exists():\n"
        "        tries.touch()\n"
        "        os.abort()\n"
    )
    done = run(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "UNSTEADY" not in done.stdout


def unsteady_and(folder: Path, name: str, content: str) -> None:
    """A test that passes at the second try, and another file."""
    place = folder / "tests" / "e2e"
    place.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    (place / "test_a.py").write_text(FAILS_UNTIL.format(names=("one",), mark="", failures=1))
    (place / name).write_text(content)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_file_that_cannot_be_imported_is_not_tried_again(tmp_path: Path, workers: tuple[str, ...]) -> None:
    unsteady_and(tmp_path, "test_b.py", "import no_such_module\n")
    done = run(tmp_path, *workers)
    assert done.returncode != 0, done.stdout
    assert "UNSTEADY" not in done.stdout


@pytest.mark.parametrize("options", [("-x",), ("-x", "-n", "2"), ("--maxfail", "1")])
def test_a_run_that_stopped_early_is_not_tried_again(tmp_path: Path, options: tuple[str, ...]) -> None:
    unsteady_and(tmp_path, "test_b.py", "def test_wrong():\n    assert False\n")
    done = run(tmp_path, *options)
    assert done.returncode != 0, done.stdout
    assert "UNSTEADY" not in done.stdout
