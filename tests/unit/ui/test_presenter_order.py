"""What is planned, put aside or put off: nothing is lost, nothing comes at the wrong time, nothing comes twice."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.domain import errors, limits
from agent.domain.model import InteractionKind, PresenceState, Tristate, Urgency
from tests.unit.ui.memory_agent import START, campaign
from tests.unit.ui.presenter_fakes import Fakes

SEEN_S = limits.SEEN_AFTER_MS / 1000
TIME_OUT_S = limits.POPUP_TIMEOUT_MS / 1000
FULL_SCREEN = PresenceState(full_screen=Tristate.YES)
AWAY = PresenceState(idle=Tristate.YES)
LONG_AGO = START - timedelta(seconds=limits.DIGEST_AFTER_S + 60)
IN_AN_HOUR = {"quiet_hours": True, "quiet_from": "10:00", "quiet_to": "12:00"}
"""Quiet hours that begin an hour after the start (the tests' computer is in UTC)."""


@pytest.fixture
def fakes() -> Iterator[Fakes]:
    fakes = Fakes()
    yield fakes
    fakes.presenter.close()
    assert not any(card.open for card in fakes.cards)


class TestQuietHours:
    def test_what_made_way_before_them_comes_back_after_them(self, fakes: Fakes) -> None:
        fakes.agent.preferences.change(IN_AN_HOUR)
        fakes.arrives(campaign(ends=START + timedelta(days=1)))
        fakes.presence = FULL_SCREEN
        fakes.presenter.refresh()
        fakes.time.pass_by(1.5 * 3_600)
        fakes.presence = PresenceState()
        fakes.time.pass_by(60)
        assert fakes.shown == [], "the video ended at half past ten"
        asked = fakes.asked
        fakes.time.pass_by(3_600)
        assert fakes.asked - asked < 5, "nobody asks all the time until they end"
        fakes.time.pass_by(3_600)
        assert fakes.agent.acts("c-1") == [
            InteractionKind.DISPLAYED,
            InteractionKind.SEEN,
            InteractionKind.TIMED_OUT,
        ]

    def test_what_full_screen_held_until_they_began_comes_when_they_end(self, fakes: Fakes) -> None:
        fakes.agent.preferences.change(IN_AN_HOUR)
        fakes.presence = FULL_SCREEN
        fakes.arrives(campaign(ends=START + timedelta(days=1)))
        fakes.time.pass_by(1.5 * 3_600)
        fakes.presence = PresenceState()
        fakes.time.pass_by(1_000)
        assert fakes.shown == []
        fakes.time.pass_by(2 * 3_600)
        assert fakes.agent.acts("c-1") == [
            InteractionKind.DISPLAYED,
            InteractionKind.SEEN,
            InteractionKind.TIMED_OUT,
        ]

    def test_pages_that_nobody_turned_to_before_they_began_wait_for_their_end(self, fakes: Fakes) -> None:
        fakes.agent.preferences.change(IN_AN_HOUR)
        fakes.arrives(
            campaign("c-1", ends=START + timedelta(days=1)), campaign("c-2", ends=START + timedelta(days=1))
        )
        assert fakes.shown == ["c-1 1/2"]
        fakes.presence = AWAY
        fakes.presenter.refresh()
        fakes.presenter.hovered(True)
        fakes.time.pass_by(1.5 * 3_600)
        fakes.presence = PresenceState()
        fakes.time.pass_by(60)
        assert fakes.shown == ["c-1 1/1"]
        fakes.presenter.dismiss()
        fakes.time.pass_by(600)
        assert fakes.agent.acts("c-2") == []
        fakes.time.pass_by(2 * 3_600)
        assert InteractionKind.DISPLAYED in fakes.agent.acts("c-2")


class TestReminders:
    def test_one_that_is_put_off_in_the_inbox_before_its_page_was_turned_to_comes_when_it_was_wanted(
        self, fakes: Fakes
    ) -> None:
        fakes.arrives(campaign("c-1"), campaign("c-2"))
        fakes.agent.interactions.remind("c-2", 900)
        fakes.time.pass_by(1)
        assert fakes.shown == ["c-1 1/1"]
        fakes.presenter.dismiss()
        fakes.time.pass_by(899 - 1)
        assert (fakes.shown, fakes.agent.acts("c-2")) == ([], [])
        fakes.time.pass_by(3)
        assert fakes.shown == ["c-2 1/1"]

    def test_one_on_the_screen_that_is_put_off_in_the_inbox_leaves_it(self, fakes: Fakes) -> None:
        fakes.arrives(campaign("c-1"))
        fakes.agent.interactions.remind("c-1", 900)
        fakes.time.pass_by(1)
        assert fakes.shown == []
        fakes.time.pass_by(900)
        assert fakes.shown == ["c-1 1/1"]
        assert fakes.agent.items["c-1"].state.remind_at is None

    def test_one_that_made_way_and_is_put_off_meanwhile_does_not_come_back_earlier(
        self, fakes: Fakes
    ) -> None:
        fakes.arrives(campaign("c-1"))
        fakes.presence = FULL_SCREEN
        fakes.presenter.refresh()
        fakes.time.pass_by(SEEN_S + 1)
        fakes.agent.interactions.remind("c-1", 3_600)
        fakes.presence = PresenceState()
        fakes.time.pass_by(1_800)
        assert fakes.shown == []
        fakes.time.pass_by(1_801)
        assert fakes.shown == ["c-1 1/1"]

    def test_one_of_a_digest_that_is_put_off_leaves_its_page(self, fakes: Fakes) -> None:
        fakes.arrives(
            *[campaign(f"c-{n}", starts=LONG_AGO, ends=START + timedelta(days=1)) for n in range(3)]
        )
        fakes.agent.interactions.remind("c-1", 3_600)
        fakes.time.pass_by(1)
        assert fakes.shown == ["c-2+c-0 1/1"]


class TestOnce:
    def test_it_is_noted_before_it_can_be_seen(self, fakes: Fakes) -> None:
        noted: list[list[InteractionKind]] = []
        fakes.on_show = lambda: noted.append(fakes.agent.acts("c-1"))
        fakes.arrives(campaign())
        assert noted[0] == [InteractionKind.DISPLAYED], "who is killed then shows it never again"

    @pytest.mark.expected_logs("was not recorded")
    def test_a_disk_that_cannot_note_it_makes_no_pop_up_that_comes_again_and_again(
        self, fakes: Fakes
    ) -> None:
        fakes.agent.fault = errors.DiskFault("no space left")
        fakes.arrives(campaign())
        for _minute in range(10):
            fakes.time.pass_by(60)
            fakes.presenter.refresh()
        assert (len(fakes.cards), fakes.shown) == (1, [])
        told = len(fakes.told)
        fakes.agent.fault = None
        fakes.presenter.refresh()
        fakes.time.pass_by(60)
        assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED], "noted as soon as the disk takes it"
        assert (len(fakes.cards), len(fakes.told)) == (1, told)

    @pytest.mark.expected_logs("was not recorded")
    def test_what_a_disk_could_not_note_comes_again_when_the_person_wants_it(self, fakes: Fakes) -> None:
        fakes.agent.fault = errors.DiskFault("no space left")
        fakes.arrives(campaign())
        fakes.agent.fault = None
        fakes.presenter.later(900)
        fakes.time.pass_by(600)
        assert fakes.shown == []
        fakes.time.pass_by(301)
        assert fakes.shown == ["c-1 1/1"]


def test_an_urgent_one_is_the_next_page_and_not_the_last(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"), campaign("c-3"))
    fakes.arrives(campaign("c-now", urgency=Urgency.URGENT))
    assert fakes.shown == ["c-1 1/4"]
    fakes.presenter.dismiss()
    assert fakes.shown == ["c-now 1/3"]


def test_a_digest_that_made_way_and_another_absence_are_one_page(fakes: Fakes) -> None:
    fakes.arrives(*[campaign(f"c-{n}", starts=LONG_AGO, ends=START + timedelta(days=1)) for n in range(3)])
    fakes.presence = FULL_SCREEN
    fakes.presenter.refresh()
    fakes.time.pass_by(SEEN_S + 1)
    assert fakes.shown == []
    fakes.arrives(*[campaign(f"c-x{n}", starts=LONG_AGO, ends=START + timedelta(days=1)) for n in range(3)])
    fakes.presence = PresenceState()
    fakes.time.pass_by(16)
    assert fakes.shown == ["c-x2+c-x1+c-x0+c-2+c-1+c-0 1/1"]


def test_an_emergency_never_waits_behind_a_page_that_waits(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"))
    fakes.presence = FULL_SCREEN
    fakes.presenter.refresh()
    fakes.time.pass_by(SEEN_S + 1)
    fakes.arrives(campaign("c-fire", urgency=Urgency.EMERGENCY))
    fakes.time.pass_by(SEEN_S + 1)
    assert fakes.shown == ["c-fire 1/1"]
    fakes.presenter.dismiss()
    fakes.presence = PresenceState()
    fakes.time.pass_by(TIME_OUT_S)
    assert fakes.agent.acts("c-1").count(InteractionKind.DISPLAYED) == 1


def test_while_a_page_waits_for_a_long_pause_nobody_asks_the_desktop(fakes: Fakes) -> None:
    fakes.arrives(campaign(ends=START + timedelta(days=2)))
    fakes.agent.pause(20 * 3_600)
    fakes.time.pass_by(60)
    asked = fakes.asked
    fakes.time.pass_by(19 * 3_600)
    assert fakes.asked - asked < 5
    fakes.time.pass_by(3_600)
    assert fakes.agent.acts("c-1") == [
        InteractionKind.DISPLAYED,
        InteractionKind.SEEN,
        InteractionKind.TIMED_OUT,
    ]
