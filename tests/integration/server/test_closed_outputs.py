"""A reader that stops reading ends a command quietly; an output that takes nothing is an explained fault."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.__main__ import main
from server.core.outputs import CLOSED_OUTPUT
from tests.support.server import bulk_data, large_company
from tests.support.server.campaign_server import ServerHome

PEOPLE = 400
"""Of each list enough for more than the 8 KiB that Python keeps back before it writes."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerHome]:
    """A company of which each list is long."""
    home = ServerHome(tmp_path_factory.mktemp("full") / "server")
    home.init()
    with home.opened():
        ids = large_company.people(PEOPLE)
        made = large_company.campaigns(PEOPLE // 4, ids)
        large_company.computers(ids)
        large_company.corrections(ids)
        large_company.acknowledgements(made[1], ids)
        large_company.audit_entries(bulk_data.company(), PEOPLE)
        yield home


def _printing_into(descriptor: int, words: str) -> int:
    """How a command ends whose standard output is this descriptor, which is then closed."""
    with contextlib.ExitStack() as after, open(descriptor, "w", closefd=False) as output:
        after.callback(os.close, descriptor)
        with contextlib.redirect_stdout(output):
            try:
                return main(words.split())
            except SystemExit as ended:
                return int(ended.code or 0)


def _unread_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


LONG = (
    "campaign list",
    "campaign list --json",
    "report",
    "report c-1 --acknowledgements",
    "device list",
    "device list --json",
    "corrections list",
    "corrections list --json",
    "audit show --last 1000",
    "audit export",
    "record",
)
SHORT = ("check", "check --json", "company list", "company show", "keys show", "--help", "report --help")


@pytest.mark.parametrize("words", LONG + SHORT)
def test_a_reader_that_is_gone_ends_the_command_quietly(
    full: ServerHome, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _printing_into(_unread_pipe(), words) == CLOSED_OUTPUT
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("words", ["campaign list --json", "check", "--help"])
def test_an_output_without_room_is_a_fault_that_is_explained(
    full: ServerHome, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _printing_into(os.open("/dev/full", os.O_WRONLY), words) == 1
    told = capfd.readouterr().err
    assert told == "Something could not be written\nThe system says: No space left on device.\n"


def test_an_import_is_done_although_nobody_reads_of_it(full: ServerHome, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,first_name\np1@northwind.example,Renamed\n")
    assert _printing_into(_unread_pipe(), f"people import {file}") == CLOSED_OUTPUT
    assert bulk_data.company().people.get(email="p1@northwind.example").first_name == "Renamed"


@pytest.mark.parametrize(
    ("words", "command", "status"),
    [
        ("audit export", "tidings | head -n 3 >&3", CLOSED_OUTPUT),
        ("company list", "tidings | true", CLOSED_OUTPUT),
        ("campaign recall none", "tidings 2>&1 | true", CLOSED_OUTPUT),
        ("company list", "tidings > /dev/full", 1),
        ("company list", "tidings >&- 2>&-", 0),
    ],
)
def test_the_program_itself_leaves_no_trace_behind(
    full: ServerHome, words: str, command: str, status: int
) -> None:
    """Python writes what is left, and complains, after the command's own end."""
    defined = f"exec 3>&1; set -o pipefail; tidings() {{ {sys.executable} -m server {words}; }}; {command}"
    done = subprocess.run(
        ["bash", "-c", defined],
        env=full.variables(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done
    assert len(done.stdout.splitlines()) == (3 if "head" in command else 0)
    assert ("could not be written" in done.stderr) == (status == 1)
    assert len(done.stderr.splitlines()) == (2 if status == 1 else 0)
