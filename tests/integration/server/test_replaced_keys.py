"""A replacement of stolen keys that is killed on its way: what is told then can be done, and helps."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.devices.models import Device
from server.directory.models import Company
from server.erasure.erasure import erase
from server.erasure_ledger.models import LedgerState
from server.signing.checking import require_own_keys
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.commands import Done, tidings_server
from tests.support.server.killed_commands import Killing, killing

REPLACE = ("keys", "replace", "--yes")
ADVICE = re.compile(r"tidings-server (keys replace --yes --company \S+?)\.")
BEFORE = (
    "os.rename campaign.jwk.json",
    "os.rename receipt.jwk.json",
    "open .campaign.jwk.json.new",
    "os.rename .campaign.jwk.json.new",
    "os.rename .receipt.jwk.json.new",
    "BEGIN IMMEDIATE",
    'INSERT INTO "audit_entry"',
    "os.remove northwind.keys",
)

pytestmark = pytest.mark.expected_logs("older than what happened since", "cannot be served")


@pytest.fixture(scope="module")
def kills() -> Iterator[Killing]:
    with killing() as made:
        yield made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """With a connected computer, and a line in the erasure ledger."""
    home = ServerHome(tmp_path_factory.mktemp("replaced") / "server")
    home.init()
    with home.opened():
        leaver, *others = bulk_data.add_people(2)
        bulk_data.add_computers(others)
        erase(bulk_data.company(), [leaver.pk])
    return home


@pytest.fixture(scope="module")
def steps(made: ServerHome, kills: Killing, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Those of a replacement that nobody kills."""
    home = ServerHome(tmp_path_factory.mktemp("whole") / "server")
    shutil.copytree(made.folder, home.folder)
    return kills.run(home, *REPLACE)[1]


@pytest.fixture
def home(made: ServerHome, tmp_path: Path) -> ServerHome:
    shutil.copytree(made.folder, tmp_path / "server")
    return ServerHome(tmp_path / "server")


def _has_own_keys() -> bool:
    return "✓ Keys of northwind" in tidings_server("check").stdout


def _advice(told: Done) -> list[str]:
    """The command that is advised, in words. Nothing else may be."""
    assert told.returncode == 1, told
    text = told.stdout + told.stderr
    assert "half replaced" in text, text
    assert "Restore" not in text, text
    assert "Put keys" not in text, text
    found = ADVICE.search(text)
    assert found, text
    return found[1].split()


def _connected() -> int:
    return Device.objects.filter(revoked_at=None).count()


@pytest.mark.parametrize("step", BEFORE)
def test_whenever_a_replacement_is_killed_the_advice_that_follows_ends_it(
    home: ServerHome, kills: Killing, steps: list[str], step: str
) -> None:
    killed, _ = kills.run(home, *REPLACE, before=steps.index(step))
    assert killed
    with home.opened():
        is_over = step == "os.remove northwind.keys"
        is_begun = not is_over and step != BEFORE[0]
        assert _has_own_keys() != is_begun
        if is_begun:
            advised = [
                _advice(tidings_server(*words)) for words in (("check",), ("keys", "show"), ("serve",))
            ]
            assert advised[0] == advised[1] == advised[2]
            done = tidings_server(*advised[0])
            assert done.returncode == 0, done
        if step != BEFORE[0]:
            assert _connected() == 0, "a thief could go on as one of them"
            assert len(list((home.folder / "keys" / "northwind").glob("*.replaced"))) >= 2
        assert _has_own_keys()
        assert tidings_server("keys", "show").returncode == 0
        require_own_keys(Company.objects.get(pk="northwind"))


def test_a_killed_replacement_is_not_taken_for_one_that_a_backup_lacks(
    home: ServerHome, kills: Killing, steps: list[str]
) -> None:
    kills.run(home, *REPLACE, before=steps.index("BEGIN IMMEDIATE"))
    with home.opened():
        LedgerState.objects.all().delete()  # as in a backup that is older than the erasure
        done = tidings_server(*_advice(tidings_server("company", "list")))
        assert done.returncode == 0, done
        assert (_connected(), _has_own_keys()) == (0, True)
        assert tidings_server("company", "list").returncode == 0


def test_a_replacement_that_fails_leaves_the_keys_that_were_there(home: ServerHome) -> None:
    keys = home.folder / "keys" / "northwind"
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    with home.opened():
        Company.objects.get(
            pk="northwind"
        ).notices.all().delete()  # without one its document cannot be signed
        with pytest.raises(Exception, match="Notice"):
            tidings_server(*REPLACE)
        assert {path.name: path.read_bytes() for path in keys.iterdir()} == before
        assert (_connected(), _has_own_keys()) == (1, True)


def test_a_key_that_cannot_be_read_is_replaced_and_stands_in_nothings_way(
    home: ServerHome, tmp_path: Path
) -> None:
    (home.folder / "keys" / "northwind" / "receipt.jwk.json").write_text("{")
    with home.opened():
        assert tidings_server(*REPLACE).returncode == 0
        done = tidings_server("company", "export", tmp_path / "northwind.zip")
        assert done.returncode == 0, done
