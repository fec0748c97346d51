"""The consent record on a real disk: damaged it means off, and a withdrawal needs no free space."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from agent.consent.gate import ConsentGate
from agent.consent.record_file import ConsentFile
from agent.domain import errors
from agent.domain.model import ConsentState, FeedbackSignal, Interaction, InteractionKind
from agent.domain.my_data_models import SentStatus
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import SettableClock, a_company, all_off, all_on, an_agent, notice
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE, asked
from tests.support.disks import a_small_disk, fill, read_only


def prepared(path: Path) -> ConsentFile:
    file = ConsentFile(path)
    file.prepare()
    return file


def a_gate(path: Path, **company: object) -> ConsentGate:
    return a_gate_of(prepared(path), **company)


def a_gate_of(file: ConsentFile, **company: object) -> ConsentGate:
    gate = ConsentGate(file, SettableClock(datetime(2026, 11, 24, tzinfo=UTC)))
    gate.use_company(a_company(**company))
    return gate


def is_open(gate: ConsentGate) -> set[FeedbackSignal]:
    return {signal for signal in FeedbackSignal if gate.receipt(signal) is not None}


def test_what_was_chosen_holds_after_a_restart(tmp_path: Path) -> None:
    a_gate(tmp_path / "record").choose({FeedbackSignal.SEEN: True, FeedbackSignal.LIKE: False}, "en")
    assert is_open(a_gate(tmp_path / "record")) == {FeedbackSignal.SEEN}


def test_a_missing_record_means_off(tmp_path: Path) -> None:
    a_gate(tmp_path / "record").choose(all_on(), "en")
    (tmp_path / "record").unlink()
    assert is_open(a_gate(tmp_path / "record")) == set()


@pytest.mark.parametrize("size", [1500, 3073, 4096, 20_000])
def test_a_record_of_another_size_keeps_what_is_owed_and_was_refused(tmp_path: Path, size: int) -> None:
    """As an agent with one signal more or fewer leaves it, one that ended while it wrote it, or a disk that lost its end."""
    path = tmp_path / "record"
    gate = a_gate(path)
    gate.choose({FeedbackSignal.SEEN: True, FeedbackSignal.CLICK: False}, "en")
    gate.announced(gate.messages()[0])
    gate.choose({FeedbackSignal.SEEN: False}, "en")
    content, place = path.read_bytes(), path.stat().st_ino
    path.write_bytes(content.ljust(size)[:size])
    again = a_gate(path)
    owed = [(message.signal, message.status) for message in again.messages()]
    assert owed == [(FeedbackSignal.SEEN, "withdrawn")]
    assert again.choices()[1].state is ConsentState.REFUSED, "nobody is asked about it again"
    assert (path.read_bytes()[: len(content)], path.stat().st_ino) == (content, place)
    again.forget()
    assert path.stat().st_size == len(content), "what a newer agent kept goes with the rest"


@pytest.mark.expected_logs("keeps what it has", "cannot be written")
def test_a_short_record_that_cannot_be_made_longer_keeps_what_is_owed(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk") as disk:
        gate = a_gate(disk / "record")
        gate.choose({FeedbackSignal.SEEN: True}, "en")
        gate.choose({FeedbackSignal.SEEN: False}, "en")
        with (disk / "record").open("r+b") as record:
            record.truncate(1024)
        with read_only(disk):
            assert [message.status for message in a_gate(disk / "record").messages()] == ["withdrawn"]


OF_VERSION_0_1 = (
    b'5b9f1be4 {"signal":"seen","state":"given","receipt_id":"11111111-1111-4111-8111-111111111111",'
    b'"notice_version":1,"time":"2026-11-24T09:00:00Z","language":"en","announced":false,"owed":null}',
    b'ff3a6ee9 {"signal":"click","state":"withdrawn","receipt_id":"","notice_version":1,'
    b'"time":"2026-11-24T09:00:00Z","language":"en","announced":false,'
    b'"owed":{"receipt_id":"21111111-1111-4111-8111-111111111111","signal":"click","status":"withdrawn",'
    b'"notice_version":1,"time":"2026-11-24T09:00:00Z","language":"en"}}',
    b'65741560 {"signal":"like","state":"not_asked","receipt_id":"","notice_version":0,"time":null,'
    b'"language":"","announced":false,"owed":null}',
)
"""To the byte: a record is written so that a withdrawal needs no room, and read only as it would be written."""


def test_a_record_of_the_first_version_holds_and_what_is_owed_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_bytes(b"".join(slot.ljust(1023) + b"\n" for slot in OF_VERSION_0_1))
    gate = a_gate(path, notice=notice(1))
    assert is_open(gate) == {FeedbackSignal.SEEN}
    owed = [message.receipt_id for message in gate.messages() if message.status == "withdrawn"]
    assert owed == ["21111111-1111-4111-8111-111111111111"]


@pytest.mark.expected_logs("cannot be read", "is not told to another")
def test_what_is_owed_to_one_company_is_told_to_no_other_once_the_record_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "record"
    first = a_gate(path)
    first.choose({FeedbackSignal.SEEN: True}, "en")
    first.choose({FeedbackSignal.SEEN: False, FeedbackSignal.CLICK: True}, "en")
    first.forget_company()
    path.rename(tmp_path / "away")
    path.mkdir()  # it cannot be read while another company is connected
    second = ConsentGate(ConsentFile(path), SettableClock(datetime(2026, 11, 24, tzinfo=UTC)))
    second.use_company(msgspec.structs.replace(a_company(), company_id="another"))
    path.rmdir()
    (tmp_path / "away").rename(path)
    second.look_again()
    assert second.messages() == []
    assert is_open(second) == set()


@pytest.mark.expected_logs("is damaged")
def test_one_signals_record_does_not_stand_for_another(tmp_path: Path) -> None:
    path = tmp_path / "record"
    a_gate(path).choose({FeedbackSignal.SEEN: True}, "en")
    content = path.read_bytes()
    path.write_bytes(content[:1024] * 3)
    assert is_open(a_gate(path)) == {FeedbackSignal.SEEN}


def test_the_file_never_grows_and_keeps_its_place_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "record"
    gate = a_gate(path)
    size, place = path.stat().st_size, path.stat().st_ino
    for _ in range(20):
        gate.choose(all_on(), "fr-FR")
        gate.choose(all_off(), "fr-FR")
    assert (path.stat().st_size, path.stat().st_ino) == (size, place)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_owed_withdrawal_survives_a_restart(tmp_path: Path) -> None:
    gate = a_gate(tmp_path / "record")
    gate.choose({FeedbackSignal.CLICK: True}, "en")
    receipt = gate.receipt(FeedbackSignal.CLICK)
    gate.choose({FeedbackSignal.CLICK: False}, "en")
    (owed,) = a_gate(tmp_path / "record").messages()
    assert (owed.receipt_id, owed.status) == (receipt, "withdrawn")


def test_a_new_notice_closes_the_gate_and_the_question_is_due_again(tmp_path: Path) -> None:
    gate = a_gate(tmp_path / "record")
    gate.choose(all_on(), "en")
    assert not gate.must_ask()
    assert gate.use_company(a_company(notice=notice(4)))
    assert is_open(gate) == set()
    assert gate.must_ask()
    assert is_open(a_gate(tmp_path / "record")) == set(), "going back to the old notice opens nothing"


def test_policy_restricts_and_keeps_the_persons_own_choice(tmp_path: Path) -> None:
    gate = a_gate(tmp_path / "record")
    gate.choose(all_on(), "en")
    gate.use_company(a_company(signals=frozenset({FeedbackSignal.CLICK})))
    assert is_open(gate) == {FeedbackSignal.CLICK}
    assert all(choice.state is ConsentState.GIVEN for choice in gate.choices())
    gate.use_company(a_company())
    assert is_open(gate) == set(FeedbackSignal)


def test_what_cannot_be_written_down_is_not_given_but_is_withdrawn(tmp_path: Path) -> None:
    path = tmp_path / "record"
    gate = a_gate(path)
    gate.choose({FeedbackSignal.SEEN: True}, "en")
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(errors.DiskFault):
        gate.choose({FeedbackSignal.SEEN: False, FeedbackSignal.CLICK: True}, "en")
    assert is_open(gate) == set()


@pytest.mark.expected_logs("cannot be read")
def test_a_record_that_cannot_be_read_means_off_and_the_choice_holds_again_once_it_can(
    tmp_path: Path,
) -> None:
    record, away = tmp_path / "record", tmp_path / "away"
    a_gate(record).choose(all_on(), "en")
    record.rename(away)
    record.mkdir()  # whoever opens it gets an error, the superuser too
    gate = ConsentGate(ConsentFile(record), SettableClock(datetime(2026, 11, 24, tzinfo=UTC)))
    gate.use_company(a_company())
    assert is_open(gate) == set()
    assert gate.ended() == set(), "nobody knows: what waits is neither sent nor deleted"
    assert not gate.must_ask()
    record.rmdir()
    away.rename(record)
    assert is_open(gate) == set(FeedbackSignal)


# A full disk, and one that can only be read


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with a_small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.mark.expected_logs("To be deleted again", "DiskFault", "is full")
def test_a_withdrawal_holds_on_a_full_disk_and_after_a_restart(small_disk: Path) -> None:
    company = Company()
    company.publish("c-one")
    with loopback_server(company) as server:
        with an_agent(small_disk) as agent:
            agent.runtime.enrol(server.url, "KX7P-9QMD-2HTV")
            agent.runtime.sync_once()
            agent.runtime.choose(all_on())
            agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
            agent.runtime.interactions.record(Interaction("c-one", InteractionKind.SEEN))
            assert agent.runtime.status().waiting == 5
            fill(small_disk)
            agent.runtime.choose(all_off())
            assert not any(choice.on for choice in agent.runtime.choices())
            assert list(small_disk.glob("data/outbox-*")) == []
            keychain = agent.keychain
        (small_disk / "ballast").unlink()
        with an_agent(small_disk, keychain) as agent:
            assert not any(choice.on for choice in agent.runtime.choices())
            agent.runtime.sync_once()
            assert agent.runtime.status().waiting == 0
    assert company.events == {}


@pytest.mark.expected_logs("To be deleted again", "The second note of the connection")
def test_an_agent_that_starts_on_a_full_disk_still_takes_a_withdrawal(small_disk: Path) -> None:
    company = Company()
    with loopback_server(company) as server:
        with an_agent(small_disk) as agent:
            agent.runtime.enrol(server.url, "KX7P-9QMD-2HTV")
            agent.runtime.choose(all_on())
            agent.runtime.sync_once()
            keychain = agent.keychain
        fill(small_disk)
        with an_agent(small_disk, keychain) as agent:
            assert all(choice.on for choice in agent.runtime.choices())
            agent.runtime.choose(all_off())
        (small_disk / "ballast").unlink()
        with an_agent(small_disk, keychain) as agent:
            assert not any(choice.on for choice in agent.runtime.choices())
            agent.runtime.sync_once()
    assert set(company.consents.values()) == {"withdrawn"}


@pytest.mark.expected_logs("DiskFault", "known in memory only", "To be deleted again")
def test_a_read_only_disk_closes_the_gate_and_says_that_it_could_not_be_recorded(small_disk: Path) -> None:
    company = Company()
    company.publish("c-one")
    with loopback_server(company) as server, an_agent(small_disk) as agent:
        agent.runtime.enrol(server.url, "KX7P-9QMD-2HTV")
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        with read_only(small_disk):
            with pytest.raises(errors.DiskFault):
                agent.runtime.choose(all_off())
            assert not any(choice.on for choice in agent.runtime.choices())
            agent.runtime.interactions.record(Interaction("c-one", InteractionKind.SEEN))
        agent.runtime.choose(all_on())
        assert list(small_disk.glob("data/outbox-*")) == [], (
            "what waited before is not sent under the new consent"
        )


@pytest.mark.expected_logs("cannot be read")
def test_a_record_that_cannot_be_read_is_one_line_of_log_for_each_time_that_it_comes_to_that(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> list[str]:
        return [record.message for record in caplog.records if record.name.startswith("agent.consent")]

    caplog.set_level(logging.INFO)
    path = tmp_path / "record"
    a_gate(path).choose({FeedbackSignal.SEEN: True}, "en")
    content = path.read_bytes()
    caplog.clear()
    path.unlink()
    path.mkdir()
    gate = a_gate_of(ConsentFile(path))
    for _ in range(10):
        assert is_open(gate) == set()
        gate.choices()
        gate.messages()
    assert len(lines()) == 1
    path.rmdir()
    path.write_bytes(content)
    assert is_open(gate) == {FeedbackSignal.SEEN}
    assert len(lines()) == 2
    path.unlink()
    path.mkdir()
    for _ in range(10):
        assert is_open(gate) == set()
    assert len(lines()) == 3
    path.rmdir()


@pytest.mark.expected_logs("cannot be read", "not on the disk yet")
def test_a_note_that_cannot_be_read_is_one_line_of_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "record"
    path.mkdir()
    (tmp_path / "consent-seen.note").mkdir()
    gate = a_gate_of(ConsentFile(path, [tmp_path]))
    for _ in range(10):
        assert is_open(gate) == set()
    said = [record.message for record in caplog.records if "A note of" in record.message]
    assert len(said) == 1


@pytest.mark.expected_logs("written down later", "DiskFault", "To be deleted again")
def test_what_left_on_a_full_disk_is_told_after_a_restart(tmp_path: Path) -> None:
    company, seen = Company(), FeedbackSignal.SEEN
    company.publish("c-one")
    with a_small_disk(tmp_path / "disk") as disk, loopback_server(company) as server:
        with an_agent(disk / "agent") as agent:
            keychain = agent.keychain
            agent.runtime.enrol(server.url, CODE)
            agent.runtime.sync_once()
            agent.runtime.choose({seen: True})
            agent.runtime.interactions.record(Interaction("c-one", InteractionKind.SEEN))
            agent.runtime.send_once()
            ballast = fill(disk)
            with contextlib.suppress(errors.DiskFault):
                agent.runtime.choose({seen: False})
            for _ in range(2):
                with contextlib.suppress(errors.DiskFault):
                    agent.runtime.send_once()
            assert agent.runtime.status().owed == 0, "the server has answered"
        assert len(asked(server, "consents")) == 2, "it is not told again and again"
        ballast.unlink()
        with an_agent(disk / "agent", keychain) as agent:
            with contextlib.suppress(errors.DiskFault):
                agent.runtime.send_once()
            told = {item.kind: item.status for item in agent.runtime.my_data.sent()}
            receipts = [each.status for each in agent.runtime.my_data.receipts()]
        with an_agent(disk / "agent", keychain) as agent:
            agent.runtime.send_once()
        assert len(asked(server, "consents")) == 3, (
            "once more, as the receipt was lost; it is on the disk now"
        )
    assert "withdrawn" in told
    assert told["seen"] is SentStatus.DELETED
    assert "withdrawn" in receipts
