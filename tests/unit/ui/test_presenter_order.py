"""What is planned, put aside or put off: nothing is lost, nothing comes at the wrong time, nothing comes twice."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.domain import errors, limits
from agent.domain.model import InteractionKind, PresenceState, Tristate, Urgency
from tests.unit.ui.desk import START, campaign
from tests.unit.ui.presenter_desk import Desk

SEEN_S = limits.SEEN_AFTER_MS / 1000
TIME_OUT_S = limits.POPUP_TIMEOUT_MS / 1000
FULL_SCREEN = PresenceState(full_screen=Tristate.YES)
AWAY = PresenceState(idle=Tristate.YES)
LONG_AGO = START - timedelta(seconds=limits.DIGEST_AFTER_S + 60)
IN_AN_HOUR = {"quiet_hours": True, "quiet_from": "10:00", "quiet_to": "12:00"}
"""Quiet hours that begin an hour after the start (the tests' computer is in UTC)."""


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.presenter.close()
    assert not any(card.open for card in desk.cards)


class TestQuietHours:
    def test_what_made_way_before_them_comes_back_after_them(self, desk: Desk) -> None:
        desk.agent.preferences.change(IN_AN_HOUR)
        desk.arrives(campaign(ends=START + timedelta(days=1)))
        desk.presence = FULL_SCREEN
        desk.presenter.refresh()
        desk.time.pass_by(1.5 * 3_600)
        desk.presence = PresenceState()
        desk.time.pass_by(60)
        assert desk.shown == [], "the video ended at half past ten"
        asked = desk.asked
        desk.time.pass_by(3_600)
        assert desk.asked - asked < 5, "nobody asks all the time until they end"
        desk.time.pass_by(3_600)
        assert desk.agent.acts("c-1") == [
            InteractionKind.DISPLAYED,
            InteractionKind.SEEN,
            InteractionKind.TIMED_OUT,
        ]

    def test_what_full_screen_held_until_they_began_comes_when_they_end(self, desk: Desk) -> None:
        desk.agent.preferences.change(IN_AN_HOUR)
        desk.presence = FULL_SCREEN
        desk.arrives(campaign(ends=START + timedelta(days=1)))
        desk.time.pass_by(1.5 * 3_600)
        desk.presence = PresenceState()
        desk.time.pass_by(1_000)
        assert desk.shown == []
        desk.time.pass_by(2 * 3_600)
        assert desk.agent.acts("c-1") == [
            InteractionKind.DISPLAYED,
            InteractionKind.SEEN,
            InteractionKind.TIMED_OUT,
        ]

    def test_pages_that_nobody_turned_to_before_they_began_wait_for_their_end(self, desk: Desk) -> None:
        desk.agent.preferences.change(IN_AN_HOUR)
        desk.arrives(
            campaign("c-1", ends=START + timedelta(days=1)), campaign("c-2", ends=START + timedelta(days=1))
        )
        assert desk.shown == ["c-1 1/2"]
        desk.presence = AWAY
        desk.presenter.refresh()
        desk.presenter.hovered(True)
        desk.time.pass_by(1.5 * 3_600)
        desk.presence = PresenceState()
        desk.time.pass_by(60)
        assert desk.shown == ["c-1 1/1"]
        desk.presenter.dismiss()
        desk.time.pass_by(600)
        assert desk.agent.acts("c-2") == []
        desk.time.pass_by(2 * 3_600)
        assert InteractionKind.DISPLAYED in desk.agent.acts("c-2")


class TestReminders:
    def test_one_that_is_put_off_in_the_inbox_before_its_page_was_turned_to_comes_when_it_was_wanted(
        self, desk: Desk
    ) -> None:
        desk.arrives(campaign("c-1"), campaign("c-2"))
        desk.agent.interactions.remind("c-2", 900)
        desk.time.pass_by(1)
        assert desk.shown == ["c-1 1/1"]
        desk.presenter.dismiss()
        desk.time.pass_by(899 - 1)
        assert (desk.shown, desk.agent.acts("c-2")) == ([], [])
        desk.time.pass_by(3)
        assert desk.shown == ["c-2 1/1"]

    def test_one_on_the_screen_that_is_put_off_in_the_inbox_leaves_it(self, desk: Desk) -> None:
        desk.arrives(campaign("c-1"))
        desk.agent.interactions.remind("c-1", 900)
        desk.time.pass_by(1)
        assert desk.shown == []
        desk.time.pass_by(900)
        assert desk.shown == ["c-1 1/1"]
        assert desk.agent.items["c-1"].state.remind_at is None

    def test_one_that_made_way_and_is_put_off_meanwhile_does_not_come_back_earlier(self, desk: Desk) -> None:
        desk.arrives(campaign("c-1"))
        desk.presence = FULL_SCREEN
        desk.presenter.refresh()
        desk.time.pass_by(SEEN_S + 1)
        desk.agent.interactions.remind("c-1", 3_600)
        desk.presence = PresenceState()
        desk.time.pass_by(1_800)
        assert desk.shown == []
        desk.time.pass_by(1_801)
        assert desk.shown == ["c-1 1/1"]

    def test_one_of_a_digest_that_is_put_off_leaves_its_page(self, desk: Desk) -> None:
        desk.arrives(*[campaign(f"c-{n}", starts=LONG_AGO, ends=START + timedelta(days=1)) for n in range(3)])
        desk.agent.interactions.remind("c-1", 3_600)
        desk.time.pass_by(1)
        assert desk.shown == ["c-2+c-0 1/1"]


class TestOnce:
    def test_it_is_noted_before_it_can_be_seen(self, desk: Desk) -> None:
        noted: list[list[InteractionKind]] = []
        desk.on_show = lambda: noted.append(desk.agent.acts("c-1"))
        desk.arrives(campaign())
        assert noted[0] == [InteractionKind.DISPLAYED], "who is killed then shows it never again"

    @pytest.mark.expected_logs("was not recorded")
    def test_a_disk_that_cannot_note_it_makes_no_pop_up_that_comes_again_and_again(self, desk: Desk) -> None:
        desk.agent.fault = errors.DiskFault("no space left")
        desk.arrives(campaign())
        for _minute in range(10):
            desk.time.pass_by(60)
            desk.presenter.refresh()
        assert (len(desk.cards), desk.shown) == (1, [])
        told = len(desk.told)
        desk.agent.fault = None
        desk.presenter.refresh()
        desk.time.pass_by(60)
        assert desk.agent.acts("c-1") == [InteractionKind.DISPLAYED], "noted as soon as the disk takes it"
        assert (len(desk.cards), len(desk.told)) == (1, told)

    @pytest.mark.expected_logs("was not recorded")
    def test_what_a_disk_could_not_note_comes_again_when_the_person_wants_it(self, desk: Desk) -> None:
        desk.agent.fault = errors.DiskFault("no space left")
        desk.arrives(campaign())
        desk.agent.fault = None
        desk.presenter.later(900)
        desk.time.pass_by(600)
        assert desk.shown == []
        desk.time.pass_by(301)
        assert desk.shown == ["c-1 1/1"]


def test_an_urgent_one_is_the_next_page_and_not_the_last(desk: Desk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"), campaign("c-3"))
    desk.arrives(campaign("c-now", urgency=Urgency.URGENT))
    assert desk.shown == ["c-1 1/4"]
    desk.presenter.dismiss()
    assert desk.shown == ["c-now 1/3"]


def test_a_digest_that_made_way_and_another_absence_are_one_page(desk: Desk) -> None:
    desk.arrives(*[campaign(f"c-{n}", starts=LONG_AGO, ends=START + timedelta(days=1)) for n in range(3)])
    desk.presence = FULL_SCREEN
    desk.presenter.refresh()
    desk.time.pass_by(SEEN_S + 1)
    assert desk.shown == []
    desk.arrives(*[campaign(f"c-x{n}", starts=LONG_AGO, ends=START + timedelta(days=1)) for n in range(3)])
    desk.presence = PresenceState()
    desk.time.pass_by(16)
    assert desk.shown == ["c-x2+c-x1+c-x0+c-2+c-1+c-0 1/1"]


def test_an_emergency_never_waits_behind_a_page_that_waits(desk: Desk) -> None:
    desk.arrives(campaign("c-1"))
    desk.presence = FULL_SCREEN
    desk.presenter.refresh()
    desk.time.pass_by(SEEN_S + 1)
    desk.arrives(campaign("c-fire", urgency=Urgency.EMERGENCY))
    desk.time.pass_by(SEEN_S + 1)
    assert desk.shown == ["c-fire 1/1"]
    desk.presenter.dismiss()
    desk.presence = PresenceState()
    desk.time.pass_by(TIME_OUT_S)
    assert desk.agent.acts("c-1").count(InteractionKind.DISPLAYED) == 1


def test_while_a_page_waits_for_a_long_pause_nobody_asks_the_desktop(desk: Desk) -> None:
    desk.arrives(campaign(ends=START + timedelta(days=2)))
    desk.agent.pause(20 * 3_600)
    desk.time.pass_by(60)
    asked = desk.asked
    desk.time.pass_by(19 * 3_600)
    assert desk.asked - asked < 5
    desk.time.pass_by(3_600)
    assert desk.agent.acts("c-1") == [
        InteractionKind.DISPLAYED,
        InteractionKind.SEEN,
        InteractionKind.TIMED_OUT,
    ]
