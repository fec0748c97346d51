"""Selection, whatever the campaigns, the person, the desktop and the clock are: properties, and days in a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.campaigns import selection
from agent.campaigns.display_limits import quiet_until
from agent.campaigns.selection import select
from agent.domain import limits
from agent.domain.model import (
    Campaign,
    CampaignState,
    CampaignStatus,
    HoldReason,
    InboxItem,
    PresenceState,
    Selection,
    Tristate,
    Urgency,
)
from agent.domain.preferences import Day, Preferences

NOW = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
"""Half an hour before midnight in Paris; the clock goes back in that night."""
A_DAY, AN_HOUR, A_MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
LONG_AGO = timedelta(seconds=limits.DIGEST_AFTER_S)
OF_THE_DESKTOP = {
    HoldReason.SCREEN_LOCKED: "locked",
    HoldReason.FULL_SCREEN: "full_screen",
    HoldReason.PRESENTING: "presenting",
    HoldReason.DO_NOT_DISTURB: "do_not_disturb",
    HoldReason.AWAY: "idle",
}

MOMENTS = st.integers(-3 * 24 * 60, 24 * 60).map(lambda minutes: NOW + minutes * A_MINUTE)
PAST = st.integers(-3 * 24 * 60, 0).map(lambda minutes: NOW + minutes * A_MINUTE)
PRESENCE = st.builds(PresenceState, *[st.sampled_from(Tristate)] * 5)
STATES = st.builds(
    CampaignState,
    received=PAST,
    listed=st.sampled_from([True, True, True, False]),
    displayed=st.none() | MOMENTS,
    popped_up=st.none() | MOMENTS,
    read=st.sampled_from([False, False, True]),
    remind_at=st.none() | st.none() | MOMENTS,
    remind_after_login=st.sampled_from(["", "", "", "monday", "tuesday"]),
)
TIMES = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02d}:{quarter % 4 * 15:02d}")
PREFERENCES = st.builds(
    Preferences,
    quiet_hours=st.booleans(),
    quiet_from=TIMES,
    quiet_to=TIMES,
    quiet_days=st.lists(st.sampled_from(Day), unique=True).map(tuple),
    popups_per_hour=st.integers(0, 4),
    popups_per_day=st.integers(0, 8),
    minutes_between=st.integers(0, 90),
)


@st.composite
def items(draw: st.DrawFn) -> list[InboxItem]:
    made = []
    for number in range(draw(st.integers(0, 9))):
        starts = draw(MOMENTS)
        campaign = Campaign(
            f"c-{number}",
            1,
            draw(st.sampled_from([CampaignStatus.LIVE] * 5 + [CampaignStatus.RECALLED])),
            "News",
            draw(st.sampled_from([*Urgency, Urgency.NORMAL, Urgency.NORMAL])),
            starts,
            starts + draw(st.integers(1, 96)) * AN_HOUR,
            "en",
            {},
        )
        made.append(InboxItem(campaign, draw(STATES)))
    return made


@st.composite
def around(draw: st.DrawFn) -> dict[str, Any]:
    """All that `select` is told besides the campaigns."""
    return {
        "now": NOW,
        "presence": draw(PRESENCE),
        "paused_until": draw(st.none() | MOMENTS),
        "media_missing": draw(st.sets(st.sampled_from([f"c-{number}" for number in range(9)]))),
        "preferences": draw(PREFERENCES),
        "zone": ZoneInfo(draw(st.sampled_from(["Europe/Paris", "America/New_York", "UTC"]))),
        "login": draw(st.sampled_from(["", "monday", "tuesday"])),
        "connected": draw(st.none() | PAST),
    }


def ids(chosen: tuple[InboxItem, ...]) -> list[str]:
    return [item.campaign.campaign_id for item in chosen]


def of(items: list[InboxItem], urgency: Urgency) -> set[str]:
    return {item.campaign.campaign_id for item in items if item.campaign.urgency is urgency}


@given(items(), around())
def test_each_is_shown_or_in_the_digest_or_held_for_exactly_one_reason(
    items: list[InboxItem], around: dict[str, Any]
) -> None:
    found = select(items, **around)
    told = [*ids(found.show), *ids(found.digest), *found.held]
    assert sorted(told) == sorted(item.campaign.campaign_id for item in items)
    for item in (*found.show, *found.digest):
        assert item.campaign.urgency is not Urgency.SILENT
        assert selection.over(item, NOW) is None
        assert item.campaign.starts <= NOW
        assert selection.asked_for(item) or item.state.displayed is None
    assert set(found.until) <= set(found.held)
    assert all(moment > NOW for moment in found.until.values()), "or somebody would look without end"
    assert found.next_check_at == min(found.until.values(), default=None)


@given(items(), around())
def test_it_is_pure_and_knows_no_order(items: list[InboxItem], around: dict[str, Any]) -> None:
    before = msgspec.msgpack.encode((items, around["preferences"], sorted(around["media_missing"])))
    found = select(items, **around)
    assert select(items, **around) == found
    assert select(iter(items[::-1]), **around) == found
    assert msgspec.msgpack.encode((items, around["preferences"], sorted(around["media_missing"]))) == before
    order = [(list(selection._ORDER).index(i.campaign.urgency), i.campaign.starts) for i in found.show]
    assert order == sorted(order)


@given(items(), around())
def test_an_emergency_passes_everything_but_a_locked_screen(
    items: list[InboxItem], around: dict[str, Any]
) -> None:
    found = select(items, **around)
    free = select(items, now=NOW, presence=PresenceState(), login=around["login"])
    emergencies = of(items, Urgency.EMERGENCY)
    due = emergencies & set(ids(free.show))
    if around["presence"].locked is Tristate.YES:
        assert {found.held[campaign_id] for campaign_id in due} <= {HoldReason.SCREEN_LOCKED}
    else:
        assert emergencies & set(ids(found.show)) == due
    assert not emergencies & set(ids(found.digest))


@given(items(), around())
def test_an_urgent_one_waits_for_what_would_be_in_front_of_it_and_for_nothing_else(
    items: list[InboxItem], around: dict[str, Any]
) -> None:
    found = select(items, **around)
    bare = around | {"paused_until": None, "preferences": Preferences(popups_per_hour=0)}
    bare["presence"] = replace(around["presence"], do_not_disturb=Tristate.NO)
    without = select(items, **bare)
    for campaign_id in of(items, Urgency.URGENT):
        assert (campaign_id in ids(found.show)) == (campaign_id in ids(without.show))
        assert found.held.get(campaign_id) is without.held.get(campaign_id)
    presence = around["presence"]
    if Tristate.YES in (presence.locked, presence.full_screen, presence.presenting, presence.idle):
        assert not of(items, Urgency.URGENT) & set(ids(found.show))


@given(items(), around())
def test_unknown_is_as_no_and_only_a_yes_is_ever_the_reason(
    items: list[InboxItem], around: dict[str, Any]
) -> None:
    found = select(items, **around)
    said = msgspec.structs.asdict(around["presence"])
    guessed = {name: Tristate.NO if each is Tristate.UNKNOWN else each for name, each in said.items()}
    assert select(items, **(around | {"presence": PresenceState(**guessed)})) == found
    for reason in set(found.held.values()) & set(OF_THE_DESKTOP):
        assert said[OF_THE_DESKTOP[reason]] is Tristate.YES


@given(items(), around())
def test_what_was_missed_comes_as_one_and_what_is_late_by_ones_and_twos_does_not(
    items: list[InboxItem], around: dict[str, Any]
) -> None:
    found = select(items, **around)
    starts = [item.campaign.starts for item in found.digest]
    assert starts == sorted(starts, reverse=True), "newest first"
    for item in found.digest:
        assert item.campaign.urgency is Urgency.NORMAL
        assert not selection.asked_for(item)
        assert item.campaign.starts <= NOW - LONG_AGO
    if 0 < len(found.digest) < limits.DIGEST_LEAST:
        assert around["connected"] is not None
        assert all(moment <= around["connected"] - LONG_AGO for moment in starts), (
            "before this computer's time"
        )
    late = [
        item
        for item in found.show
        if item.campaign.urgency is Urgency.NORMAL
        and not selection.asked_for(item)
        and item.campaign.starts <= NOW - LONG_AGO
    ]
    assert not late or len(found.digest) < limits.DIGEST_LEAST
    assert len(late) < limits.DIGEST_LEAST


@given(items(), around())
def test_quiet_hours_and_a_pause_hold_all_that_is_normal_also_what_was_asked_for(
    items: list[InboxItem], around: dict[str, Any]
) -> None:
    found = select(items, **around)
    quiet = quiet_until(NOW, around["preferences"], around["zone"])
    paused = around["paused_until"] is not None and around["paused_until"] > NOW
    assert found.quiet_until == quiet
    if quiet or paused:
        assert found.digest == ()
        assert not of(items, Urgency.NORMAL) & set(ids(found.show))


class Person:
    """Looks whenever something arrives or a reason ends, and sees each page for five seconds."""

    def __init__(self, preferences: Preferences, zone: ZoneInfo) -> None:
        self.preferences, self.zone = preferences, zone
        self.items: dict[str, InboxItem] = {}
        self.sets: list[datetime] = []
        self.pages: list[datetime] = []
        self.displayed: list[str] = []

    def look(self, now: datetime) -> Selection:
        found = select(
            self.items.values(),
            now=now,
            presence=PresenceState(),
            preferences=self.preferences,
            zone=self.zone,
        )
        pages = ([found.digest] if found.digest else []) + [(item,) for item in found.show]
        if pages:
            self.sets.append(now)
        for number, page in enumerate(pages):
            moment = now + timedelta(seconds=5 * number)
            self.pages.append(moment)
            for item in page:
                campaign_id = item.campaign.campaign_id
                self.displayed.append(campaign_id)
                self.items[campaign_id] = InboxItem(
                    item.campaign, replace(item.state, displayed=moment, popped_up=moment)
                )
        return found


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3 * 24 * 60), st.integers(0, 600)), max_size=40),
    preferences=PREFERENCES,
    zone=st.sampled_from(["Europe/Paris", "America/New_York"]).map(ZoneInfo),
)
def test_over_days_no_window_has_more_than_the_person_wants_and_each_comes_once_at_last(
    arrivals: list[tuple[int, int]], preferences: Preferences, zone: ZoneInfo
) -> None:
    person = Person(preferences, zone)
    coming = sorted(
        (NOW + minute * A_MINUTE, number, NOW + (minute - late) * A_MINUTE)
        for number, (minute, late) in enumerate(arrivals)
    )
    now, end = NOW, NOW + 4 * A_DAY
    for _look in range(2_000):
        while coming and coming[0][0] <= now:
            received, number, starts = coming.pop(0)
            content = Campaign(
                f"c-{number}", 1, CampaignStatus.LIVE, "News", Urgency.NORMAL, starts, end + A_DAY, "en", {}
            )
            person.items[content.campaign_id] = InboxItem(content, CampaignState(received=received))
        before = len(person.pages)
        found = person.look(now)
        assert len(person.pages) == before or quiet_until(now, preferences, zone) is None
        moments = [moment for moment in (coming[0][0] if coming else None, found.next_check_at) if moment]
        if not moments or min(moments) >= end:
            break
        now = max(min(moments), now + timedelta(seconds=1))
    for limit, span in ((preferences.popups_per_hour, AN_HOUR), (preferences.popups_per_day, A_DAY)):
        for first in person.pages:
            within = [moment for moment in person.pages if first <= moment < first + span]
            assert not limit or len(within) <= limit
    for first, second in pairwise(person.sets):
        assert second - first >= preferences.minutes_between * A_MINUTE
    assert len(person.displayed) == len(set(person.displayed)), "once is once"
    person.preferences = Preferences(popups_per_hour=0)
    person.look(end)
    assert sorted(person.displayed) == sorted(person.items), "none is held for ever"
