"""P8: no residue after a withdrawal, after "delete all I shared", after disconnecting, after a purge.

Needles that are nowhere else (a campaign's text, the token, the e-mail address, event and receipt ids) are searched in every
byte of every file of the home and runtime folders, and in a real keychain.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from agent.runtime import Runtime
from agent.store.event_queue import EventQueue
from tests.support.agent.company_in_memory import Company, running
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.parts import Agent, SettableClock, all_off, all_on, an_agent
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LoopbackServer, loopback_server, problem
from tests.support.proofs import Proof

CODE = "KX7P9QMD2HTV"
CANARY = "Canary-of-the-announcement"


def canary_company() -> Company:
    """With needles of its own."""
    company = Company()
    company.token = f"tdt_{uuid.uuid4().hex}{uuid.uuid4().hex}"
    company.person = {"email": f"canary-{uuid.uuid4().hex}@northwind.example", "first_name": "Canary"}
    company.codes.add(CODE)
    company.publish("c-one", running(title(company)))
    company.publish("c-two", running(f"Also {title(company)}"))
    company.publish("c-rules", running(f"Confirm {title(company)}", acknowledge=True))
    return company


def title(company: Company) -> str:
    """Of its announcements; nobody else's has it."""
    return f"{CANARY}-{company.token[4:20]}"


def found(needles: set[str], *folders: Path) -> dict[str, list[str]]:
    """Each needle that stands in a file or in a file's name, with where."""
    places: dict[str, list[str]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            for needle in needles:
                if needle.encode() in content or needle in path.name:
                    places.setdefault(needle, []).append(str(path.relative_to(folder)))
    return places


def acts(runtime: Runtime) -> None:
    for campaign_id in ("c-one", "c-two"):
        for each in (InteractionKind.SEEN, InteractionKind.CLICKED, InteractionKind.LIKED):
            runtime.interactions.record(Interaction(campaign_id, each, "l1"))


def waiting(folder: Path, signal: FeedbackSignal) -> set[str]:
    """The ids of the events that wait."""
    return {event.event_id for event in EventQueue(folder, SettableClock()).head(signal, 100)}


@contextmanager
def sharing(server: LoopbackServer, folder: Path) -> Iterator[Agent]:
    """An agent of somebody who shares everything; six events wait and were never sent."""
    with an_agent(folder) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        acts(agent.runtime)
        yield agent


@pytest.mark.proves("P8")
def test_events_that_wait_are_gone_from_every_file_once_their_signal_is_withdrawn(
    proof: Proof, tmp_path: Path
) -> None:
    rounds, left, sought = proof.trials(full=100, few=3), 0, 0
    for number in range(rounds):
        folder = tmp_path / str(number)
        with loopback_server(canary_company()) as server, sharing(server, folder) as agent:
            for signal in FeedbackSignal:
                needles = waiting(agent.folders.data, signal)
                assert len(found(needles, folder)) == len(needles) == 2, "the search finds what is there"
                agent.runtime.choose({signal: False})
                left += len(found(needles, folder))
                sought += len(needles)
    proof.found("waiting events found after their signal's withdrawal", left, sought)
    assert left == 0


@pytest.mark.proves("P8")
def test_after_delete_all_no_event_is_left_and_after_disconnecting_nothing_of_the_person(
    proof: Proof, tmp_path: Path
) -> None:
    rounds, left, sought = proof.trials(full=100, few=2), 0, 0
    for number in range(rounds):
        folder, company = tmp_path / str(number), canary_company()
        with loopback_server(company) as server, sharing(server, folder) as agent:
            agent.runtime.sync_once()
            events = set(company.events)
            assert len(found(events, folder)) == len(events) == 6, "the search finds what is there"
            receipts = set(company.consents)
            agent.runtime.delete_all_shared()
            agent.runtime.sync_once()
            left += len(found(events, folder))
            acts(agent.runtime)
            needles = events | receipts | set(company.consents) | personal(company)
            agent.runtime.disconnect()
            left += len(found(needles, folder))
            sought += len(events) + len(needles)
        left += len(found(needles, folder))
    proof.found("needles found after deleting all, after disconnecting, after stopping", left, sought)
    assert left == 0


@pytest.mark.proves("P8")
@pytest.mark.expected_logs("was not told")
def test_a_confirmation_that_waits_or_was_sent_is_gone_after_disconnecting_with_and_without_a_network(
    proof: Proof, tmp_path: Path
) -> None:
    rounds, left, sought = proof.trials(full=40, few=4), 0, 0
    for number in range(rounds):
        offline, sent_before = number % 2 == 1, number % 4 >= 2
        folder, company = tmp_path / str(number), canary_company()
        with loopback_server(company) as server, an_agent(folder) as agent:
            agent.runtime.enrol(server.url, CODE)
            agent.runtime.sync_once()
            agent.runtime.interactions.acknowledge("c-rules")
            item, _enrolment = agent.runtime.my_data.sent()
            needles = {json.loads(item.body)["event_id"]}
            if sent_before:
                agent.runtime.sync_once()
            assert len(found(needles, folder)) == 1, "the search finds what is there"
            if offline:
                server.answer = lambda _: problem(500, "server-error")
            agent.runtime.disconnect()
            left += len(found(needles, folder))
        left += len(found(needles, folder))
        sought += 1
        assert bool(company.acknowledged) is (sent_before or not offline), (
            "it is delivered where that is possible"
        )
    proof.found("confirmations found after disconnecting", left, sought)
    assert left == 0


def once_changed(path: Path, old: bytes, new: bytes) -> None:
    """A byte of a file is another, as a disk does it."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


@pytest.mark.proves("P8")
@pytest.mark.expected_logs("was damaged and is set aside")
@pytest.mark.parametrize("ended", ["withdrawn", "all deleted", "disconnected"])
def test_what_was_set_aside_as_damaged_goes_with_what_it_tells(
    proof: Proof, tmp_path: Path, ended: str
) -> None:
    rounds, left, sought = proof.trials(full=40, few=1), 0, 0
    for number in range(rounds):
        folder, company = tmp_path / str(number), canary_company()
        data = folder / "data"
        with loopback_server(company) as server:
            with sharing(server, folder) as agent:
                agent.runtime.sync_once()
                sent, secrets = set(company.events), agent.keychain
                acts(agent.runtime)
                wait = set[str]().union(*(waiting(data, signal) for signal in FeedbackSignal))
            acted = (FeedbackSignal.CLICK, FeedbackSignal.LIKE)  # what was seen once is not seen again
            for signal in acted:
                once_changed(data / f"outbox-{signal.value}.sqlite3", b'"signal":', b'"zignal":')
            once_changed(data / "tidings.sqlite3", CANARY.encode(), b"K" + CANARY[1:].encode())
            with an_agent(folder, secrets) as agent:
                server.answer = lambda _: problem(500, "server-error")
                agent.runtime.inbox()
                agent.runtime.status()
                assert all(queue_looks(data, signal) for signal in acted)
                places = found(sent | wait | personal(company), folder)
                assert any(
                    "outbox" in each and "damaged" in each for where in places.values() for each in where
                )
                assert any("tidings.sqlite3.damaged" in each for where in places.values() for each in where)
                needles = {"withdrawn": wait, "all deleted": wait | sent}.get(
                    ended, wait | sent | set(company.consents) | personal(company)
                )
                server.answer = company
                if ended == "withdrawn":
                    agent.runtime.choose(all_off())
                elif ended == "all deleted":
                    agent.runtime.delete_all_shared()
                else:
                    agent.runtime.disconnect()
                left += len(found(needles, folder))
            left += len(found(needles, folder))
            sought += len(needles)
    proof.found(f"needles found in what was set aside, once {ended}", left, sought)
    assert left == 0


def queue_looks(data: Path, signal: FeedbackSignal) -> bool:
    """Lets a queue be read, as a sending does, so that what is damaged is repaired."""
    return len(EventQueue(data, SettableClock()).head(signal, 100)) > 0


def personal(company: Company) -> set[str]:
    """What stands in a computer that is connected."""
    return {title(company), company.token, company.person["email"]}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


def kept_in_keychain(session: Session, account: str, log: Path) -> str | None:
    """What a real keychain has under a name."""
    question = json.dumps({"verb": "read", "account": account})
    answer = Program("agent", session.env, log).run("helper", "keychain", stdin=question)
    secret: str | None = json.loads(answer.stdout)["secret"]
    return secret


@pytest.mark.proves("P8")
def test_purge_leaves_nothing_in_home_runtime_folder_autostart_and_keychain(
    proof: Proof, session: Session, tmp_path: Path
) -> None:
    rounds, left, sought = proof.trials(full=4, few=1), 0, 0
    home, run = Path(session.env["HOME"]), Path(session.env["XDG_RUNTIME_DIR"])
    autostart = home / "config" / "autostart" / "tidings.desktop"
    for every_home in (autostart.parent, home / ".cache", home / ".local" / "state"):
        every_home.mkdir(parents=True)
    for number in range(rounds):
        company = canary_company()
        tidings = Program("ui", session.env, tmp_path / "log")
        before = files(home, run)
        with loopback_server(company) as server:
            tidings.run("enrol", server.url, "-", stdin=f"{CODE}\n")
            tidings.run("once")
            tidings.run("privacy", "set", "seen=on", "click=on", "like=on")
            autostart.write_text("[Desktop Entry]\nType=Application\nName=Tidings\nHidden=true\n")
            data = home / "data" / "tidings"
            account = (data / "keychain.name").read_text()
            assert kept_in_keychain(session, account, tmp_path / "log") == company.token
            needles = personal(company) | set(company.consents)
            assert len(found(needles - {company.token}, home, run)) == len(needles) - 1
            if number % 2:
                (data / "tidings.sqlite3").write_bytes(b"no database " * 1_000)
            else:
                once_changed(data / "tidings.sqlite3", CANARY.encode(), b"K" + CANARY[1:].encode())
                tidings.run("once")
                assert list(data.glob("*.damaged-*")), "a damaged store was set aside"
            tidings.run("purge", "--yes")
        left += len(found(needles, home, run)) + len(files(home, run) - before)
        left += kept_in_keychain(session, account, tmp_path / "log") is not None
        sought += len(needles) + 1
    proof.found("needles, files and keychain entries found after a purge", left, sought)
    assert left == 0, files(home, run) - before


def files(*folders: Path) -> set[Path]:
    """Everything that is there but for the keychain's own files, which keep their place when an entry goes."""
    return {path for folder in folders for path in folder.rglob("*") if "keyring" not in str(path)}
