"""Which company this computer is connected to stands in two places, and no end of a process leaves half a connection."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.domain.model import ConnectionState, ConsentState, FeedbackSignal, Interaction, InteractionKind
from agent.store import enrolment_note
from tests.support.agent.company_in_memory import Company
from tests.support.agent.dying import Dying, dying, keychain
from tests.support.agent.parts import Agent, MemoryKeychain, all_off, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer, loopback_server
from tests.support.agent.watching import CODE, asked

SET_ASIDE = pytest.mark.expected_logs("was damaged and is set aside")


@pytest.fixture
def secrets() -> MemoryKeychain:
    return MemoryKeychain()


@pytest.fixture
def folder(server: LoopbackServer, company: Company, secrets: MemoryKeychain, tmp_path: Path) -> Path:
    """An agent's that shares everything; a click waits. It is not running."""
    with an_agent(tmp_path, secrets) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.SEEN))
        agent.runtime.sync_once()
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    assert company.counted("seen")
    return tmp_path


def store(folder: Path) -> Path:
    return folder / "data" / "tidings.sqlite3"


def note(folder: Path) -> Path:
    return folder / "data" / enrolment_note.NAME


def damaged_row(folder: Path) -> None:
    """A changed byte in the row, as a disk does it."""
    content = store(folder).read_bytes()
    assert b"127.0.0.1" in content
    store(folder).write_bytes(content.replace(b"127.0.0.1", b"127.0.0.2"))


def lost_store(folder: Path) -> None:
    store(folder).write_bytes(b"no database at all " * 500)


def removed_store(folder: Path) -> None:
    store(folder).unlink()


def damaged_note(folder: Path) -> None:
    note(folder).write_bytes(note(folder).read_bytes().replace(b"127.0.0.1", b"127.0.0.2"))


STORES = pytest.mark.parametrize("damage", [damaged_row, lost_store, removed_store])


def outboxes(folder: Path) -> list[Path]:
    return list((folder / "data").glob("outbox-*"))


def codes(agent: Agent) -> set[str]:
    return {trouble.code for trouble in agent.runtime.status().troubles} - {"DataDamaged"}


# Damage of one of the two


@SET_ASIDE
@STORES
def test_a_connection_whose_row_is_damaged_is_known_from_its_second_note(
    folder: Path, secrets: MemoryKeychain, company: Company, damage: Callable[[Path], None]
) -> None:
    damage(folder)
    with an_agent(folder, secrets) as agent:
        agent.runtime.choose(all_off())
        assert not outboxes(folder)
        agent.runtime.sync_once()
        assert agent.runtime.status().connection is ConnectionState.CONNECTED
        assert agent.runtime.status().waiting == 0
        assert codes(agent) == set()
        assert len(agent.runtime.inbox()) == 1
    assert len(company.withdrawals) == len(FeedbackSignal)
    with an_agent(folder, secrets) as agent:
        agent.runtime.sync_once()
        assert not any(choice.on for choice in agent.runtime.choices())


@SET_ASIDE
@STORES
def test_what_waits_is_sent_although_the_row_is_damaged(
    folder: Path, secrets: MemoryKeychain, company: Company, damage: Callable[[Path], None]
) -> None:
    damage(folder)
    with an_agent(folder, secrets) as agent:
        agent.runtime.sync_once()
    assert len(company.counted("click")) == 1
    assert company.withdrawals == []


@SET_ASIDE
def test_a_newer_company_document_than_the_second_note_has_comes_back(
    folder: Path, secrets: MemoryKeychain, company: Company
) -> None:
    old = note(folder).read_bytes()
    company.sign_company(name="Northwind the Younger")
    with an_agent(folder, secrets) as agent:
        agent.runtime.sync_once()
        assert note(folder).read_bytes() != old
    note(folder).write_bytes(old)
    damaged_row(folder)
    with an_agent(folder, secrets) as agent:
        agent.runtime.sync_once()
        named = agent.runtime.status().company
        assert named is not None
        assert named.name == "Northwind the Younger"


@SET_ASIDE
def test_a_damaged_second_note_is_written_anew(folder: Path, secrets: MemoryKeychain) -> None:
    damaged_note(folder)
    with an_agent(folder, secrets) as agent:
        agent.runtime.sync_once()
        assert agent.runtime.status().connection is ConnectionState.CONNECTED
    damaged_row(folder)
    with an_agent(folder, secrets) as agent:
        agent.runtime.sync_once()
        assert agent.runtime.status().connection is ConnectionState.CONNECTED


def test_another_process_reads_the_second_note_and_repairs_nothing(folder: Path) -> None:
    damaged_row(folder)
    before = store(folder).read_bytes()
    with an_agent(folder, owner=False) as agent:
        assert agent.runtime.status().company is not None
    assert store(folder).read_bytes() == before


# Damage of both


@SET_ASIDE
@STORES
@pytest.mark.parametrize("act", ["off", "erase"])
def test_a_withdrawal_holds_at_once_and_is_told_when_the_computer_is_connected_again(
    folder: Path,
    secrets: MemoryKeychain,
    company: Company,
    server: LoopbackServer,
    damage: Callable[[Path], None],
    act: str,
) -> None:
    damage(folder)
    damaged_note(folder)
    with an_agent(folder, secrets) as agent:
        assert codes(agent) == {"EnrolmentLost"}
        agent.runtime.delete_all_shared() if act == "erase" else agent.runtime.choose(all_off())
        assert not outboxes(folder)
        assert {choice.state for choice in agent.runtime.choices()} == {ConsentState.WITHDRAWN}
        with pytest.raises(errors.NotConnected):
            agent.runtime.sync_once()
    with an_agent(folder, secrets) as agent:
        assert agent.runtime.status().waiting == len(FeedbackSignal)
        company.codes.add("KX7P9QMD2HTV")
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        assert agent.runtime.status().waiting == 0
        assert codes(agent) == set()
    assert {each["signal"] for each in company.withdrawals} == set(FeedbackSignal)
    assert company.events == {}


@SET_ASIDE
@pytest.mark.expected_logs("is not told to")
@pytest.mark.parametrize("act", ["off", "erase", "nothing"])
def test_another_company_hears_nothing_of_what_was_chosen_for_the_one_that_is_lost(
    folder: Path, secrets: MemoryKeychain, act: str
) -> None:
    """A withdrawal is about a person, and goes to those to whom the consent was given."""
    lost_store(folder)
    damaged_note(folder)
    another = Company(company_id="southwind")
    with loopback_server(another) as server, an_agent(folder, secrets) as agent:
        if act != "nothing":
            agent.runtime.delete_all_shared() if act == "erase" else agent.runtime.choose(all_off())
        another.codes.add("KX7P9QMD2HTV")
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        assert (agent.runtime.status().waiting, codes(agent)) == (0, set())
        assert agent.runtime.status().choose_now
        agent.runtime.choose(all_off())
        agent.runtime.sync_once()
        assert asked(server, "consents") == []
    assert another.withdrawals == []


@SET_ASIDE
def test_what_was_given_to_a_company_that_is_lost_is_not_given_to_the_next(
    folder: Path, secrets: MemoryKeychain, company: Company, server: LoopbackServer
) -> None:
    lost_store(folder)
    damaged_note(folder)
    with an_agent(folder, secrets) as agent:
        with pytest.raises(errors.NotConnected):
            agent.runtime.choose(all_on())
        company.codes.add("KX7P9QMD2HTV")
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        before = len(asked(server, "signals"))
        agent.runtime.sync_once()
        assert not any(choice.on for choice in agent.runtime.choices())
        assert agent.runtime.status().choose_now
        assert len(asked(server, "signals")) == before
        agent.runtime.choose(all_off())
        agent.runtime.sync_once()
    assert len(company.withdrawals) == len(FeedbackSignal)
    assert company.events == {}


def test_a_computer_that_was_never_connected_says_so(tmp_path: Path) -> None:
    with an_agent(tmp_path) as agent:
        for act in (lambda: agent.runtime.choose(all_off()), agent.runtime.delete_all_shared):
            with pytest.raises(errors.NotConnected):
                act()
        assert codes(agent) == set()


def test_nothing_of_the_second_note_is_left_after_disconnecting(
    folder: Path, secrets: MemoryKeychain
) -> None:
    with an_agent(folder, secrets) as agent:
        assert agent.runtime.disconnect()
    assert not list((folder / "data").glob(f"{enrolment_note.NAME}*"))
    with an_agent(folder, secrets) as agent:
        assert agent.runtime.status().connection is ConnectionState.NOT_CONNECTED


# Processes that end in the middle


STRIDE = 23
"""Of the steps each so many-th is tried, and one more each time the folder is another."""


@pytest.fixture(scope="module")
def killer() -> Iterator[Dying]:
    with dying() as made:
        yield made


def tokens(folder: Path) -> list[str]:
    return [secret for name, secret in keychain(folder).secrets.items() if secret.startswith("tdt_")]


def test_no_kill_while_connecting_leaves_half_a_connection(
    killer: Dying, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    found = set()
    for step in range(0, 100_000, STRIDE):
        folder = tmp_path / str(step)
        company.codes.add("KX7P9QMD2HTV")
        killed = killer.at("enrol", step, folder, server.url)
        with an_agent(folder, keychain(folder)) as agent:
            try:
                agent.runtime.sync_once()
            except errors.NotConnected:
                assert tokens(folder) == []
                assert not note(folder).exists()
            state = agent.runtime.status().connection
            found.add(state)
            assert state is (ConnectionState.CONNECTED if tokens(folder) else ConnectionState.NOT_CONNECTED)
            if state is ConnectionState.NOT_CONNECTED:  # the same code goes on
                agent.runtime.enrol(server.url, CODE, keep=True)
                agent.runtime.sync_once()
        if not killed:
            break
    assert found == {ConnectionState.NOT_CONNECTED, ConnectionState.CONNECTED}


@pytest.mark.expected_logs("must be connected again")
def test_no_kill_while_connecting_shows_a_token_to_the_company_that_was_left(
    killer: Dying, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    other = Company()
    other.person = {"email": "bea@northwind.example", "first_name": "Bea"}
    other.token = "tdt_" + "b" * 40
    template = tmp_path / "template"
    with an_agent(template, keychain(template)) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.sync_once()
    company.token = "tdt_revoked"
    with loopback_server(other) as others:
        for step in range(5, 100_000, STRIDE):
            folder = shutil.copytree(template, tmp_path / str(step))
            other.codes.add("KX7P9QMD2HTV")
            killed = killer.at("enrol", step, folder, others.url)
            with an_agent(folder, keychain(folder)) as agent:
                with suppress(errors.TokenRefused):
                    agent.runtime.sync_once()
                person = agent.runtime.status().person
                assert person is not None
                assert tokens(folder) == [other.token if person.first_name == "Bea" else "tdt_" + "a" * 40]
                assert person.first_name == "Ada" or not any(c.on for c in agent.runtime.choices())
            if not killed:
                break
    assert other.token not in {each.header("Authorization").partition(" ")[2] for each in server.requests}
    assert other.consents == {}


@pytest.mark.expected_logs("was not told")
def test_no_kill_while_disconnecting_leaves_half_a_connection(
    killer: Dying, server: LoopbackServer, company: Company, folder: Path, tmp_path: Path
) -> None:
    token, template = company.token, tmp_path / "template"
    with an_agent(template, keychain(template)) as agent:
        company.codes.add("KX7P9QMD2HTV")
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
    kept = 0
    for step in range(11, 100_000, STRIDE):
        trial = shutil.copytree(template, tmp_path / str(step))
        company.token = token
        killed = killer.at("disconnect", step, trial, server.url)
        with an_agent(trial, keychain(trial)) as agent:
            try:
                agent.runtime.sync_once()
            except errors.NotConnected:
                assert tokens(trial) == []
                assert company.token == "", "the server was told"
                assert not note(trial).exists()
                assert agent.runtime.inbox() == []
            else:
                kept += 1
            state = agent.runtime.status().connection
            assert state is (ConnectionState.CONNECTED if tokens(trial) else ConnectionState.NOT_CONNECTED)
        if not killed:
            break
    assert kept, "a kill before anything was noted changes nothing"


@pytest.mark.expected_logs("was not told")
def test_a_disconnection_that_was_killed_ends_where_no_server_is_reached(
    killer: Dying, server: LoopbackServer, company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECT_TIMEOUT_S", 1)
    with an_agent(tmp_path, keychain(tmp_path)) as agent:
        agent.runtime.enrol(server.url, CODE)
    step = 0
    while note(tmp_path).exists() and b'"leaving"' not in note(tmp_path).read_bytes():
        step += 10
        assert killer.at("disconnect", step, tmp_path, server.url)
    server.close()
    with an_agent(tmp_path, keychain(tmp_path)) as agent:
        assert agent.runtime.status().connection is ConnectionState.NOT_CONNECTED
        with pytest.raises(errors.NotConnected):
            agent.runtime.sync_once()
    assert tokens(tmp_path) == []
    assert not note(tmp_path).exists()
