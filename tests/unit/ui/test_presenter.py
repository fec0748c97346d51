"""What is on the screen, since when, and what is noted of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.domain import errors, limits
from agent.domain.model import Change, Interaction, InteractionKind, PresenceState, Tristate, Urgency
from tests.unit.ui.memory_agent import START, VIDEO, campaign
from tests.unit.ui.presenter_fakes import Fakes

SEEN_S = limits.SEEN_AFTER_MS / 1000
TIME_OUT_S = limits.POPUP_TIMEOUT_MS / 1000


@pytest.fixture
def fakes() -> Iterator[Fakes]:
    fakes = Fakes()
    yield fakes
    fakes.presenter.close()
    assert not any(card.open for card in fakes.cards)


def test_a_campaign_that_arrives_is_shown_and_noted_as_displayed(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    assert fakes.shown == ["c-1 1/1"]
    assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED]


def test_it_is_seen_after_three_visible_seconds_and_only_once(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.time.pass_by(SEEN_S - 0.2)
    assert InteractionKind.SEEN not in fakes.agent.acts("c-1")
    fakes.time.pass_by(0.4)
    assert fakes.agent.acts("c-1").count(InteractionKind.SEEN) == 1
    fakes.time.pass_by(10)
    assert fakes.agent.acts("c-1").count(InteractionKind.SEEN) == 1


def test_a_card_that_is_hidden_for_a_moment_starts_its_three_seconds_again(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.time.pass_by(2)
    fakes.presenter.visible(False)
    fakes.presenter.visible(True)
    fakes.time.pass_by(2)
    assert InteractionKind.SEEN not in fakes.agent.acts("c-1")
    fakes.time.pass_by(1.5)
    assert InteractionKind.SEEN in fakes.agent.acts("c-1")


def test_a_screen_that_was_locked_meanwhile_is_no_seen_until_it_is_open_again(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.presence = PresenceState(locked=Tristate.YES)
    fakes.time.pass_by(60)
    assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED]
    assert fakes.shown == ["c-1 1/1"], "nobody could look: the time-out waits"
    fakes.presence = PresenceState(locked=Tristate.NO)
    fakes.time.pass_by(5 + SEEN_S + 0.1)
    assert InteractionKind.SEEN in fakes.agent.acts("c-1")


def test_what_another_window_covered_is_no_seen_until_it_lies_open(fakes: Fakes) -> None:
    fakes.covered = True
    fakes.arrives(campaign())
    fakes.time.pass_by(120)
    assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED]
    assert fakes.shown == ["c-1 1/1"], "nobody could look: the time-out waits"
    fakes.covered = False
    fakes.time.pass_by(6 + SEEN_S + 1.1)
    assert InteractionKind.SEEN in fakes.agent.acts("c-1")


def test_it_goes_by_itself_after_its_time_and_that_is_no_dismissal(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.time.pass_by(TIME_OUT_S + 0.1)
    assert fakes.shown == []
    assert fakes.agent.acts("c-1") == [
        InteractionKind.DISPLAYED,
        InteractionKind.SEEN,
        InteractionKind.TIMED_OUT,
    ]
    assert fakes.agent.status().unread == 1


def test_the_time_out_waits_while_the_pointer_is_over_the_card(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.time.pass_by(TIME_OUT_S - 1)
    fakes.presenter.hovered(True)
    fakes.time.pass_by(300)
    assert fakes.shown == ["c-1 1/1"]
    fakes.presenter.hovered(False)
    fakes.time.pass_by(2.5)
    assert fakes.shown == ["c-1 1/1"], "nothing vanishes the moment the pointer leaves"
    fakes.time.pass_by(1)
    assert fakes.shown == []


@pytest.mark.parametrize(("urgency", "minutes"), [(Urgency.URGENT, 1), (Urgency.EMERGENCY, None)])
def test_urgent_ones_stay_longer_and_an_emergency_until_it_is_closed(
    fakes: Fakes, urgency: Urgency, minutes: int | None
) -> None:
    fakes.arrives(campaign(urgency=urgency))
    fakes.time.pass_by(59)
    assert fakes.shown == ["c-1 1/1"]
    fakes.time.pass_by(3_600)
    assert fakes.shown == ([] if minutes else ["c-1 1/1"])


def test_several_due_share_one_card_and_a_later_one_does_not_push_the_first_away(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"))
    assert fakes.shown == ["c-1 1/2"]
    fakes.arrives(campaign("c-3", urgency=Urgency.URGENT))
    assert fakes.shown == ["c-1 1/3"]
    assert len(fakes.cards) == 1


def test_paging_shows_each_and_notes_it_as_displayed_when_it_is_shown(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"))
    assert fakes.agent.acts("c-2") == []
    fakes.presenter.turn(1)
    assert fakes.shown == ["c-2 2/2"]
    assert fakes.agent.acts("c-2") == [InteractionKind.DISPLAYED]
    fakes.presenter.turn(1)
    assert fakes.shown == ["c-2 2/2"]
    fakes.presenter.turn(-1)
    assert fakes.shown == ["c-1 1/2"]
    assert fakes.agent.acts("c-1").count(InteractionKind.DISPLAYED) == 1


def test_seen_belongs_to_the_page_that_stayed_not_to_those_turned_over(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"))
    fakes.time.pass_by(2)
    fakes.presenter.turn(1)
    fakes.time.pass_by(SEEN_S + 0.1)
    assert InteractionKind.SEEN not in fakes.agent.acts("c-1")
    assert InteractionKind.SEEN in fakes.agent.acts("c-2")


def test_when_one_times_out_the_next_takes_its_place_until_all_had_theirs(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"))
    fakes.time.pass_by(TIME_OUT_S + 0.1)
    assert fakes.shown == ["c-2 1/1"]
    fakes.time.pass_by(TIME_OUT_S + 0.1)
    assert fakes.shown == []
    assert InteractionKind.TIMED_OUT in fakes.agent.acts("c-1")
    assert InteractionKind.TIMED_OUT in fakes.agent.acts("c-2")


def test_closing_one_dismisses_it_and_shows_the_next(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"))
    fakes.presenter.dismiss()
    assert fakes.shown == ["c-2 1/1"]
    fakes.presenter.dismiss()
    assert fakes.shown == []
    assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED, InteractionKind.DISMISSED]


def test_nothing_is_shown_twice(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.presenter.dismiss()
    fakes.agent.tell(Change.CAMPAIGNS)
    fakes.time.pass_by(24 * 3_600)
    assert len(fakes.cards) == 1


def test_a_link_is_noted_opened_and_ends_the_page(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.presenter.follow("l1")
    assert fakes.opened == ["https://intranet.northwind.example/lyon"]
    assert Interaction("c-1", InteractionKind.CLICKED, "l1") in fakes.agent.recorded
    assert fakes.shown == []


def test_a_link_to_a_host_that_the_company_does_not_allow_is_told_and_not_opened(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.presenter.follow("l2")
    assert fakes.opened == []
    assert "elsewhere.example" in fakes.told[0].message
    assert InteractionKind.CLICKED not in fakes.agent.acts("c-1")
    assert fakes.shown == ["c-1 1/1"]


def test_watching_opens_the_player_and_the_click_is_noted_by_it_not_here(fakes: Fakes) -> None:
    fakes.arrives(campaign(video=VIDEO))
    fakes.presenter.watch()
    assert fakes.played == ["c-1"]
    assert InteractionKind.CLICKED not in fakes.agent.acts("c-1")
    assert fakes.shown == []


def test_the_heart_is_noted_both_ways_and_the_card_stays(fakes: Fakes) -> None:
    fakes.arrives(campaign(video=VIDEO))
    fakes.presenter.like(True)
    fakes.presenter.like(False)
    assert fakes.agent.acts("c-1")[-2:] == [InteractionKind.LIKED, InteractionKind.UNLIKED]
    assert fakes.shown == ["c-1 1/1"]


def test_later_takes_it_away_and_brings_it_back(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.presenter.later(900)
    assert fakes.shown == []
    fakes.time.pass_by(890)
    assert fakes.shown == []
    fakes.time.pass_by(11)
    assert fakes.shown == ["c-1 1/1"]


def test_a_recalled_campaign_leaves_the_screen_at_once(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"))
    fakes.agent.recall("c-1")
    fakes.time.pass_by(0.01)
    assert fakes.shown == ["c-2 1/1"]
    fakes.agent.recall("c-2")
    fakes.time.pass_by(0.01)
    assert fakes.shown == []


def test_an_expired_campaign_leaves_the_screen_when_it_ends(fakes: Fakes) -> None:
    fakes.arrives(campaign(urgency=Urgency.EMERGENCY, ends=START + timedelta(minutes=30)))
    fakes.time.pass_by(1_790)
    assert fakes.shown == ["c-1 1/1"]
    fakes.time.pass_by(11)
    assert fakes.shown == []


def test_what_is_read_in_the_inbox_leaves_the_screen(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.agent.interactions.record(Interaction("c-1", InteractionKind.READ))
    fakes.time.pass_by(0.01)
    assert fakes.shown == []


@pytest.mark.parametrize("reason", ["locked", "full_screen", "do_not_disturb"])
def test_it_is_held_back_while_the_person_should_not_be_disturbed_and_shown_afterwards(
    fakes: Fakes, reason: str
) -> None:
    fakes.presence = PresenceState(**{reason: Tristate.YES})
    fakes.arrives(campaign())
    fakes.time.pass_by(3_600)
    assert fakes.shown == []
    fakes.presence = PresenceState()
    fakes.time.pass_by(16)
    assert fakes.shown == ["c-1 1/1"]


def test_a_pause_holds_pop_ups_and_its_end_brings_them(fakes: Fakes) -> None:
    fakes.agent.pause(1_800)
    fakes.arrives(campaign())
    fakes.time.pass_by(1_799)
    assert fakes.shown == []
    fakes.time.pass_by(2)
    assert fakes.shown == ["c-1 1/1"]


def test_a_campaign_that_starts_later_is_shown_when_it_starts_without_polling(fakes: Fakes) -> None:
    fakes.arrives(campaign(starts=START + timedelta(hours=2)))
    assert fakes.asked == 0
    assert fakes.time.waiting == 1
    fakes.time.pass_by(7_199)
    assert fakes.asked == 0
    fakes.time.pass_by(2)
    assert fakes.shown == ["c-1 1/1"]


def test_while_nothing_is_due_no_timer_runs_and_the_desktop_is_left_alone(fakes: Fakes) -> None:
    fakes.arrives(campaign(urgency=Urgency.SILENT))
    assert (fakes.time.waiting, fakes.asked) == (0, 0)
    fakes.arrives(campaign("c-2"))
    fakes.presenter.dismiss()
    fakes.time.pass_by(60)
    asked = fakes.asked
    fakes.time.pass_by(24 * 3_600)
    assert (fakes.time.waiting, fakes.asked) == (0, asked)


@pytest.mark.expected_logs("was not recorded")
def test_a_full_disk_is_told_and_the_card_still_works(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.agent.fault = errors.DiskFault("no space left")
    fakes.presenter.like(True)
    assert fakes.told == [fakes.agent.fault], "that was a wish"
    fakes.presenter.dismiss()
    assert fakes.told_quietly == [fakes.agent.fault]
    assert fakes.shown == []


@pytest.mark.expected_logs("was not recorded")
def test_a_full_disk_is_told_once_and_not_with_each_announcement_and_again_when_it_is_full_again(
    fakes: Fakes,
) -> None:
    fakes.agent.fault = errors.DiskFault("no space left")
    for number in range(5):
        fakes.arrives(campaign(f"c-{number}"))
        fakes.time.pass_by(TIME_OUT_S + 1)
    assert (fakes.told, fakes.told_quietly) == ([], [fakes.agent.fault])
    fakes.agent.fault = None
    fakes.arrives(campaign("c-5"))
    fakes.agent.fault = errors.DiskFault("no space left")
    fakes.time.pass_by(TIME_OUT_S + 1)
    assert fakes.told_quietly[1:] == [fakes.agent.fault]


def test_change_opens_the_choices(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.presenter.change()
    assert (fakes.choices_shown, fakes.shown) == (1, ["c-1 1/1"])


def test_after_closing_nothing_is_shown_any_more(fakes: Fakes) -> None:
    fakes.arrives(campaign("c-1"))
    fakes.presenter.close()
    fakes.arrives(campaign("c-2"))
    fakes.time.pass_by(60)
    assert fakes.shown == []
    assert fakes.agent.acts("c-2") == []
