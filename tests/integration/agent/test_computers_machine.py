"""Several computers of one person, in any order of choices, acts, absences and restarts: the person's last word holds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.domain.model import FeedbackSignal
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Sending, SettableClock, a_company, sending_parts
from tests.support.agent.scripted_server import LoopbackServer

COMPUTERS = 3
COMPUTER = st.integers(0, COMPUTERS - 1)
CLICK = FeedbackSignal.CLICK


class SeveralComputers(RuleBasedStateMachine):
    """One signal. What the server keeps is compared with the withdrawals that reached it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="tidings-computers-"))
        self.company = Company()
        self.server = LoopbackServer(self.company)
        self.clock = SettableClock()
        self.computers = [self._open(number) for number in range(COMPUTERS)]

    def _open(self, number: int) -> Sending:
        folder = self.folder / str(number)
        folder.mkdir(exist_ok=True)
        return sending_parts(folder, self.server.url, self.clock)

    def teardown(self) -> None:
        """In the end all computers reach the server: then none shares what the person took back."""
        try:
            for _ in range(2):
                for computer in self.computers:
                    computer.outbox.make(CLICK, "c-one", link_id="l1")
                    self._send(computer)
            for computer in self.computers:
                assert computer.outbox.waiting() == 0
                receipt = computer.gate.receipt(CLICK)
                assert receipt is None or receipt not in self.company.ended
        finally:
            for computer in self.computers:
                computer.close()
            self.server.close()
            shutil.rmtree(self.folder)

    @rule(number=COMPUTER, seconds=st.integers(1, 100))
    def gives(self, number: int, seconds: int) -> None:
        self.clock.advance(seconds)
        self.computers[number].outbox.drop_ended()
        self.computers[number].gate.choose({CLICK: True}, "en")
        assert self.computers[number].gate.receipt(CLICK)

    @rule(number=COMPUTER, seconds=st.integers(1, 100))
    def withdraws(self, number: int, seconds: int) -> None:
        self.clock.advance(seconds)
        self.computers[number].gate.choose({CLICK: False}, "en")
        self.computers[number].outbox.withdraw([CLICK])

    @rule(number=COMPUTER, seconds=st.integers(1, 100))
    def deletes_all(self, number: int, seconds: int) -> None:
        self.clock.advance(seconds)
        self.computers[number].gate.withdraw_everywhere("en")
        self.computers[number].outbox.withdraw(FeedbackSignal)
        self._send(self.computers[number])
        assert self.company.counted(CLICK.value) == [], "whatever computer it came from"

    @rule(number=COMPUTER)
    def acts(self, number: int) -> None:
        computer = self.computers[number]
        is_on = computer.gate.receipt(CLICK) is not None
        assert computer.outbox.make(CLICK, "c-one", link_id="l1") is is_on

    @rule(number=COMPUTER)
    def reaches_the_server(self, number: int) -> None:
        self._send(self.computers[number])

    @rule(number=COMPUTER)
    def restarts(self, number: int) -> None:
        self.computers[number].close()
        self.computers[number] = self._open(number)

    def _send(self, computer: Sending) -> None:
        computer.outbox.send(computer.client)
        if computer.gate.use_company(a_company()):  # as the next poll does
            computer.outbox.drop_ended()

    @invariant()
    def nothing_is_kept_that_was_taken_back(self) -> None:
        kept = {event["receipt_id"] for event in self.company.events.values()}
        assert kept.isdisjoint(self.company.ended)


SeveralComputers.TestCase.settings = hypothesis.settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


class TestThePersonsLastWordHolds(SeveralComputers.TestCase):  # type: ignore[misc,name-defined]
    pass
