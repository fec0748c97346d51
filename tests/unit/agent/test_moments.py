"""Quiet hours, the number of pop-ups in a while, and the least time between two."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.campaigns.display_limits import quiet_until
from agent.campaigns.selection import select
from agent.domain.model import HoldReason, InboxItem, PresenceState, Selection, Urgency
from agent.domain.preferences import Day, Preferences
from tests.unit.agent.test_selection import NOW, an_item, ids

PARIS = ZoneInfo("Europe/Paris")
NIGHT = Preferences(quiet_hours=True, quiet_from="19:00", quiet_to="08:00")


def chosen(items: list[InboxItem], preferences: Preferences, now: datetime = NOW) -> Selection:
    return select(items, now=now, presence=PresenceState(), preferences=preferences, zone=UTC)


def shown_before(*minutes_ago: int) -> list[InboxItem]:
    moments = [NOW - timedelta(minutes=minutes) for minutes in minutes_ago]
    return [
        an_item(f"c-old-{number}", displayed=moment, popped_up=moment)
        for number, moment in enumerate(moments)
    ]


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-11-24 18:59", None),
        ("2026-11-24 19:00", "2026-11-25 08:00"),
        ("2026-11-25 07:59", "2026-11-25 08:00"),
        ("2026-11-25 08:00", None),
        ("2026-10-24 23:00", "2026-10-25 08:00"),
        ("2026-03-29 01:30", "2026-03-29 08:00"),
    ],
)
def test_quiet_hours_are_those_of_the_persons_own_clock(local: str, until: str | None) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=PARIS).astimezone(UTC)
    expected = datetime.fromisoformat(until).replace(tzinfo=PARIS) if until else None
    found = quiet_until(now, NIGHT, PARIS)
    assert (found.timestamp() if found else None) == (expected.timestamp() if expected else None)


def test_quiet_hours_belong_to_the_day_on_which_they_begin() -> None:
    fridays = replace(NIGHT, quiet_days=(Day.FRIDAY,))
    saturday_morning = datetime(2026, 11, 28, 7, tzinfo=UTC)
    assert quiet_until(saturday_morning, fridays, UTC) == datetime(2026, 11, 28, 8, tzinfo=UTC)
    assert quiet_until(saturday_morning - timedelta(days=1), fridays, UTC) is None
    assert quiet_until(saturday_morning + timedelta(hours=13), fridays, UTC) is None


def test_quiet_hours_hold_normal_announcements_until_they_end_and_no_urgent_ones() -> None:
    preferences = Preferences(quiet_hours=True, quiet_from="09:00", quiet_to="12:00")
    items = [an_item("c-normal"), an_item("c-urgent", Urgency.URGENT), an_item("c-all", Urgency.EMERGENCY)]
    found = chosen(items, preferences)
    assert ids(found) == ["c-all", "c-urgent"]
    assert found.held == {"c-normal": HoldReason.QUIET_HOURS}
    assert found.next_check_at == NOW + timedelta(hours=2)


def test_no_more_appear_in_an_hour_than_the_person_wants() -> None:
    found = chosen([*shown_before(50, 10), an_item("c-a"), an_item("c-b")], Preferences(popups_per_hour=3))
    assert ids(found) == ["c-a"]
    assert found.held["c-b"] is HoldReason.TOO_MANY
    assert found.next_check_at == NOW + timedelta(minutes=10)


def test_between_two_is_the_time_that_the_person_wants_but_for_what_they_asked_for_again() -> None:
    reminded = an_item("c-again", displayed=NOW - timedelta(minutes=50), remind_at=NOW)
    found = chosen([*shown_before(10), reminded, an_item("c-new")], Preferences(minutes_between=30))
    assert ids(found) == ["c-again"]
    assert found.held["c-new"] is HoldReason.TOO_SOON
    assert found.next_check_at == NOW + timedelta(minutes=20)


def test_what_was_marked_or_asked_for_again_was_no_pop_up_that_the_limits_count() -> None:
    marked = an_item("c-marked", displayed=NOW - timedelta(minutes=1))
    again = replace(marked, state=replace(marked.state, popped_up=NOW - timedelta(days=3)))
    found = chosen([marked, again, an_item("c-new")], Preferences(popups_per_hour=1, minutes_between=30))
    assert ids(found) == ["c-new"]


def test_a_digest_is_one_pop_up_however_many_it_names() -> None:
    preferences = Preferences(popups_per_hour=2)
    named = shown_before(30, 30, 30, 30)
    assert ids(chosen([*named, an_item("c-a"), an_item("c-b")], preferences)) == ["c-a"]


@given(
    waiting=st.integers(0, 8),
    before=st.lists(st.integers(0, 2_000), max_size=8, unique=True),
    per_hour=st.integers(0, 5),
    per_day=st.integers(0, 8),
    gap=st.integers(0, 90),
    quiet=st.booleans(),
)
def test_limits_are_never_passed_and_everything_held_has_a_time_to_look_again(
    waiting: int, before: list[int], per_hour: int, per_day: int, gap: int, quiet: bool
) -> None:
    preferences = Preferences(
        quiet_hours=quiet, popups_per_hour=per_hour, popups_per_day=per_day, minutes_between=gap
    )
    items = [an_item(f"c-{number}") for number in range(waiting)]
    found = chosen([*shown_before(*before), *items], preferences)
    shown = len(found.show)
    held = [reason for key, reason in found.held.items() if not key.startswith("c-old")]
    assert shown + len(held) == waiting
    assert not shown or not per_hour or shown + sum(age < 60 for age in before) <= per_hour
    assert not shown or not per_day or shown + sum(age < 1_440 for age in before) <= per_day
    assert (found.next_check_at is not None and found.next_check_at > NOW) == bool(held)
