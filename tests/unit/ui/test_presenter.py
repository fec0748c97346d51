"""What is on the screen, since when, and what is noted of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.domain import errors, limits
from agent.domain.model import Change, Interaction, InteractionKind, PresenceState, Tristate, Urgency
from tests.unit.ui.desk import START, VIDEO, campaign
from tests.unit.ui.presenter_desk import Desk

SEEN_S = limits.SEEN_AFTER_MS / 1000
TIME_OUT_S = limits.POPUP_TIMEOUT_MS / 1000


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.presenter.close()
    assert not any(card.open for card in desk.cards)


def test_a_campaign_that_arrives_is_shown_and_noted_as_displayed(desk: Desk) -> None:
    desk.arrives(campaign())
    assert desk.shown == ["c-1 1/1"]
    assert desk.agent.acts("c-1") == [InteractionKind.DISPLAYED]


def test_it_is_seen_after_three_visible_seconds_and_only_once(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.time.pass_by(SEEN_S - 0.2)
    assert InteractionKind.SEEN not in desk.agent.acts("c-1")
    desk.time.pass_by(0.4)
    assert desk.agent.acts("c-1").count(InteractionKind.SEEN) == 1
    desk.time.pass_by(10)
    assert desk.agent.acts("c-1").count(InteractionKind.SEEN) == 1


def test_a_card_that_is_hidden_for_a_moment_starts_its_three_seconds_again(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.time.pass_by(2)
    desk.presenter.visible(False)
    desk.presenter.visible(True)
    desk.time.pass_by(2)
    assert InteractionKind.SEEN not in desk.agent.acts("c-1")
    desk.time.pass_by(1.5)
    assert InteractionKind.SEEN in desk.agent.acts("c-1")


def test_a_screen_that_was_locked_meanwhile_is_no_seen_until_it_is_open_again(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.presence = PresenceState(locked=Tristate.YES)
    desk.time.pass_by(60)
    assert desk.agent.acts("c-1") == [InteractionKind.DISPLAYED]
    assert desk.shown == ["c-1 1/1"], "nobody could look: the time-out waits"
    desk.presence = PresenceState(locked=Tristate.NO)
    desk.time.pass_by(5 + SEEN_S + 0.1)
    assert InteractionKind.SEEN in desk.agent.acts("c-1")


def test_it_goes_by_itself_after_its_time_and_that_is_no_dismissal(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.time.pass_by(TIME_OUT_S + 0.1)
    assert desk.shown == []
    assert desk.agent.acts("c-1") == [
        InteractionKind.DISPLAYED,
        InteractionKind.SEEN,
        InteractionKind.TIMED_OUT,
    ]
    assert desk.agent.status().unread == 1


def test_the_time_out_waits_while_the_pointer_is_over_the_card(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.time.pass_by(TIME_OUT_S - 1)
    desk.presenter.hovered(True)
    desk.time.pass_by(300)
    assert desk.shown == ["c-1 1/1"]
    desk.presenter.hovered(False)
    desk.time.pass_by(2.5)
    assert desk.shown == ["c-1 1/1"], "nothing vanishes the moment the pointer leaves"
    desk.time.pass_by(1)
    assert desk.shown == []


@pytest.mark.parametrize(("urgency", "minutes"), [(Urgency.URGENT, 1), (Urgency.EMERGENCY, None)])
def test_urgent_ones_stay_longer_and_an_emergency_until_it_is_closed(
    desk: Desk, urgency: Urgency, minutes: int | None
) -> None:
    desk.arrives(campaign(urgency=urgency))
    desk.time.pass_by(59)
    assert desk.shown == ["c-1 1/1"]
    desk.time.pass_by(3_600)
    assert desk.shown == ([] if minutes else ["c-1 1/1"])


def test_several_due_share_one_card_and_a_later_one_does_not_push_the_first_away(desk: Desk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"))
    assert desk.shown == ["c-1 1/2"]
    desk.arrives(campaign("c-3", urgency=Urgency.URGENT))
    assert desk.shown == ["c-1 1/3"]
    assert len(desk.cards) == 1


def test_paging_shows_each_and_notes_it_as_displayed_when_it_is_shown(desk: Desk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"))
    assert desk.agent.acts("c-2") == []
    desk.presenter.turn(1)
    assert desk.shown == ["c-2 2/2"]
    assert desk.agent.acts("c-2") == [InteractionKind.DISPLAYED]
    desk.presenter.turn(1)
    assert desk.shown == ["c-2 2/2"]
    desk.presenter.turn(-1)
    assert desk.shown == ["c-1 1/2"]
    assert desk.agent.acts("c-1").count(InteractionKind.DISPLAYED) == 1


def test_seen_belongs_to_the_page_that_stayed_not_to_those_turned_over(desk: Desk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"))
    desk.time.pass_by(2)
    desk.presenter.turn(1)
    desk.time.pass_by(SEEN_S + 0.1)
    assert InteractionKind.SEEN not in desk.agent.acts("c-1")
    assert InteractionKind.SEEN in desk.agent.acts("c-2")


def test_when_one_times_out_the_next_takes_its_place_until_all_had_theirs(desk: Desk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"))
    desk.time.pass_by(TIME_OUT_S + 0.1)
    assert desk.shown == ["c-2 1/1"]
    desk.time.pass_by(TIME_OUT_S + 0.1)
    assert desk.shown == []
    assert InteractionKind.TIMED_OUT in desk.agent.acts("c-1")
    assert InteractionKind.TIMED_OUT in desk.agent.acts("c-2")


def test_closing_one_dismisses_it_and_shows_the_next(desk: Desk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"))
    desk.presenter.dismiss()
    assert desk.shown == ["c-2 1/1"]
    desk.presenter.dismiss()
    assert desk.shown == []
    assert desk.agent.acts("c-1") == [InteractionKind.DISPLAYED, InteractionKind.DISMISSED]


def test_nothing_is_shown_twice(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.presenter.dismiss()
    desk.agent.tell(Change.CAMPAIGNS)
    desk.time.pass_by(24 * 3_600)
    assert len(desk.cards) == 1


def test_a_link_is_noted_opened_and_ends_the_page(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.presenter.follow("l1")
    assert desk.opened == ["https://intranet.northwind.example/lyon"]
    assert Interaction("c-1", InteractionKind.CLICKED, "l1") in desk.agent.recorded
    assert desk.shown == []


def test_a_link_to_a_host_that_the_company_does_not_allow_is_told_and_not_opened(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.presenter.follow("l2")
    assert desk.opened == []
    assert "elsewhere.example" in desk.told[0].message
    assert InteractionKind.CLICKED not in desk.agent.acts("c-1")
    assert desk.shown == ["c-1 1/1"]


def test_watching_opens_the_player_and_the_click_is_noted_by_it_not_here(desk: Desk) -> None:
    desk.arrives(campaign(video=VIDEO))
    desk.presenter.watch()
    assert desk.played == ["c-1"]
    assert InteractionKind.CLICKED not in desk.agent.acts("c-1")
    assert desk.shown == []


def test_the_heart_is_noted_both_ways_and_the_card_stays(desk: Desk) -> None:
    desk.arrives(campaign(video=VIDEO))
    desk.presenter.like(True)
    desk.presenter.like(False)
    assert desk.agent.acts("c-1")[-2:] == [InteractionKind.LIKED, InteractionKind.UNLIKED]
    assert desk.shown == ["c-1 1/1"]


def test_later_takes_it_away_and_brings_it_back(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.presenter.later(900)
    assert desk.shown == []
    desk.time.pass_by(890)
    assert desk.shown == []
    desk.time.pass_by(11)
    assert desk.shown == ["c-1 1/1"]


def test_a_recalled_campaign_leaves_the_screen_at_once(desk: Desk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"))
    desk.agent.recall("c-1")
    desk.time.pass_by(0.01)
    assert desk.shown == ["c-2 1/1"]
    desk.agent.recall("c-2")
    desk.time.pass_by(0.01)
    assert desk.shown == []


def test_an_expired_campaign_leaves_the_screen_when_it_ends(desk: Desk) -> None:
    desk.arrives(campaign(urgency=Urgency.EMERGENCY, ends=START + timedelta(minutes=30)))
    desk.time.pass_by(1_790)
    assert desk.shown == ["c-1 1/1"]
    desk.time.pass_by(11)
    assert desk.shown == []


def test_what_is_read_in_the_inbox_leaves_the_screen(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.agent.interactions.record(Interaction("c-1", InteractionKind.READ))
    desk.time.pass_by(0.01)
    assert desk.shown == []


@pytest.mark.parametrize("reason", ["locked", "full_screen", "do_not_disturb"])
def test_it_is_held_back_while_the_person_should_not_be_disturbed_and_shown_afterwards(
    desk: Desk, reason: str
) -> None:
    desk.presence = PresenceState(**{reason: Tristate.YES})
    desk.arrives(campaign())
    desk.time.pass_by(3_600)
    assert desk.shown == []
    desk.presence = PresenceState()
    desk.time.pass_by(16)
    assert desk.shown == ["c-1 1/1"]


def test_a_pause_holds_pop_ups_and_its_end_brings_them(desk: Desk) -> None:
    desk.agent.pause(1_800)
    desk.arrives(campaign())
    desk.time.pass_by(1_799)
    assert desk.shown == []
    desk.time.pass_by(2)
    assert desk.shown == ["c-1 1/1"]


def test_a_campaign_that_starts_later_is_shown_when_it_starts_without_polling(desk: Desk) -> None:
    desk.arrives(campaign(starts=START + timedelta(hours=2)))
    assert desk.asked == 0
    assert desk.time.waiting == 1
    desk.time.pass_by(7_199)
    assert desk.asked == 0
    desk.time.pass_by(2)
    assert desk.shown == ["c-1 1/1"]


def test_while_nothing_is_due_no_timer_runs_and_the_desktop_is_left_alone(desk: Desk) -> None:
    desk.arrives(campaign(urgency=Urgency.SILENT))
    assert (desk.time.waiting, desk.asked) == (0, 0)
    desk.arrives(campaign("c-2"))
    desk.presenter.dismiss()
    desk.time.pass_by(60)
    asked = desk.asked
    desk.time.pass_by(24 * 3_600)
    assert (desk.time.waiting, desk.asked) == (0, asked)


@pytest.mark.expected_logs("was not recorded")
def test_a_full_disk_is_told_and_the_card_still_works(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.agent.fault = errors.DiskFault("no space left")
    desk.presenter.like(True)
    assert desk.told == [desk.agent.fault], "that was a wish"
    desk.presenter.dismiss()
    assert desk.told_quietly == [desk.agent.fault]
    assert desk.shown == []


@pytest.mark.expected_logs("was not recorded")
def test_a_full_disk_is_told_once_and_not_with_each_announcement_and_again_when_it_is_full_again(
    desk: Desk,
) -> None:
    desk.agent.fault = errors.DiskFault("no space left")
    for number in range(5):
        desk.arrives(campaign(f"c-{number}"))
        desk.time.pass_by(TIME_OUT_S + 1)
    assert (desk.told, desk.told_quietly) == ([], [desk.agent.fault])
    desk.agent.fault = None
    desk.arrives(campaign("c-5"))
    desk.agent.fault = errors.DiskFault("no space left")
    desk.time.pass_by(TIME_OUT_S + 1)
    assert desk.told_quietly[1:] == [desk.agent.fault]


def test_change_opens_the_choices(desk: Desk) -> None:
    desk.arrives(campaign())
    desk.presenter.change()
    assert (desk.choices_shown, desk.shown) == (1, ["c-1 1/1"])


def test_after_closing_nothing_is_shown_any_more(desk: Desk) -> None:
    desk.arrives(campaign("c-1"))
    desk.presenter.close()
    desk.arrives(campaign("c-2"))
    desk.time.pass_by(60)
    assert desk.shown == []
    assert desk.agent.acts("c-2") == []
