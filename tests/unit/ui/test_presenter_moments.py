"""Absences, emergencies, and what makes way for something else: nothing disturbs, and nothing is lost."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.domain import limits
from agent.domain.model import InteractionKind, PresenceState, Tristate, Urgency
from tests.unit.ui.memory_agent import START, campaign
from tests.unit.ui.presenter_fakes import Fakes

SEEN_S = limits.SEEN_AFTER_MS / 1000
TIME_OUT_S = limits.POPUP_TIMEOUT_MS / 1000
LONG_AGO = START - timedelta(seconds=limits.DIGEST_AFTER_S + 60)
FULL_SCREEN = PresenceState(full_screen=Tristate.YES)


@pytest.fixture
def fakes() -> Iterator[Fakes]:
    fakes = Fakes()
    yield fakes
    fakes.presenter.close()
    assert not any(card.open for card in fakes.cards)


def missed(count: int) -> list[object]:
    return [campaign(f"c-{number}", starts=LONG_AGO - timedelta(hours=number)) for number in range(count)]


class TestDigest:
    def test_what_was_missed_in_an_absence_is_one_page_and_not_a_burst(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(5))
        assert fakes.shown == ["c-0+c-1+c-2+c-3+c-4 1/1"]
        fakes.presenter.dismiss()
        fakes.time.pass_by(24 * 3_600)
        assert len(fakes.cards) == 1, "none of them comes by itself afterwards"

    def test_what_it_names_was_displayed_is_not_seen_and_stays_unread(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(3))
        fakes.time.pass_by(SEEN_S + 1)
        fakes.presenter.dismiss()
        assert [fakes.agent.acts(f"c-{number}") for number in range(3)] == [[InteractionKind.DISPLAYED]] * 3
        assert fakes.agent.noted_together == [["c-0", "c-1", "c-2"]]
        assert fakes.agent.status().unread == 3

    def test_two_that_are_late_come_as_always(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(2))
        assert fakes.shown == ["c-1 1/2"]

    def test_urgent_ones_come_by_themselves_before_it(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(3), campaign("c-now", urgency=Urgency.URGENT, starts=LONG_AGO))
        assert fakes.shown == ["c-now 1/2"]
        fakes.presenter.dismiss()
        assert fakes.shown == ["c-0+c-1+c-2 1/1"]

    def test_it_leads_to_the_inbox_as_a_whole_or_to_one_of_them(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(3))
        fakes.presenter.open_inbox("c-1")
        assert (fakes.inbox_shown, fakes.shown) == (["c-1"], [])

    def test_what_is_recalled_or_read_meanwhile_leaves_it(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(3))
        fakes.agent.recall("c-1")
        fakes.time.pass_by(0.01)
        assert fakes.shown == ["c-0+c-2 1/1"]
        fakes.agent.interactions.mark_read(["c-0", "c-2"], True)
        fakes.time.pass_by(0.01)
        assert fakes.shown == []

    def test_more_that_were_missed_join_the_one_on_the_screen(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(3))
        fakes.arrives(*[campaign(f"c-x{n}", starts=LONG_AGO) for n in range(3)])
        assert fakes.shown == ["c-x2+c-x1+c-x0+c-0+c-1+c-2 1/1"]
        assert fakes.agent.acts("c-x0") == [InteractionKind.DISPLAYED]

    def test_it_cannot_be_put_off_or_liked(self, fakes: Fakes) -> None:
        fakes.arrives(*missed(3))
        fakes.presenter.later(900)
        fakes.presenter.like(True)
        assert fakes.shown == ["c-0+c-1+c-2 1/1"]


class TestEmergency:
    def test_it_comes_alone_in_a_window_of_its_own_and_the_others_come_back_after_it(
        self, fakes: Fakes
    ) -> None:
        fakes.arrives(campaign("c-1"), campaign("c-2"))
        fakes.arrives(campaign("c-fire", urgency=Urgency.EMERGENCY))
        assert fakes.shown == ["c-fire 1/1"]
        assert [card.emergency for card in fakes.cards if card.open] == [True]
        fakes.presenter.dismiss()
        assert fakes.shown == ["c-1 1/2"]
        assert [card.emergency for card in fakes.cards if card.open] == [False]
        assert fakes.agent.acts("c-1").count(InteractionKind.DISPLAYED) == 1

    def test_it_passes_full_screen_presentation_pause_and_absence(self, fakes: Fakes) -> None:
        yes = Tristate.YES
        fakes.presence = PresenceState(full_screen=yes, do_not_disturb=yes, presenting=yes, idle=yes)
        fakes.agent.pause(3_600)
        fakes.arrives(campaign(urgency=Urgency.EMERGENCY))
        assert fakes.shown == ["c-1 1/1"]

    def test_beneath_it_no_time_runs_for_the_others(self, fakes: Fakes) -> None:
        fakes.arrives(campaign("c-1"))
        fakes.arrives(campaign("c-fire", urgency=Urgency.EMERGENCY))
        fakes.time.pass_by(3_600)
        fakes.presenter.dismiss()
        assert fakes.shown == ["c-1 1/1"]


class TestMakingWay:
    def test_what_nobody_could_see_makes_way_for_a_full_screen_program_and_comes_back(
        self, fakes: Fakes
    ) -> None:
        fakes.arrives(campaign())
        fakes.presence = FULL_SCREEN
        fakes.presenter.refresh()
        fakes.time.pass_by(SEEN_S + 1)
        assert fakes.shown == []
        fakes.time.pass_by(3_600)
        fakes.presence = PresenceState()
        fakes.time.pass_by(16)
        assert fakes.shown == ["c-1 1/1"]
        assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED]

    def test_what_was_seen_is_gone_for_good(self, fakes: Fakes) -> None:
        fakes.arrives(campaign())
        fakes.time.pass_by(SEEN_S + 1)
        fakes.presence = FULL_SCREEN
        fakes.time.pass_by(6)
        fakes.presence = PresenceState()
        fakes.time.pass_by(3_600)
        assert fakes.shown == []
        assert fakes.agent.acts("c-1") == [
            InteractionKind.DISPLAYED,
            InteractionKind.SEEN,
            InteractionKind.TIMED_OUT,
        ]

    def test_a_pause_takes_it_off_the_screen_at_once_and_brings_it_back_at_its_end(
        self, fakes: Fakes
    ) -> None:
        fakes.arrives(campaign())
        fakes.agent.pause(1_800)
        fakes.time.pass_by(0.01)
        assert fakes.shown == []
        fakes.time.pass_by(1_816)
        assert fakes.shown == ["c-1 1/1"]

    def test_what_ended_meanwhile_does_not_come_back(self, fakes: Fakes) -> None:
        fakes.arrives(campaign(ends=START + timedelta(minutes=30)))
        fakes.agent.pause(3_600)
        fakes.time.pass_by(3_700)
        assert fakes.shown == []

    def test_before_an_empty_chair_its_time_stands_still(self, fakes: Fakes) -> None:
        fakes.arrives(campaign())
        fakes.presence = PresenceState(idle=Tristate.YES)
        fakes.time.pass_by(3_600)
        assert fakes.shown == ["c-1 1/1"]
        assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED]
        fakes.presence = PresenceState(idle=Tristate.NO)
        fakes.time.pass_by(TIME_OUT_S + 10)
        assert fakes.shown == []
        assert InteractionKind.SEEN in fakes.agent.acts("c-1")


def test_at_the_next_login_it_comes_back_and_not_before(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.presenter.later(None)
    fakes.time.pass_by(3_600)
    assert fakes.shown == []
    fakes.agent.login = "tuesday"
    fakes.presenter.refresh()
    fakes.time.pass_by(0.1)
    assert fakes.shown == ["c-1 1/1"]


def test_a_confirmation_is_kept_and_the_page_stays(fakes: Fakes) -> None:
    fakes.arrives(campaign(acknowledge=True))
    fakes.presenter.acknowledge()
    assert fakes.agent.items["c-1"].state.acknowledged == fakes.time.now()
    assert fakes.shown == ["c-1 1/1"]
