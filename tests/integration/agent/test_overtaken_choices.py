"""The last act counts: what was asked for and given up turns nothing on, and what is turned off is off whoever answers."""

from __future__ import annotations

import os
import signal
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import pytest

from agent.cli import privacy
from agent.consent import by_record, record_file
from agent.consent.choice_errors import EndedWaiting, NotRecorded, OnlyRecorded
from agent.consent.gate import ConsentGate
from agent.consent.record_file import ConsentFile
from agent.domain import errors, limits
from agent.domain.model import ConsentState, FeedbackSignal
from agent.ipc import calls, channel, running_instance
from agent.ipc.instance_lock import InstanceLock
from agent.system.clock import SystemClock
from tests.support.agent.parts import Agent, SettableClock, a_company, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE
from tests.support.disks import read_only
from tests.support.waiting import PATIENCE_S, until

CLICK, LIKE = FeedbackSignal.CLICK, FeedbackSignal.LIKE
SHORT_S = 0.3


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """Connected; commands of this process find its data."""
    monkeypatch.setenv("TIDINGS_HOME", str(tmp_path))
    with an_agent(tmp_path) as connected:
        connected.runtime.enrol(server.url, CODE)
        yield connected


@pytest.fixture
def lock(agent: Agent) -> Iterator[InstanceLock]:
    held = InstanceLock(agent.folders)
    yield held
    held.release()


@pytest.fixture
def answering(agent: Agent, lock: InstanceLock) -> Iterator[channel.Channel]:
    """The agent is asked by commands."""
    mark = running_instance.data_mark(agent.folders.data)
    heard = channel.Channel(lock, partial(calls.answer, lambda: agent.runtime, data=mark))
    yield heard
    heard.close()


def command(*choices: tuple[str, bool]) -> None:
    """`tidings privacy set`."""
    privacy.privacy(Namespace(act="set", choices=list(choices)), ())


def recorded(agent: Agent) -> dict[FeedbackSignal, ConsentState]:
    consents = ConsentFile(agent.folders.data / "consent.record").read()
    return {signal: consents[signal].state for signal in FeedbackSignal}


def all_is_answered(heard: channel.Channel) -> None:
    listener = heard._listener
    assert listener is not None
    until(lambda: listener._lines == 0, "the end of what was asked")


# Asked for, and given up


@pytest.mark.parametrize("before", [True, False, None], ids=["on", "off", "never chosen"])
def test_an_on_that_was_given_up_does_not_take_effect_after_a_later_off(
    agent: Agent, answering: channel.Channel, monkeypatch: pytest.MonkeyPatch, before: bool | None
) -> None:
    if before is not None:
        agent.runtime.choose({CLICK: before})
    monkeypatch.setattr(limits, "CONTROL_PATIENCE_S", SHORT_S)
    with agent.runtime._gate.holding(CLICK):
        for on in (True, False):
            with pytest.raises((errors.NoAnswer, OnlyRecorded)):
                command(("click", on))
    all_is_answered(answering)
    assert recorded(agent)[CLICK] is not ConsentState.GIVEN
    assert CLICK not in {choice.signal for choice in agent.runtime.choices() if choice.on}


def test_of_a_command_that_was_given_up_the_off_holds_and_the_on_does_not(
    agent: Agent, answering: channel.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.runtime.choose({CLICK: True})
    monkeypatch.setattr(limits, "CONTROL_PATIENCE_S", SHORT_S)
    with agent.runtime._gate.holding(CLICK), pytest.raises((errors.NoAnswer, OnlyRecorded)):
        command(("click", False), ("like", True))
    all_is_answered(answering)
    assert recorded(agent)[CLICK] is ConsentState.WITHDRAWN
    assert recorded(agent)[LIKE] is not ConsentState.GIVEN


def test_an_on_whose_command_waits_for_it_holds(agent: Agent, answering: channel.Channel) -> None:
    command(("click", True))
    assert recorded(agent)[CLICK] is ConsentState.GIVEN


@pytest.fixture
def file(tmp_path: Path) -> ConsentFile:
    made = ConsentFile(tmp_path / "record")
    made.prepare()
    return made


@pytest.fixture
def gate(file: ConsentFile) -> ConsentGate:
    made = ConsentGate(file, SettableClock(datetime(2026, 11, 27, tzinfo=UTC)))
    made.use_company(a_company())
    return made


@pytest.mark.parametrize("was_off", [True, False])
def test_an_on_gives_way_to_an_off_that_was_written_down_after_it_was_asked_for(
    gate: ConsentGate, tmp_path: Path, *, was_off: bool
) -> None:
    if was_off:
        gate.choose({CLICK: False}, "en")
    asked = gate.last_chosen()
    by_record.withdraw(ConsentFile(tmp_path / "record"), [CLICK], SystemClock(), "en")
    gate.choose({CLICK: True, LIKE: True}, "en", since=asked)
    assert gate.receipt(CLICK) is None
    assert gate.receipt(LIKE) is not None, "of that nobody said anything"
    gate.choose({CLICK: True}, "en", since=gate.last_chosen())
    assert gate.receipt(CLICK) is not None, "a new act"


def test_two_offs_that_follow_each_other_within_a_second_are_told_apart(
    gate: ConsentGate, tmp_path: Path
) -> None:
    by_record.withdraw(ConsentFile(tmp_path / "record"), [CLICK], SystemClock(), "en")
    asked = gate.last_chosen()
    by_record.withdraw(ConsentFile(tmp_path / "record"), [CLICK], SystemClock(), "en")
    gate.choose({CLICK: True}, "en", since=asked)
    assert gate.receipt(CLICK) is None


def test_who_gives_up_while_it_is_being_written_down_turned_nothing_on_and_nothing_off(
    gate: ConsentGate, tmp_path: Path
) -> None:
    gate.choose({LIKE: True}, "en")
    like, there = gate.receipt(LIKE), iter([True, False])
    gate.choose({CLICK: True, LIKE: True}, "en", lambda: next(there))
    assert gate.receipt(CLICK) is None
    assert ConsentFile(tmp_path / "record").read()[CLICK].state is ConsentState.NOT_ASKED
    assert gate.receipt(LIKE) == like, "it was on before"
    assert {message.signal for message in gate.messages()} == {LIKE}, "there is no consent to take back"


@pytest.mark.parametrize("before", [True, False, None], ids=["on", "off", "never chosen"])
@pytest.mark.parametrize("is_noted", [False, True])
def test_an_on_that_lies_unread_gives_way_to_an_off_that_is_said_meanwhile(
    agent: Agent, lock: InstanceLock, before: bool | None, *, is_noted: bool
) -> None:
    """As while the agent is stopped: who asked for the on still waits."""
    if before is not None:
        agent.runtime.choose({CLICK: before})
    record, mark = agent.folders.data / "consent.record", running_instance.data_mark(agent.folders.data)

    def late(question: bytes, is_wanted: Callable[[], bool]) -> bytes:
        file = ConsentFile(record, [agent.folders.runtime])
        if is_noted:
            with nobody_reads(record), pytest.raises(NotRecorded):
                by_record.withdraw(file, [CLICK], SystemClock(), "en")
        else:
            by_record.withdraw(file, [CLICK], SystemClock(), "en")
        return calls.answer(lambda: agent.runtime, question, is_wanted, data=mark)

    heard = channel.Channel(lock, late)
    try:
        command(("click", True))
    finally:
        heard.close()
    assert agent.runtime._gate.receipt(CLICK) is None
    agent.runtime._gate.catch_up()
    assert recorded(agent)[CLICK] is not ConsentState.GIVEN


def test_what_does_not_say_since_when_it_was_asked_turns_nothing_on(
    agent: Agent,
) -> None:
    agent.runtime.choose({LIKE: True})
    mark = running_instance.data_mark(agent.folders.data)
    call = calls.Call("choose", choices={CLICK: True, LIKE: False}, data=mark)
    answer = calls.answer(lambda: agent.runtime, msgspec.json.encode(call), lambda: True, data=mark)
    reply = msgspec.json.decode(answer, type=calls.Reply)
    assert reply.title == "Nothing was turned on"
    assert recorded(agent)[CLICK] is not ConsentState.GIVEN
    assert recorded(agent)[LIKE] is ConsentState.WITHDRAWN


def test_who_turns_off_what_is_off_hears_that_it_is_written_down(
    agent: Agent, lock: InstanceLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier on may still lie unread, and gives way to it."""
    monkeypatch.setattr(limits, "CONTROL_READY_S", SHORT_S)
    asked = ConsentFile(agent.folders.data / "consent.record").last_chosen()
    with pytest.raises(OnlyRecorded):
        command(("click", False))
    agent.runtime.choose({CLICK: True}, since=asked)
    assert recorded(agent)[CLICK] is not ConsentState.GIVEN


@pytest.mark.parametrize(
    ("act", "choices", "withdrawn", "how"),
    [
        ("set", [("click", False)], {CLICK}, signal.SIGTERM),
        ("set", [("seen", True), ("click", False)], {CLICK}, signal.SIGINT),
        ("set", [("seen", True)], set(), signal.SIGINT),
        ("erase", [], {CLICK, LIKE}, signal.SIGHUP),
    ],
)
def test_who_ends_a_command_that_waits_hears_that_what_was_to_be_off_is_written_down(
    agent: Agent,
    lock: InstanceLock,
    act: str,
    choices: list[tuple[str, bool]],
    withdrawn: set[FeedbackSignal],
    how: signal.Signals,
) -> None:
    agent.runtime.choose({CLICK: True, LIKE: True})
    person, over = threading.main_thread().ident, threading.Event()
    assert person is not None

    def is_slow(_question: bytes, _is_wanted: Callable[[], bool]) -> bytes:
        over.wait(0.5)  # Python hears no signal that comes in the moment before it waits for the answer
        signal.pthread_kill(person, how)
        over.wait(PATIENCE_S)
        return b""

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    slow = channel.ControlListener(lock.sockets, is_slow)
    try:
        with pytest.raises(EndedWaiting):
            privacy.privacy(Namespace(act=act, yes=True, choices=choices), ())
    finally:
        over.set()
        slow.close()
        signal.signal(signal.SIGINT, before)
    given = {signal for signal, state in recorded(agent).items() if state is ConsentState.GIVEN}
    assert given == {CLICK, LIKE} - withdrawn
    owed = {each.signal for each in agent.runtime._gate.messages() if each.status == "withdrawn"}
    assert owed == withdrawn


# Something answers, and it does not do it


def of_other_data(question: bytes) -> bytes:
    return calls.answer(lambda: pytest.fail("it is not meant"), question, data="1:2")


def of_another_version(_question: bytes) -> bytes:
    return msgspec.json.encode(calls.Reply(title="Something went wrong", message="Start it again."))


def without_a_word(_question: bytes) -> bytes:
    return msgspec.json.encode(calls.Reply())


def nonsense(_question: bytes) -> bytes:
    return b"\xff{"


@pytest.mark.parametrize("says", [of_other_data, of_another_version, without_a_word, nonsense])
def test_what_is_turned_off_is_written_down_whatever_answers_in_the_agents_place(
    agent: Agent, lock: InstanceLock, says: Callable[[bytes], bytes]
) -> None:
    agent.runtime.choose({CLICK: True, LIKE: True})
    other = channel.ControlListener(lock.sockets, lambda question, _: says(question))
    try:
        with pytest.raises(OnlyRecorded):
            command(("click", False))
    finally:
        other.close()
    assert recorded(agent)[CLICK] is ConsentState.WITHDRAWN
    assert recorded(agent)[LIKE] is ConsentState.GIVEN
    assert agent.runtime._gate.receipt(CLICK) is None


@pytest.mark.parametrize("says", [of_other_data, of_another_version, without_a_word, nonsense])
def test_nothing_is_turned_on_by_what_answers_in_the_agents_place(
    agent: Agent, lock: InstanceLock, says: Callable[[bytes], bytes]
) -> None:
    other = channel.ControlListener(lock.sockets, lambda question, _: says(question))
    try:
        with pytest.raises(errors.TidingsError):
            command(("click", True))
    finally:
        other.close()
    assert recorded(agent)[CLICK] is not ConsentState.GIVEN


# A disk that takes no writes


@pytest.mark.expected_logs(
    "cannot be written", "cannot be read", "not on the disk yet", "could not be written"
)
@pytest.mark.parametrize("is_readable", [True, False])
def test_what_is_turned_off_on_a_disk_that_takes_no_writes_is_noted_and_the_agent_looks_there(
    agent: Agent, lock: InstanceLock, *, is_readable: bool
) -> None:
    agent.runtime.choose({CLICK: True, LIKE: True})
    receipt, note = agent.runtime._gate.receipt(CLICK), agent.folders.runtime / "consent-click.note"
    data = agent.folders.data
    with read_only(data) if is_readable else nobody_reads(data / "consent.record"):
        other = channel.ControlListener(lock.sockets, lambda question, _: of_another_version(question))
        try:
            with pytest.raises(NotRecorded):
                command(("click", False))
        finally:
            other.close()
        assert note.exists()
        assert agent.runtime._gate.receipt(CLICK) is None
    assert agent.runtime._gate.receipt(LIKE) is not None
    (owed,) = [each for each in agent.runtime._gate.messages() if each.status == "withdrawn"]
    assert owed.receipt_id == receipt
    agent.runtime._gate.catch_up()
    assert recorded(agent)[CLICK] is ConsentState.WITHDRAWN
    assert not note.exists()
    agent.runtime.choose({CLICK: True})
    assert agent.runtime._gate.receipt(CLICK) is not None, "a new act"


@contextmanager
def nobody_reads(path: Path) -> Iterator[None]:
    """A folder is in its place: whoever opens it gets an error, the superuser too."""
    away = path.with_name("away")
    path.rename(away)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        away.rename(path)


def test_a_note_that_comes_while_the_record_is_being_written_is_not_lost(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir()
    file = ConsentFile(tmp_path / "record", [runtime])
    file.prepare()
    gate = ConsentGate(file, SettableClock(datetime(2026, 11, 27, tzinfo=UTC)))
    gate.use_company(a_company())
    gate.choose({CLICK: True}, "en")
    consent = file.recorded()[CLICK]
    with nobody_reads(tmp_path / "record"), pytest.raises(NotRecorded):
        by_record.withdraw(ConsentFile(tmp_path / "record", [runtime]), [CLICK], SystemClock(), "en")
    with pytest.raises(errors.DiskFault, match="meanwhile"):
        file.write(consent)  # as of an agent that looked before
    assert gate.receipt(CLICK) is None


@pytest.mark.expected_logs("not on the disk yet")
def test_an_agent_that_writes_down_what_was_announced_does_not_write_over_a_withdrawal(
    gate: ConsentGate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stalls after it looked at the record, while the file is being opened."""
    gate.choose({CLICK: True}, "en")
    (message,) = gate.messages()
    really_open, stalls = os.open, [True]

    def open_slowly(path: Path, flags: int, *more: int) -> int:
        if Path(path).name == "record" and flags & (os.O_WRONLY | os.O_RDWR) and stalls:
            stalls.clear()
            by_record.withdraw(ConsentFile(tmp_path / "record"), [CLICK], SystemClock(), "en")
        return really_open(path, flags, *more)

    monkeypatch.setattr(os, "open", open_slowly)
    gate.announced(message)
    assert not stalls
    assert ConsentFile(tmp_path / "record").read()[CLICK].state is ConsentState.WITHDRAWN
    assert gate.receipt(CLICK) is None
    assert [each.status for each in gate.messages()] == ["withdrawn"]


@pytest.mark.expected_logs("not on the disk yet")
@pytest.mark.parametrize("act", ["another notice", "ended elsewhere", "company lost", "disk refused"])
def test_what_ends_a_consent_by_itself_loses_no_withdrawal_that_was_just_written(
    gate: ConsentGate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """It stalls after it looked at the record, while the file is being opened."""
    gate.choose({CLICK: True}, "en")
    (message,) = gate.messages()
    really_open, stalls = os.open, [True]

    def open_slowly(path: Path, flags: int, *more: int) -> int:
        if Path(path).name == "record" and flags & (os.O_WRONLY | os.O_RDWR) and stalls:
            stalls.clear()
            if act == "disk refused":
                raise OSError(5, "Input/output error")
            by_record.withdraw(ConsentFile(tmp_path / "record"), [CLICK], SystemClock(), "en")
        return really_open(path, flags, *more)

    monkeypatch.setattr(os, "open", open_slowly)
    if act == "ended elsewhere":
        gate.ended_elsewhere(message)
    elif act == "company lost":
        gate.forget_company()
    else:
        gate.notice_changed(message)
    assert not stalls
    if act == "disk refused":
        by_record.withdraw(ConsentFile(tmp_path / "record"), [CLICK], SystemClock(), "en")
    gate.catch_up()
    assert gate.receipt(CLICK) is None
    assert [(each.status, each.receipt_id) for each in gate.messages()] == [("withdrawn", message.receipt_id)]
    record = ConsentFile(tmp_path / "record").read()[CLICK]
    assert record.state is ConsentState.WITHDRAWN
    assert record.owed is not None
    assert record.owed.receipt_id == message.receipt_id


@pytest.mark.expected_logs("Another process is at the consent record")
@pytest.mark.parametrize("act", ["announced", "on"])
def test_an_agent_that_is_stopped_right_before_it_writes_brings_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """It has looked at the record, and holds the lock; the command does not wait for it for ever."""
    runtime = tmp_path / "run"
    runtime.mkdir()
    file = ConsentFile(tmp_path / "record", [runtime])
    file.prepare()
    gate = ConsentGate(file, SettableClock(datetime(2026, 11, 27, tzinfo=UTC)))
    gate.use_company(a_company())
    if act == "announced":
        gate.choose({CLICK: True}, "en")
        (message,) = gate.messages()
        acts = partial(gate.announced, message)
    else:
        acts = partial(gate.choose, {CLICK: True}, "en")
    really_write, stops = record_file._write_synced, [True]

    def write_late(descriptor: int, content: bytes, offset: int) -> None:
        if stops:
            stops.clear()
            other = ConsentFile(tmp_path / "record", [runtime])
            by_record.withdraw(other, [CLICK], SystemClock(), "en")
        really_write(descriptor, content, offset)

    monkeypatch.setattr(record_file, "_write_synced", write_late)
    acts()
    assert not stops
    assert gate.receipt(CLICK) is None
    gate.catch_up()
    assert ConsentFile(tmp_path / "record", [runtime]).read()[CLICK].state is not ConsentState.GIVEN
    assert [each.status for each in gate.messages()] == ["withdrawn"]
    gate.choose({CLICK: True}, "en")
    assert gate.receipt(CLICK) is not None, "a new act"
