"""The erasure ledger: whole or refused, ahead of the database or equal to it, and without names."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from server.access.models import AccessToken
from server.access.roles import Role
from server.access.tokens import revoke as revoke_access
from server.accounts.invitations import invite as invite_account
from server.accounts.invitations import remove as remove_account
from server.accounts.invitations import reset as reset_account
from server.accounts.invitations import use_link
from server.accounts.models import Account, Session, SignInLink
from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.core.errors import EnvironmentFault
from server.devices.enrolment import enrol, invite, revoke
from server.devices.models import Device
from server.devices.tokens import token_hash
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from server.erasure_ledger import ledger
from server.erasure_ledger.models import LedgerState
from server.publishing.recall import recall
from server.recovery.replay import COUNTER_LEAP, catch_up
from tests.support.server import bulk_data
from tests.support.server.administration import token_for
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import PASSWORD, account_of, client_of, console_settings
from tests.support.server.wire import an_hour_ago

pytestmark = pytest.mark.both_databases


@pytest.fixture
def home(northwind: ServerHome) -> Iterator[ServerHome]:
    """Northwind with a ledger that begins anew."""
    _begin_anew()
    yield northwind
    _begin_anew()


def _begin_anew() -> None:
    ledger.path().unlink(missing_ok=True)
    LedgerState.objects.all().delete()


def _erase_two_of_three() -> Company:
    company = bulk_data.company()
    first, second, _third = bulk_data.add_people(3)
    for person in (first, second):
        erase(company, [person.pk])
    return company


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda lines: lines[:-1], "too short"),
        (lambda lines: [], "too short"),
        (lambda lines: [lines[0].replace(b"person-erased", b"company-closed"), *lines[1:]], "damaged"),
        (lambda lines: [*lines[:-1], b"{}\n"], "damaged"),
        (lambda lines: lines[::-1], "damaged"),
    ],
    ids=["cut", "empty", "changed", "broken", "reordered"],
)
def test_with_a_ledger_that_is_not_whole_nothing_is_served(
    home: ServerHome, damage: Callable[[list[bytes]], list[bytes]], what: str
) -> None:
    _erase_two_of_three()
    lines = ledger.path().read_bytes().splitlines(keepends=True)
    ledger.path().write_bytes(b"".join(damage(lines)))
    with pytest.raises(EnvironmentFault, match=what):
        catch_up(thorough=True)


def test_a_line_that_a_crash_left_unfinished_is_cut_off(home: ServerHome) -> None:
    _erase_two_of_three()
    whole = ledger.path().read_bytes()
    with ledger.path().open("ab") as file:
        file.write(whole[: len(whole) // 3])
    assert catch_up(thorough=True) == {}
    assert ledger.path().read_bytes() == whole


@pytest.mark.expected_logs("older than what happened since")
def test_an_erasure_that_a_crash_cut_off_after_its_line_is_done_at_the_next_start(home: ServerHome) -> None:
    company = bulk_data.company()
    first, second = bulk_data.add_people(2)
    state = LedgerState.objects.values().first()
    with transaction.atomic():
        ledger.write([ledger.Fact("person-erased", company.pk, person=ledger.person_hash(first.pk))])
    # As the database is after the crash: the line is on the disk, the transaction is not.
    LedgerState.objects.all().delete()
    if state:
        LedgerState.objects.create(**state)
    erase(company, [second.pk])
    assert Person.objects.count() == 1
    assert catch_up() == {"person-erased": 1}
    assert not Person.objects.exists()
    assert bulk_data.company().counter >= COUNTER_LEAP


@pytest.mark.expected_logs("older than what happened since")
def test_a_recall_and_revocations_that_a_crash_cut_off_are_done_at_the_next_start(home: ServerHome) -> None:
    company = bulk_data.company()
    (device,) = bulk_data.add_computers(bulk_data.add_people(1))
    office = token_for("dpo")
    for name in ("c-kept", "c-wrong"):
        bulk_data.publish(name, starts=an_hour_ago())
    with transaction.atomic():
        ledger.write(
            [
                ledger.Fact("campaign-recalled", company.pk, campaign="c-wrong"),
                ledger.Fact("device-revoked", company.pk, token=ledger.token_digest(token_hash(device))),
                ledger.Fact("access-revoked", company.pk, token=ledger.token_digest(token_hash(office))),
            ]
        )
    LedgerState.objects.all().delete()
    assert catch_up() == {"campaign-recalled": 1, "device-revoked": 1, "access-revoked": 1}
    assert dict(Campaign.objects.values_list("campaign_id", "status")) == {
        "c-kept": "live",
        "c-wrong": "recalled",
    }
    assert not Device.objects.filter(revoked_at=None).exists()
    assert not AccessToken.objects.exists()
    assert catch_up(thorough=True) == {}


def test_what_the_ledger_cannot_hold_does_not_happen(home: ServerHome) -> None:
    company = bulk_data.company()
    bulk_data.add_computers(bulk_data.add_people(1))
    token_for("dpo")
    bulk_data.publish("c-news", starts=an_hour_ago())
    ledger.path().mkdir()
    for act in (
        lambda: recall(company, "c-news", "command-line"),
        lambda: revoke([Device.objects.get().pk]),
        lambda: revoke_access(company, AccessToken.objects.get().pk, "test"),
    ):
        with pytest.raises(EnvironmentFault, match="cannot be written"):
            act()
    ledger.path().rmdir()
    assert Campaign.objects.get().status == "live"
    assert not Entry.objects.filter(action="recall").exists()
    assert Device.objects.get().revoked_at is None
    AccessToken.objects.get().delete()


def _enrol_again(person: Person) -> None:
    code = invite(person, timedelta(days=1))
    for _time in range(2):
        enrol(code, "linux", "0.1.0", retry_secret="a secret")


def _revoke_all(person: Person) -> None:
    bulk_data.add_computers([person])
    revoke([device.pk for device in Device.objects.filter(person=person)])


@pytest.mark.parametrize("act", [_enrol_again, _revoke_all])
def test_the_ledgers_line_comes_after_all_else_of_its_transaction(
    home: ServerHome, act: Callable[[Person], None]
) -> None:
    (person,) = bulk_data.add_people(1)
    before = ledger.end().number
    with CaptureQueriesContext(connection) as queries:
        act(person)
    written = [each["sql"] for each in queries if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert ledger.end().number == before + 1
    assert LedgerState._meta.db_table in written[-1]


def test_the_ledger_names_nobody(home: ServerHome) -> None:
    (person,) = bulk_data.add_people(1)
    (token,) = bulk_data.add_computers([person])
    device = Device.objects.get()
    revoke([device.pk])
    erase(bulk_data.company(), [person.pk])
    content = ledger.path().read_text()
    assert ledger.path().stat().st_mode & 0o777 == 0o600
    needles = (person.email, str(person.pk), person.pk.hex, token, device.token_hash)
    assert content.count("\n") == 2
    assert [needle for needle in needles if needle in content] == []


def test_what_lets_nobody_into_the_console_any_more_does_not_come_back_with_a_backup(
    home: ServerHome,
) -> None:
    company = bulk_data.company()
    with console_settings():
        gone, locked, kept = (
            account_of(f"{name}@northwind.example", Role.DPO) for name in ("gone", "locked", "kept")
        )
        client_of(locked)
        _account, token = invite_account(company, "new@northwind.example", [Role.DPO], "test")
        models = (Account, Authenticator, SignInLink, Session)
        backup = _rows_of(models)
        remove_account(gone, "test")
        reset_account(locked, "test")
        assert use_link(token, PASSWORD)
        _put_back(models, backup)
        assert catch_up()["access-revoked"] == 3
        assert not Account.objects.filter(email="gone@northwind.example").exists()
        assert not Account.objects.get(pk=locked.pk).has_usable_password()
        assert set(Authenticator.objects.values_list("user", flat=True)) == {kept.pk}
        assert not Session.objects.exists()
        assert not SignInLink.objects.exists()
        assert Account.objects.get(pk=kept.pk).check_password(PASSWORD)
        assert catch_up(thorough=True) == {}
        Account.objects.all().delete()


@pytest.mark.expected_logs("older than what happened since")
def test_the_account_of_somebody_erased_stays_away_though_the_backup_holds_no_such_person(
    home: ServerHome,
) -> None:
    (person,) = bulk_data.add_people(1)
    with console_settings():
        account_of(person.email, Role.DPO)
        kept = account_of("kept@northwind.example", Role.DPO)
        models = (Account, Authenticator)
        backup = _rows_of(models)
        erase(bulk_data.company(), [person.pk])
        _put_back(models, backup)
        assert Account.objects.count() == 2
        assert catch_up() == {"access-revoked": 1}
        assert Account.objects.get() == kept
        assert catch_up(thorough=True) == {}
        Account.objects.all().delete()


@pytest.mark.expected_logs("older than what happened since")
def test_an_app_that_was_given_up_lets_nobody_in_again_whatever_the_password_was(home: ServerHome) -> None:
    with console_settings():
        account = account_of("someone@northwind.example", Role.DPO)
        models = (Account, Authenticator)
        backup = _rows_of(models)
        # As a newer hash of the same password, after a sign-in, is another text.
        account.set_password(PASSWORD)
        account.save()
        reset_account(account, "test")
        _put_back(models, backup)
        assert catch_up() == {"access-revoked": 1}
        assert not Account.objects.get().has_usable_password()
        assert not Authenticator.objects.exists()
        assert catch_up(thorough=True) == {}
        Account.objects.all().delete()


def _rows_of(models: Sequence[type[Model]]) -> list[Model]:
    return [row for model in models for row in model._default_manager.all()]


def _put_back(models: Sequence[type[Model]], rows: list[Model]) -> None:
    """As a restored backup does, which knows nothing of the ledger."""
    for model in reversed(models):
        model._default_manager.all().delete()
    for row in rows:
        row.save(force_insert=True)
    LedgerState.objects.all().delete()
