"""A server that lost one of its companies, in a backup that was half restored: the others go on, and nobody is told wrong."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from django.db import transaction

from server.archives.deleting import delete_rows
from server.core.errors import EnvironmentFault
from server.devices.auth import LOOK_EVERY_S, Doubt, Known, known
from server.devices.enrolment import invite
from server.devices.models import Device
from server.devices.tokens import new_token, token_hash
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from server.recovery.replay import COUNTER_LEAP
from server.signals.queries import in_force
from server.signing.documents import publish_company, sign_campaign
from tests.support.server.backups import back_up, restore, restore_under
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.two_companies import Two, two_companies
from tests.support.server.wire import consent
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Two:
    """In SQLite: to be copied."""
    return two_companies(ServerHome(tmp_path_factory.mktemp("two") / "server"))


@pytest.fixture
def two(made: Two, tmp_path: Path) -> Two:
    shutil.copytree(made.home.folder, tmp_path / "server")
    return Two(ServerHome(tmp_path / "server"), made.north, made.south)


def _feed(server: RunningServer, token: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{server.url}/api/v1/feed",
        headers={"Authorization": f"Bearer {token}"} | headers,
        timeout=PATIENCE_S,
    )


def _agree(server: RunningServer, token: str) -> requests.Response:
    return requests.post(
        f"{server.url}/api/v1/consents",
        json=consent("seen", notice_version=1),
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_S,
    )


def _invitation(company: str) -> str:
    """A code that connects a computer of the company's person."""
    return invite(Person.objects.get(company=company), timedelta(days=1))


def _connect(server: RunningServer, code: str) -> requests.Response:
    body = {"code": code, "platform": "linux", "agent_version": "0.1.0"}
    return requests.post(f"{server.url}/api/v1/enrolments", json=body, timeout=PATIENCE_S)


STATED = {"Tidings-Feed": "signed"}


def _assert_northwind_is_served(server: RunningServer, two: Two) -> None:
    assert _feed(server, two.north, **STATED).status_code == 200
    assert _feed(server, two.north).status_code == 200


def test_a_company_whose_rows_are_gone_is_named_and_its_place_is_kept(two: Two) -> None:
    with two.home.opened():
        delete_rows("southwind")
    assert "southwind" in two.names()
    taken = two.home.command("init", two.home.folder / "southwind.toml")
    assert taken.returncode == 1
    assert "southwind was on this server before" in taken.stderr
    with two.home.running() as server:
        _assert_northwind_is_served(server, two)
        for answer in (_feed(server, two.south), _agree(server, two.south)):
            assert (answer.status_code, answer.json()["type"]) == (503, "tidings:overloaded")
            assert int(answer.headers["Retry-After"]) >= 1
        assert "southwind" in server.process.output()


def test_who_was_disconnected_is_told_so_although_a_company_is_missing(two: Two) -> None:
    with two.home.opened():
        delete_rows("southwind")
        Device.objects.update(revoked_at=datetime.now(UTC))
    with two.home.running() as server:
        for token in (two.north, "no token of this server"):
            assert _feed(server, token).status_code == 401
            assert _agree(server, token).status_code == 401
        assert (_feed(server, two.south).status_code, _agree(server, two.south).status_code) == (503, 503)


def test_no_computer_is_told_that_it_is_not_connected_in_the_moment_after_rows_vanish(two: Two) -> None:
    with two.home.running() as server:
        assert _feed(server, "tdt_stranger").status_code == 401, "and all were looked for"
        with two.home.opened():
            delete_rows("southwind")
        assert (_feed(server, two.south).status_code, _agree(server, two.south).status_code) == (503, 503)
        _assert_northwind_is_served(server, two)


def test_a_token_is_in_doubt_as_long_as_a_restored_backup_is_older_than_the_data_folder(
    two: Two, tmp_path: Path
) -> None:
    two.home.environment["TIDINGS_RESTORE_WATCH_S"] = "0"
    back_up(two.home, tmp_path / "backup")
    with two.home.running() as server:
        with two.home.opened():
            computer = Device.objects.get(person__company="southwind")
            computer.pk, computer.token_hash = None, token_hash(newer := new_token())
            computer.save()
            erase(Company.objects.get(pk="northwind"), [Person.objects.get(company="northwind").pk])
        assert (_feed(server, newer).status_code, _feed(server, two.north).status_code) == (200, 401)
        restore_under(two.home, tmp_path / "backup")
        assert (_feed(server, newer).status_code, _agree(server, newer).status_code) == (503, 503)


def test_the_data_folder_is_looked_at_once_in_a_while_and_the_database_each_time(two: Two) -> None:
    looks: list[float] = []
    now = 0.0

    def look() -> Known:
        looks.append(now)
        return known()

    doubt = Doubt(look, clock=lambda: now)
    with two.home.opened():
        assert not doubt.is_there()
        assert not doubt.is_there()
        assert looks == [0.0]
        now = LOOK_EVERY_S
        assert not doubt.is_there()
        assert looks == [0.0, LOOK_EVERY_S]
        delete_rows("southwind")
        assert doubt.is_there()
        shutil.rmtree(two.home.folder / "keys" / "southwind")
        assert not doubt.is_there(), "it was closed"


def test_rows_of_a_company_that_is_gone_itself_are_named(two: Two) -> None:
    with closing(sqlite3.connect(two.home.folder / "tidings.sqlite3")) as opened, opened:
        opened.execute("DELETE FROM directory_company WHERE id = 'southwind'")
    found = two.names()
    assert "southwind" in found
    assert "directory_person → directory_company" in found


def test_a_company_whose_key_is_gone_waits_for_it_and_the_others_do_not(two: Two) -> None:
    key = two.home.folder / "keys" / "southwind" / "receipt.jwk.json"
    aside = key.rename(two.home.folder / "aside.json")
    assert "southwind" in two.names()
    with two.home.running() as server:
        _assert_northwind_is_served(server, two)
        assert "southwind cannot be served" in server.process.output()
        for answer in (
            _feed(server, two.south, **STATED),
            _feed(server, two.south),
            _agree(server, two.south),
        ):
            assert (answer.status_code, answer.json()["type"]) == (503, "tidings:overloaded")
        assert "Traceback" not in server.process.output()
        aside.rename(key)
        assert _feed(server, two.south, **STATED).status_code == 200


def test_a_company_with_the_keys_of_another_is_named_and_signs_nothing(two: Two) -> None:
    keys = two.home.folder / "keys"
    own = (keys / "southwind").rename(two.home.folder / "own")
    shutil.copytree(keys / "northwind", keys / "southwind")
    with two.home.opened():
        Company.objects.update(document_expires=datetime.now(UTC))  # soon: each is to be renewed
        before = Company.objects.get(pk="southwind").document
        north = Company.objects.get(pk="northwind").document
        code = _invitation("southwind")
    assert "Keys of southwind" in two.names()
    assert two.home.command("housekeeping").returncode == 1
    with two.home.running() as server:
        _assert_northwind_is_served(server, two)
        assert "southwind cannot be served" in server.process.output()
        for answer in (
            _feed(server, two.south, **STATED),
            _feed(server, two.south),
            _agree(server, two.south),
            _connect(server, code),
        ):
            assert (answer.status_code, answer.json()["type"]) == (503, "tidings:overloaded")
    with two.home.opened():
        southwind = Company.objects.get(pk="southwind")
        for sign in (publish_company, lambda company: sign_campaign(company, "c", {}, datetime.now(UTC))):
            with pytest.raises(EnvironmentFault, match="another company"), transaction.atomic():
                sign(southwind)
        assert Company.objects.get(pk="southwind").document == before
        assert Company.objects.get(pk="northwind").document != north, "the others are renewed"
    shutil.rmtree(keys / "southwind")
    own.rename(keys / "southwind")
    with two.home.running() as server:
        assert _feed(server, two.south, **STATED).status_code == 200
        assert _connect(server, code).status_code == 201


def _restored_without_a_withdrawal(two: Two, tmp_path: Path) -> None:
    """Of the person in Southwind, who took their consent back after the backup was made."""
    given = consent("seen", notice_version=1)
    headers = {"Authorization": f"Bearer {two.south}"}
    with two.home.running() as server:
        api = f"{server.url}/api/v1"
        assert requests.post(f"{api}/consents", json=given, headers=headers, timeout=PATIENCE_S).ok
        back_up(two.home, tmp_path / "backup")
        ended = given | {"status": "withdrawn"}
        assert requests.post(f"{api}/consents", json=ended, headers=headers, timeout=PATIENCE_S).ok
    restore(two.home, tmp_path / "backup")


def _in_force(two: Two) -> list[str]:
    """What people of Southwind share, as everything that counts looks for it."""
    with two.home.opened():
        return list(in_force(Company.objects.get(pk="southwind")).values_list("signal", flat=True))


@pytest.mark.parametrize(
    ("of", "others"),
    [
        ("nobody", [("housekeeping",), ("report", "--update"), ("company", "list")]),
        ("northwind", [("housekeeping",)]),
    ],
)
def test_a_backup_that_lacks_a_withdrawal_is_of_no_use_until_the_keys_for_it_are_there(
    two: Two, tmp_path: Path, of: str, others: list[tuple[str, ...]]
) -> None:
    _restored_without_a_withdrawal(two, tmp_path)
    keys = two.home.folder / "keys"
    aside = (keys / "southwind").rename(two.home.folder / "aside")
    if of == "northwind":
        shutil.copytree(keys / of, keys / "southwind")
    assert _in_force(two) == ["seen"], "the backup knows nothing of the withdrawal"
    with two.home.opened():
        counter = Company.objects.get(pk="southwind").counter
    for words in [("serve", "--port", "0"), *others]:
        refused = two.home.command(*words)
        assert (refused.returncode, "southwind cannot sign" in refused.stderr) == (1, True), refused
        assert "Traceback" not in refused.stderr
    assert two.names()
    shutil.rmtree(keys / "southwind", ignore_errors=True)
    aside.rename(keys / "southwind")
    with two.home.running() as server:
        _assert_northwind_is_served(server, two)
        assert _feed(server, two.south, **STATED).status_code == 200
        assert _in_force(two) == []
    with two.home.opened():
        assert Company.objects.get(pk="southwind").counter > counter + COUNTER_LEAP


def test_where_the_keys_for_a_withdrawal_are_lost_for_good_new_ones_do_it(two: Two, tmp_path: Path) -> None:
    _restored_without_a_withdrawal(two, tmp_path)
    shutil.rmtree(two.home.folder / "keys" / "southwind")
    assert "1 computer was disconnected" in two.home.succeed(
        "keys", "replace", "--yes", "--company", "southwind"
    )
    assert _in_force(two) == []
    with two.home.running() as server:
        _assert_northwind_is_served(server, two)


def test_keys_that_were_replaced_after_a_backup_catch_it_up(two: Two, tmp_path: Path) -> None:
    back_up(two.home, tmp_path / "backup")
    two.home.succeed("keys", "replace", "--yes", "--company", "southwind")
    restore(two.home, tmp_path / "backup")
    with two.home.running() as server:
        _assert_northwind_is_served(server, two)
        assert _feed(server, two.south).status_code == 401
        assert "cannot be served" not in server.process.output()
    assert "✓ Keys of southwind" in two.home.command("check").stdout


def _exchange_receipt_key(two: Two) -> Path:
    """Northwind's in place of Southwind's. Gives where Southwind's own lies now."""
    keys = two.home.folder / "keys"
    aside = (keys / "southwind" / "receipt.jwk.json").rename(two.home.folder / "own.jwk.json")
    shutil.copyfile(keys / "northwind" / "receipt.jwk.json", keys / "southwind" / "receipt.jwk.json")
    (keys / "southwind" / "receipt.jwk.json").chmod(0o600)
    return aside


def test_a_receipt_key_that_was_exchanged_alone_is_named_and_signs_nothing(two: Two, tmp_path: Path) -> None:
    with two.home.running() as server:
        assert _agree(server, two.south).ok, "with its own key"
        aside = _exchange_receipt_key(two)
        for answer in (_agree(server, two.south), _feed(server, two.south, **STATED)):
            assert (answer.status_code, answer.json()["type"]) == (503, "tidings:overloaded")
        _assert_northwind_is_served(server, two)
    assert "Keys of southwind" in two.names()
    of_southwind = ("--company", "southwind")
    for words in (("keys", "show"), ("company", "export", tmp_path / "southwind.zip")):
        refused = two.home.command(*words, *of_southwind)
        assert (refused.returncode, refused.stdout) == (1, ""), refused
        assert "of another company, or of another time" in refused.stderr
    assert not (tmp_path / "southwind.zip").exists()
    aside.replace(two.home.folder / "keys" / "southwind" / "receipt.jwk.json")
    assert "receipt" in two.home.succeed("keys", "show", *of_southwind)


def test_a_restored_backup_is_of_no_use_with_an_exchanged_receipt_key(two: Two, tmp_path: Path) -> None:
    _restored_without_a_withdrawal(two, tmp_path)
    aside = _exchange_receipt_key(two)
    refused = two.home.command("serve", "--port", "0")
    assert (refused.returncode, "southwind cannot sign" in refused.stderr) == (1, True), refused
    aside.replace(two.home.folder / "keys" / "southwind" / "receipt.jwk.json")
    two.home.succeed("housekeeping")
    assert _in_force(two) == []


def test_which_receipt_key_is_its_own_is_noted_of_a_company_that_was_made_before(two: Two) -> None:
    with two.home.opened():
        noted = dict(Company.objects.values_list("pk", "receipt_key"))
        assert all(noted.values())
        Company.objects.update(receipt_key="")
    with two.home.running() as server:
        _assert_northwind_is_served(server, two)
    with two.home.opened():
        assert dict(Company.objects.values_list("pk", "receipt_key")) == noted
