"""What either program writes is its own user's alone, though the umask forbids nothing and the folder is open to all."""

import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from agent.domain.model import Interaction, InteractionKind
from agent.runtime import Runtime
from agent.system.dirs import Folders
from server.directory.models import Company
from tests.support.agent import company_in_memory
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE, asked
from tests.support.server.campaign_server import COMPANY, ServerHome
from tests.support.server.wire import event, give, send
from tests.support.waiting import until

PEOPLE = "email,groups\nada@northwind.example,Everyone\nbob@northwind.example,Everyone\n"
PICTURE = BytesIO()
Image.new("RGB", (64, 64), "#2563eb").save(PICTURE, "PNG")
PNG = PICTURE.getvalue()


@pytest.fixture(autouse=True)
def _umask_that_forbids_nothing() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


def open_to_others(*folders: Path, but: tuple[str, ...] = ()) -> list[str]:
    """What another user of the computer could read, change or enter, by its own mode."""
    return [
        f"{stat.filemode(path.lstat().st_mode)} {path}"
        for folder in folders
        for path in [folder, *sorted(folder.rglob("*"))]
        if path.lstat().st_mode & 0o077 and not path.is_symlink() and not set(path.parts) & set(but)
    ]


def clicks(env: dict[str, str]) -> None:
    """The person clicks while the server is away: the click waits."""
    runtime = Runtime.open(Folders.under(Path(env["TIDINGS_HOME"])))
    try:
        runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    finally:
        runtime.stop()


def test_of_the_agent(session: Session, tmp_path: Path) -> None:
    home = session.folder / "agent"
    home.mkdir()
    env = session.env | {"TIDINGS_HOME": str(home)}
    tidings = Program("ui", env, tmp_path / "log")
    company = company_in_memory.Company()
    company.publish("c-one")
    digest = hashlib.sha256(PNG).hexdigest()
    company.media[digest] = PNG
    company.sign_company(
        logo={"sha256": digest, "size": len(PNG), "type": "image/png", "width": 64, "height": 64, "alt": ""}
    )
    with loopback_server(company) as server:
        tidings.run("enrol", server.url, CODE)
        tidings.run("privacy", "set", "seen=on", "click=on", "like=on")
        tidings.run("--log-level", "debug", "once")
        clicks(env)
        tidings.run("privacy", "export", str(session.folder / "copy"))
        server.requests.clear()
        tidings.start("run", "--headless")
        until(lambda: asked(server, "signals"), "the click at the server")
        clicks(env)
        found = open_to_others(
            home / "data", home / "cache", home / "logs", home / "run", session.folder / "copy"
        )
        names = {path.name for path in home.rglob("*")}
        tidings.stop()
    assert found == []
    assert {
        digest,
        "tidings.log",
        "tidings.sqlite3",
        "tidings.sqlite3-wal",
        "consent.record",
        "agent.lock",
    } <= names
    assert {"agent.place", "control.socket", "keychain.name", "outbox-click.sqlite3"} <= names


def test_of_an_agent_whose_files_an_earlier_version_left_open(session: Session, tmp_path: Path) -> None:
    home = session.folder / "agent"
    tidings = Program("agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "log")
    tidings.run("status")
    for path in home.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    tidings.run("status")
    assert open_to_others(home / "data", home / "cache", home / "logs", home / "run") == []


def test_of_the_server(tmp_path: Path) -> None:
    home, other = ServerHome(tmp_path / "server"), ServerHome(tmp_path / "other")
    described, people = tmp_path / "company.toml", tmp_path / "people.csv"
    described.write_text(COMPANY)
    people.write_text(PEOPLE)
    home.folder.mkdir()
    home.succeed("init", described)
    home.succeed("people", "import", people)
    (tmp_path / "picture.png").write_bytes(PNG)
    campaign = tmp_path / "campaign.toml"
    campaign.write_text(CAMPAIGN.format(ends=f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"))
    campaign_id = home.succeed("campaign", "publish", campaign).split()[0]
    made = tmp_path / "made"
    made.mkdir()
    with home.running(workers=2) as server:
        computer = server.computer("ada@northwind.example")
        receipt = give(computer, "seen")
        assert send(computer, event("seen", campaign_id, receipt)) == ["stored"]
        home.succeed("purge", "bob@northwind.example", "--yes")
        home.succeed("company", "export", made / "northwind.zip")
        home.succeed("audit", "export", "-o", made / "audit.csv")
        home.succeed("record", "-o", made / "record.html")
        with home.opened():
            assert Company.objects.count() == 1, "with the database open there is a log"
            while_it_serves = {path.name for path in home.folder.rglob("*")}
            found = open_to_others(home.folder, but=("server.log",))
    other.succeed("init", "--region", "eu")
    other.succeed("company", "import", made / "northwind.zip")
    found += open_to_others(home.folder, other.folder, *made.iterdir(), but=("server.log",))
    assert found == []
    assert {"tidings.sqlite3", "tidings.sqlite3-wal", "tidings.sqlite3-shm", "secret.key"} <= while_it_serves
    assert len(list((other.folder / "media").rglob("*"))) > 2


def test_of_a_server_whose_files_an_earlier_version_left_open(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    for path in home.folder.rglob("*"):
        if "keys" not in path.parts:
            path.chmod(0o777 if path.is_dir() else 0o666)
    with home.running():
        assert open_to_others(home.folder, but=("server.log", "company.toml")) == []


CAMPAIGN = """
sender = "Northwind"
ends = {ends}
default_language = "en"

[audience]
groups = ["Everyone"]

[variants.en]
title = "News"
body = "There is news."

[variants.en.image]
file = "picture.png"
alt = "A picture"
"""
