"""The last act of a person counts on both ends, whatever the clock said; never a consent over a later withdrawal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from agent.verification import receipts
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, MemoryKeychain, SettableClock, an_agent
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request
from tests.support.agent.watching import CODE, RETRIES

TEN_YEARS_S = 3_652 * 86_400
CLOCKS = (0, TEN_YEARS_S, -TEN_YEARS_S)


class Computer:
    """One of a person's, whose clock can be wrong. Time passes for all of them at once."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._off_s = 0

    def clock(self, off_s: int) -> None:
        """It is wrong by so much from now on."""
        self.agent.clock.jump(off_s - self._off_s)
        self._off_s = off_s

    def true_time(self) -> timedelta:
        return timedelta(seconds=self._off_s)

    def choose(self, *, click: bool) -> None:
        self.agent.clock.advance(60)
        self.agent.runtime.choose({FeedbackSignal.CLICK: click})
        self.agent.clock.advance(60)

    def talk(self) -> None:
        """Poll, so that the server's clock is known, and send."""
        self.agent.runtime.sync_once()

    @property
    def is_on(self) -> bool:
        return any(choice.on for choice in self.agent.runtime.choices())


@contextmanager
def a_computer(server: LoopbackServer, company: Company, folder: Path) -> Iterator[Computer]:
    company._lets_in = lambda _token: (
        True
    )  # a clock ahead replaces the token, and both computers have the same
    company.codes.add(CODE.replace("-", ""))
    with an_agent(folder) as agent:
        computer = Computer(agent)
        company.now = lambda: agent.clock.now() - computer.true_time()
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        yield computer


def counts(company: Company, computer: Computer) -> bool:
    """Whether the server stores a click of this computer."""
    company.events.clear()
    computer.agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    computer.talk()
    return bool(company.events)


@pytest.mark.expected_logs(RETRIES)
@pytest.mark.parametrize("is_sent", [True, False], ids=["sent before", "sent after"])
def test_a_consent_after_a_withdrawal(
    server: LoopbackServer, company: Company, tmp_path: Path, is_sent: bool
) -> None:
    with a_computer(server, company, tmp_path) as computer:
        for withdrawn, given, sent in product(CLOCKS, repeat=3):
            computer.clock(0)
            computer.choose(click=True)
            computer.talk()
            computer.clock(withdrawn)
            computer.choose(click=False)
            if is_sent:
                computer.talk()
            computer.clock(given)
            computer.choose(click=True)
            computer.clock(sent)
            computer.talk()
            computer.talk()
            assert computer.is_on == counts(company, computer), "both ends agree"
            assert computer.is_on, (withdrawn, given, sent)


@pytest.mark.parametrize("is_sent", [True, False], ids=["sent before", "sent after"])
def test_a_withdrawal_after_a_consent(
    server: LoopbackServer, company: Company, tmp_path: Path, is_sent: bool
) -> None:
    with a_computer(server, company, tmp_path) as computer:
        for given, withdrawn, sent in product(CLOCKS, repeat=3):
            computer.clock(given)
            computer.choose(click=True)
            if is_sent:
                computer.talk()
            computer.clock(withdrawn)
            computer.choose(click=False)
            computer.clock(sent)
            computer.talk()
            assert not computer.is_on
            assert not counts(company, computer)
            assert not any(
                status == "given" and receipt not in company.ended
                for receipt, status in company.consents.items()
            )


@pytest.mark.expected_logs(RETRIES)
@pytest.mark.parametrize("withdrawn", [0, TEN_YEARS_S, -TEN_YEARS_S])
def test_no_consent_that_waited_on_another_computer_undoes_a_later_withdrawal(
    server: LoopbackServer, company: Company, tmp_path: Path, withdrawn: int
) -> None:
    for number, (given, sent) in enumerate(product(CLOCKS, repeat=2)):
        with a_computer(server, company, tmp_path / f"other{number}") as other:
            answer, server.answer = server.answer, lambda _: Reply(LOST)
            other.clock(given)
            other.choose(click=True)
            server.answer = answer
            with a_computer(server, company, tmp_path / f"this{number}") as computer:
                computer.agent.clock.wall = other.agent.clock.now() - other.true_time()
                computer.clock(withdrawn)
                computer.choose(click=True)
                computer.talk()
                computer.choose(click=False)
                computer.talk()
                later = computer.agent.clock.now() - computer.true_time()
            other.clock(sent)
            passed = later + timedelta(minutes=1) + other.true_time() - other.agent.clock.now()
            other.agent.clock.advance(passed.total_seconds())
            company.now = lambda: other.agent.clock.now() - other.true_time()
            other.talk()
            other.talk()
            assert not other.is_on, (given, withdrawn, sent)
            assert not counts(company, other)


def from_before(company: Company) -> Callable[[Request], Reply]:
    """The company's server in a version that does not know `Tidings-Receipts`: no receipt names a consent."""

    def answer(request: Request) -> Reply:
        known = tuple(each for each in request.headers if each[0].lower() != "tidings-receipts")
        return company(replace(request, headers=known))

    return answer


@pytest.mark.parametrize("names_consents", [True, False], ids=["server of today", "server from before"])
def test_a_withdrawal_on_another_computer_is_kept_as_the_end_of_a_consent_that_waited_here(
    server: LoopbackServer, company: Company, tmp_path: Path, *, names_consents: bool
) -> None:
    server.answer = company if names_consents else from_before(company)
    with (
        a_computer(server, company, tmp_path / "here") as here,
        a_computer(server, company, tmp_path / "there") as there,
    ):
        here.choose(click=True)
        for is_on in (True, False):
            there.agent.clock.wall = here.agent.clock.now()
            there.choose(click=is_on)
            there.talk()
        here.agent.clock.advance(600)
        here.talk()
        assert not here.is_on
        assert not counts(company, here)
        (receipt,) = here.agent.runtime.my_data.receipts()
        assert (receipt.status, receipt.genuine) == ("withdrawn", True)
        named = receipts.content(receipt.document).answers
        assert bool(named) == names_consents
        assert here.agent.runtime.status().owed == 0
        here.choose(click=True)
        here.talk()
        assert here.is_on
        assert counts(company, here), "a new act counts"


@pytest.mark.parametrize("wrong_s", CLOCKS)
def test_a_command_that_turns_on_what_an_earlier_one_turned_off_holds_though_neither_polled(
    server: LoopbackServer, company: Company, tmp_path: Path, wrong_s: int
) -> None:
    """Each is a process of its own, and says what it has to say without a poll."""
    keychain, clock = MemoryKeychain(), SettableClock()
    company.now = lambda: clock.now() - timedelta(seconds=wrong_s)
    clock.jump(wrong_s)
    with an_agent(tmp_path, keychain, clock) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
    for on in (True, False, True, False, True):
        clock.advance(60)
        with an_agent(tmp_path, keychain, clock) as command:
            command.runtime.choose({FeedbackSignal.CLICK: on})
            command.runtime.send_once()
            assert {choice.on for choice in command.runtime.choices()} == {on, False}
    with an_agent(tmp_path, keychain, clock) as last:
        last.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        last.runtime.send_once()
        assert company.events


@pytest.mark.parametrize("year", [1970, 1999, 2100, 9000])
def test_a_withdrawal_by_a_clock_of_another_century_is_one_that_the_protocol_can_say(
    server: LoopbackServer, company: Company, tmp_path: Path, year: int
) -> None:
    with a_computer(server, company, tmp_path) as computer:
        computer.choose(click=True)
        computer.talk()
        computer.clock((year - 2026) * 365 * 86_400)
        computer.choose(click=False)
        computer.clock(0)
        computer.talk()
        assert company.withdrawals[-1]["time"][:4] == str(company.now().year)
        assert not counts(company, computer)
