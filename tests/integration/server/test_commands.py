"""The command line: results on stdout, explanations on stderr, 0, 1 and 2."""

import json
import os
import socket
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.children import descendants
from tests.support.server import bulk_data
from tests.support.server.campaign_server import COMPANY, ServerHome
from tests.support.server.commands import Done, tidings_server
from tests.support.server.wire import payload
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    return ServerHome(tmp_path / "server")


@pytest.fixture
def made(home: ServerHome) -> ServerHome:
    """With a company in it."""
    home.init()
    return home


def _company_file(home: ServerHome, text: str) -> Path:
    file = home.folder / "changed.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _document(home: ServerHome) -> dict[str, object]:
    with home.opened():
        return payload(bulk_data.company().document)


def test_the_program_explains_itself(home: ServerHome) -> None:
    assert home.succeed("--help").startswith("usage: tidings-server")


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["init"],
        ["people", "import"],
        ["campaign", "publish"],
        ["campaign", "recall"],
        ["invite"],
        ["report"],
        ["purge"],
        ["device", "list"],
        ["device", "revoke"],
        ["check"],
    ],
    ids=" ".join,
)
def test_every_command_explains_itself(home: ServerHome, words: list[str]) -> None:
    with home.opened():
        done = tidings_server(*words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_words_that_are_not_utf_8_are_misuse(home: ServerHome) -> None:
    _assert_misuse(home.command("invite", os.fsdecode(b"\xff@northwind.example")))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["invite"],
        ["serve", "--port", "x"],
        ["report", "--log-level", "LOUD"],
        ["check", "--data"],
        ["check", "--data", ""],
        ["serve", "--workers", "0"],
        ["serve", "--requests-per-minute", "-1"],
    ],
)
def test_misuse_is_two(home: ServerHome, words: list[str]) -> None:
    with home.opened():
        _assert_misuse(tidings_server(*words))


def _assert_misuse(done: Done | subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage:" in done.stderr


@pytest.mark.parametrize(
    "words", [["serve", "--port", "0"], ["invite", "a@b.example"], ["report"], ["purge", "a@b.example"]]
)
def test_a_server_that_was_never_set_up_says_so(home: ServerHome, words: list[str]) -> None:
    done = home.command(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "tidings-server" in done.stderr


def test_a_company_can_be_described_with_options(home: ServerHome) -> None:
    home.succeed(
        "init", "--id", "acme", "--name", "Acme", "--region", "us", "--dpo-name", "Ann", "--dpo-email", "ann@acme.example"
    )  # fmt: skip
    content = _document(home)["content"]
    assert isinstance(content, dict)
    assert (content["legal_name"], content["region"], content["notice"]["version"]) == ("Acme", "us", 1)
    assert set(content["notice"]["text"]) == {"en", "fr"}


def test_options_change_what_they_name_and_nothing_else(made: ServerHome) -> None:
    fewest = COMPANY.replace("[company]", "[company]\nminimum = 12")
    made.succeed("init", _company_file(made, fewest))
    made.succeed(
        "init", "--id", "northwind", "--name", "Nordwind", "--region", "eu", "--dpo-name", "Ann", "--dpo-email", "a@n.example"
    )  # fmt: skip
    content = _document(made)["content"]
    assert (content["name"], content["legal_name"]) == ("Nordwind", "Northwind SAS")
    assert content["link_hosts"] == ["northwind.example", "*.northwind.example"]
    assert json.loads(made.succeed("company", "show", "--json"))["minimum"] == 12


def test_what_is_secret_is_for_the_servers_user_only(made: ServerHome) -> None:
    secrets = [made.folder / "secret.key", *made.folder.glob("keys/*/*.json")]
    assert len(secrets) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets)


def test_changing_the_company_signs_its_document_afresh(made: ServerHome) -> None:
    before = _document(made)
    made.succeed("init", _company_file(made, COMPANY.replace('"Northwind"', '"Northwind Group"')))
    after = _document(made)
    assert isinstance(after["content"], dict)
    assert after["content"]["name"] == "Northwind Group"
    assert after["ctr"] > before["ctr"]  # type: ignore[operator]


def test_another_controller_needs_a_new_notice(made: ServerHome) -> None:
    """Whoever agreed did so to another (GDPR article 13(1)(a)): the agents' consents end with the notice's version."""
    another = COMPANY.replace("Northwind SAS", "Contoso SA")
    done = made.command("init", _company_file(made, another))
    assert done.returncode == 1
    assert "People agreed to share with Northwind SAS." in done.stderr
    made.succeed("init", _company_file(made, another.replace("version = 3", "version = 4")))
    content = _document(made)["content"]
    assert isinstance(content, dict)
    assert (content["legal_name"], content["notice"]["version"]) == ("Contoso SA", 4)


def test_a_notice_changes_only_with_a_higher_version(made: ServerHome) -> None:
    other = COMPANY.replace("counts what was seen", "counts and names what was seen")
    done = made.command("init", _company_file(made, other))
    assert done.returncode == 1
    assert "The notice needs a new version" in done.stderr
    made.succeed("init", _company_file(made, other.replace("version = 3", "version = 4")))
    assert made.command("init", _company_file(made, COMPANY)).returncode == 1


def test_a_company_does_not_move_to_another_region(made: ServerHome) -> None:
    done = made.command("init", _company_file(made, COMPANY.replace('region = "eu"', 'region = "us"')))
    assert done.returncode == 1
    assert "This server is in the European Union" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('region = "eu"', 'region = "moon"', "company.region"),
        ('"*.northwind.example"', '"*"', "company.link_hosts.1"),
        ('name = "Northwind"', 'nom = "Northwind"', "company.nom"),
        ('id = "northwind"', 'id = "northwind"\ntime_zone = "CET"', "write UTC, or an area and a city"),
        ('id = "northwind"', 'id = "northwind"\ntime_zone = "Europe/../Paris"', "company.time_zone"),
        ('name = "Northwind"', 'name = "North\u200bwind"', "company.name"),
        ('name = "Northwind"', 'name = "\u2800"', "company.name"),
        ("version = 3", "version = 0", "notice.version"),
    ],
)
def test_a_fault_in_the_company_file_is_named_by_its_place(
    home: ServerHome, old: str, new: str, place: str
) -> None:
    home.folder.mkdir()
    file = _company_file(home, COMPANY.replace(old, new))
    with home.opened():
        done = tidings_server("init", file)
    assert done.returncode == 1
    assert place in done.stderr
    assert not (home.folder / "keys").exists()


def test_where_there_are_two_companies_one_must_be_named(made: ServerHome) -> None:
    second = COMPANY.replace('id = "northwind"', 'id = "southwind"')
    made.succeed("init", _company_file(made, second))
    done = made.command("report")
    assert done.returncode == 1
    assert "northwind, southwind" in done.stderr
    made.succeed("report", "--company", "southwind")
    assert made.command("report", "--company", "eastwind").returncode == 1


def test_two_companies_on_one_server_know_nothing_of_each_other(made: ServerHome) -> None:
    made.succeed("init", _company_file(made, COMPANY.replace('id = "northwind"', 'id = "southwind"')))
    with made.opened():
        from server.directory.models import Company, Person

        south = Company.objects.get(pk="southwind")
        theirs = Person.objects.create(company=south, email="p0@northwind.example")
        ours = bulk_data.add_people(1)[0]
        video = bulk_data.add_media(b"video", "video/mp4")
        bulk_data.publish("c-same", media=[video])
        bulk_data.publish("c-same", owner=south)
        tokens = bulk_data.add_computers([ours, theirs])
    with made.running() as server:
        feeds = [
            requests.get(
                f"{server.url}/api/v1/feed", headers={"Authorization": f"Bearer {token}"}, timeout=30
            )
            for token in tokens
        ]
        issuers = [payload(feed.json()["company"])["iss"] for feed in feeds]
        assert issuers == ["northwind", "southwind"]
        media = f"{server.url}/api/v1/media/{video.sha256}"
        assert (
            requests.get(media, headers={"Authorization": f"Bearer {tokens[1]}"}, timeout=30).status_code
            == 404
        )


@pytest.mark.parametrize("end", ["interrupted", "terminated"])
def test_the_server_ends_cleanly_when_asked(made: ServerHome, end: str) -> None:
    with made.running(workers=2) as server, requests.Session() as kept_open:
        assert kept_open.get(f"{server.url}/api/v1/health", timeout=30).json() == {"status": "ok"}
        if end == "interrupted":
            server.process.interrupt()
            assert server.process.wait(PATIENCE_S) == 0
        else:
            assert server.process.stop() == 0
        assert "Traceback" not in server.process.output()


def test_a_worker_that_dies_is_replaced(made: ServerHome) -> None:
    with made.running(workers=1) as server:
        worker = descendants(server.process.pid)[0]
        worker.kill()
        until(
            lambda: server.answers() and worker not in descendants(server.process.pid),
            "another worker to answer",
        )


def test_a_port_that_is_taken_is_explained(made: ServerHome) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = made.command("serve", "--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert "Cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_finds_nothing_wrong_with_a_new_server(made: ServerHome) -> None:
    findings = json.loads(made.succeed("check", "--json"))
    assert {finding["state"] for finding in findings} == {"ok"}


@pytest.mark.parametrize(
    "fault", ["key missing", "key open", "key damaged", "database damaged", "tables missing"]
)
def test_check_names_what_is_broken(made: ServerHome, fault: str) -> None:
    key = made.folder / "keys" / "northwind" / "campaign.jwk.json"
    database = made.folder / "tidings.sqlite3"
    if fault == "key missing":
        key.unlink()
    elif fault == "key open":
        key.chmod(0o644)
    elif fault == "key damaged":
        key.write_text("{}")
    elif fault == "database damaged":
        database.write_bytes(b"\0" * 4096 + database.read_bytes()[4096:])
    else:
        with sqlite3.connect(database) as connection:
            connection.execute("DELETE FROM django_migrations WHERE app = 'signals'")
        connection.close()
    done = made.command("check")
    assert done.returncode == 1, done.stdout
    assert "✗" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_server_behind_tls_is_reached_by_https(made: ServerHome, tmp_path: Path) -> None:
    refused = made.command("serve", "--tls-certificate", tmp_path / "certificate.pem")
    assert refused.returncode == 1
    assert "--tls-key" in refused.stderr


def test_logs_and_answers_hold_no_token_and_no_address(made: ServerHome) -> None:
    with made.opened():
        person = bulk_data.add_people(1)[0]
        token = bulk_data.add_computers([person])[0]
    with made.running("--log-level", "INFO") as server:
        for path in ("feed", "nothing", "media/x"):
            requests.get(
                f"{server.url}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30
            )
        assert urlsplit(server.url).hostname == "127.0.0.1"
        output = server.process.output()
    assert token not in output
    assert person.email not in output
