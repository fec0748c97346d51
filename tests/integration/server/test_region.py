"""A server keeps the data of one region, and says where to go with that of another."""

from datetime import timedelta
from pathlib import Path

import pytest
import requests

from server.devices.enrolment import invite
from server.devices.models import Device, Invitation
from tests.support.contents import everything_under
from tests.support.server import bulk_data
from tests.support.server.campaign_server import COMPANY, RunningServer, ServerHome

AMERICAN = COMPANY.replace('region = "eu"', 'region = "us"').replace("northwind", "southwind")


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    return ServerHome(tmp_path / "server")


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "company.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _refused(home: ServerHome, *words: str | Path) -> str:
    done = home.command(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_the_first_company_sets_the_region(home: ServerHome, tmp_path: Path) -> None:
    home.take_tables()
    home.succeed("init", _file(tmp_path, COMPANY))
    assert (home.folder / "region").read_text() == "eu\n"
    told = _refused(home, "init", _file(tmp_path, AMERICAN))
    assert "This server is in the European Union" in told
    assert "the United States" in told
    with home.opened():
        assert bulk_data.company().id == "northwind"


def test_a_server_without_a_company_has_a_region_too(home: ServerHome, tmp_path: Path) -> None:
    home.take_tables()
    assert "the United States" in home.succeed("init", "--region", "us")
    before = everything_under(home.folder)
    assert "This server is in the United States" in _refused(home, "init", _file(tmp_path, COMPANY))
    assert "This server is in the United States" in _refused(home, "init", "--region", "eu")
    assert everything_under(home.folder) == before
    home.succeed("init", _file(tmp_path, AMERICAN))


def test_a_database_of_another_region_is_neither_served_nor_touched(tmp_path: Path) -> None:
    european, american = ServerHome(tmp_path / "eu"), ServerHome(tmp_path / "us")
    european.init()
    american.take_tables()
    american.succeed("init", "--region", "us")
    database = european.folder / "tidings.sqlite3"
    database.replace(american.folder / "tidings.sqlite3")
    before = everything_under(american.folder)
    (people := tmp_path / "people.csv").write_text("email\nzoe@northwind.example\n")
    for words in (
        ["serve", "--port", "0"],
        ["init", "--region", "us"],
        ["init", "--region", "eu"],
        ["people", "import", people],
        ["ledger", "begin-anew", "--yes"],
    ):
        assert "This database belongs to a server in the European Union" in _refused(american, *words)
    assert everything_under(american.folder) == before


def test_a_server_from_before_there_were_regions_takes_that_of_its_companies(home: ServerHome) -> None:
    home.init()
    (home.folder / "region").unlink()
    with home.opened():
        from server.region.models import Instance

        Instance.objects.all().delete()
    with home.running():
        assert (home.folder / "region").read_text() == "eu\n"


@pytest.mark.parametrize("content", ["", "moon\n", "\xff"])
def test_a_damaged_region_is_not_guessed(home: ServerHome, content: str) -> None:
    home.init()
    (home.folder / "region").write_text(content, encoding="latin-1")
    assert "The region of this server cannot be read" in _refused(home, "serve", "--port", "0")


def test_a_code_of_another_region_is_refused_and_nothing_is_stored(
    northwind: ServerHome, serving: RunningServer
) -> None:
    code = invite(bulk_data.add_people(1)[0], timedelta(days=1))
    plain = code.replace("-", "")
    elsewhere = "U" + plain[0] + plain[2:]
    body = {"code": elsewhere, "agent_version": "0.1.0", "platform": "linux"}
    answer = requests.post(f"{serving.url}/api/v1/enrolments", json=body, timeout=30)
    assert answer.status_code == 421
    assert answer.json()["type"] == "tidings:wrong-region"
    assert answer.json()["detail"] == "region us, not eu"
    assert (Device.objects.count(), Invitation.objects.get().used_at) == (0, None)
    assert serving.enrol(code).enrolment["company_id"] == "northwind"
