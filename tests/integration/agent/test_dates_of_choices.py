"""A consent never wins over a withdrawal that was made after it, whatever the clocks of a person's computers do."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.consent.gate import ConsentGate
from agent.consent.record_file import ConsentFile
from agent.consent.server_clock import ServerClock
from agent.domain.model import ConsentMessage, FeedbackSignal
from tests.support.agent.parts import SettableClock, a_company

START = datetime(2026, 11, 20, tzinfo=UTC)
DAY_S, YEAR_S = 86_400, 365 * 86_400
SIGNAL = FeedbackSignal.CLICK


@dataclass
class Server:
    """Decides as docs/protocol says, with a clock that is right."""

    now: datetime = START
    given: dict[str, datetime] = field(default_factory=dict)
    withdrawn: list[datetime] = field(default_factory=list)

    def takes(self, message: ConsentMessage) -> bool:
        """Whether it stands as it was said."""
        if message.status == "withdrawn":
            self.withdrawn.append(min(message.time, self.now))
            self.given.clear()
            return True
        is_ahead = message.time > self.now + timedelta(hours=1)
        if any(is_ahead or each > message.time for each in self.withdrawn):
            return False
        self.given[message.receipt_id] = message.time
        return True


class Computer:
    """One of a person's. Its wall clock is set now and then; its processes end."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.clock = SettableClock(server.now)
        self.given_at: dict[str, datetime] = {}
        self.withdrawn_at: datetime | None = None
        self._noted: datetime | None = None
        folder.mkdir()
        ConsentFile(folder / "record").prepare()
        self.start()

    def start(self) -> None:
        """A new process, which keeps of the server's time what the store has."""
        self.clock.ticks = 1000.0
        self.server_clock = ServerClock(self.clock)
        self.server_clock.note(self._noted)
        file = ConsentFile(self._folder / "record")
        self.gate = ConsentGate(file, self.clock, server_clock=self.server_clock)
        self.gate.use_company(a_company())

    def poll(self) -> None:
        """Hear what time it is, and say nothing."""
        self._noted = self._server.now
        self.server_clock.heard(format_datetime(self._server.now, usegmt=True), may_be_repeated=True)

    def choose(self, on: bool) -> None:
        """Of a switch that shows something else."""
        if self.is_on is on:
            return
        self.gate.choose({SIGNAL: on}, "en")
        if not on:
            self.withdrawn_at = self._server.now
        elif (receipt_id := self.gate.receipt(SIGNAL)) is not None:
            self.given_at[receipt_id] = self._server.now

    def send(self) -> None:
        """What is owed, as the outbox does."""
        while messages := self.gate.messages():
            for message in messages:
                if self._server.takes(self.gate.as_told(message)):
                    self.gate.announced(message)
                else:
                    self.gate.ended_elsewhere(message)
            self.withdrawn_at = None

    @property
    def is_on(self) -> bool:
        return self.gate.receipt(SIGNAL) is not None


@contextmanager
def two_computers() -> Iterator[tuple[Server, list[Computer]]]:
    server = Server()
    with tempfile.TemporaryDirectory(prefix="tidings-") as name:
        yield server, [Computer(server, Path(name) / which) for which in "ab"]


SET = st.tuples(
    st.just("set"),
    st.sampled_from((120, 3_600, DAY_S, 30 * DAY_S, 10 * YEAR_S)).flatmap(lambda s: st.sampled_from((s, -s))),
)
PASS = st.tuples(st.just("pass"), st.sampled_from((60, 1_800, DAY_S // 2, 3 * DAY_S)))
ACT = st.sampled_from((("on", 0), ("off", 0), ("poll", 0), ("send", 0), ("start", 0)))
STEPS = st.lists(st.tuples(st.integers(0, 1), st.one_of(SET, PASS, ACT, ACT)), max_size=25)
A_CLOCK_SET_BACK = [
    (0, ("poll", 0)),
    (0, ("set", DAY_S)),
    (0, ("on", 0)),
    (0, ("set", -DAY_S)),
    (0, ("pass", DAY_S // 2)),
    (1, ("on", 0)),
    (1, ("send", 0)),
    (1, ("off", 0)),
    (1, ("send", 0)),
    (0, ("pass", 3 * DAY_S)),
    (0, ("start", 0)),
    (0, ("poll", 0)),
    (0, ("send", 0)),
]
A_CLOCK_SET_RIGHT = [
    (0, ("set", -3 * DAY_S)),
    (0, ("poll", 0)),
    (0, ("on", 0)),
    (0, ("send", 0)),
    (1, ("on", 0)),
    (0, ("pass", DAY_S // 2)),
    (0, ("set", 3 * DAY_S)),
    (0, ("off", 0)),
    (0, ("send", 0)),
    (1, ("poll", 0)),
    (1, ("send", 0)),
]


def _take(server: Server, computers: list[Computer], which: int, step: str, amount: int) -> None:
    computer = computers[which]
    match step:
        case "set":
            computer.clock.jump(amount)
        case "pass":
            server.now += timedelta(seconds=amount)
            for each in computers:
                each.clock.advance(amount)
        case "on" | "off":
            computer.choose(step == "on")
        case _:
            getattr(computer, step)()


@settings(max_examples=400, deadline=None)
@given(STEPS)
@example(A_CLOCK_SET_BACK)
@example(A_CLOCK_SET_RIGHT)
def test_no_consent_wins_over_a_later_withdrawal_that_the_server_knows(
    steps: list[tuple[int, tuple[str, int]]],
) -> None:
    with two_computers() as (server, computers):
        last_told: datetime | None = None
        for which, (step, amount) in steps:
            told = computers[which].withdrawn_at if step == "send" else None
            _take(server, computers, which, step, amount)
            last_told = max(filter(None, (last_told, told)), default=None)
            times = computers[0].given_at | computers[1].given_at
            for receipt_id in server.given:
                assert last_told is None or times[receipt_id] >= last_told


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(SET, PASS, st.sampled_from((("on", 0), ("off", 0), ("send", 0), ("poll", 0)))), max_size=25
    )
)
def test_the_last_act_on_the_only_computer_counts_while_its_program_runs(
    steps: list[tuple[str, int]],
) -> None:
    with two_computers() as (server, computers):
        for step, amount in steps:
            _take(server, computers, 0, step, amount)
        wanted = computers[0].is_on
        computers[0].poll()
        computers[0].send()
        assert computers[0].is_on is wanted is bool(server.given)


def test_the_time_of_a_withdrawal_that_is_owed_stays_when_the_person_chooses_again_after_a_restart() -> None:
    """Else a consent that they gave elsewhere meanwhile, and of which the server hears later, would be ended by it."""
    with two_computers() as (server, (computer, _other)):
        computer.poll()
        computer.choose(True)
        computer.send()
        computer.choose(False)
        withdrawn_at = server.now
        for on in (True, False, True):
            server.now += timedelta(days=1)
            computer.clock.advance(DAY_S)
            computer.start()
            computer.poll()
            if on:
                computer.choose(True)
            told = {
                message.status: computer.gate.as_told(message).time for message in computer.gate.messages()
            }
            assert told == {"withdrawn": withdrawn_at}


def test_a_consent_of_which_nobody_knows_when_it_was_given_is_given_by_the_next_press() -> None:
    """The withdrawal before it, which nobody could date either, is told first, and would end it."""
    with two_computers() as (server, (computer, _other)):
        computer.poll()
        computer.choose(True)
        computer.send()
        for on in (False, True):
            computer.start()
            computer.choose(on)
        server.now += timedelta(days=1)
        computer.clock.advance(DAY_S)
        computer.start()
        computer.gate.choose({SIGNAL: True}, "en")
        computer.poll()
        computer.send()
        assert computer.is_on
        assert len(server.given) == 1


def test_a_withdrawal_that_nobody_could_date_is_dated_by_the_next_choice_after_a_restart() -> None:
    """No earlier than it was made, and no later than what the person did next."""
    with two_computers() as (server, (computer, _other)):
        computer.poll()
        computer.choose(True)
        computer.send()
        computer.start()
        computer.choose(False)
        server.now += timedelta(days=1)
        computer.clock.advance(DAY_S)
        computer.start()
        computer.choose(True)
        chosen_at = server.now
        server.now += timedelta(days=1)
        computer.clock.advance(DAY_S)
        computer.poll()
        computer.send()
        assert server.withdrawn == [chosen_at]
        assert list(server.given.values()) == [chosen_at]
