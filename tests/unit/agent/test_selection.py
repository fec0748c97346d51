"""What is shown now, and for each other campaign why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.campaigns.selection import over, select
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
    Variant,
)

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
FREE = PresenceState()


def an_item(campaign_id: str = "c-one", urgency: Urgency = Urgency.NORMAL, **state: object) -> InboxItem:
    campaign = Campaign(
        campaign_id,
        1,
        CampaignStatus.LIVE,
        "News",
        urgency,
        NOW - HOUR,
        NOW + HOUR,
        "en",
        {"en": Variant("Hello")},
    )
    return InboxItem(campaign, CampaignState(**({"received": NOW - HOUR} | state)))  # type: ignore[arg-type]


def with_campaign(item: InboxItem, **changes: object) -> InboxItem:
    return InboxItem(replace(item.campaign, **changes), item.state)


def reason(item: InboxItem, presence: PresenceState = FREE, **around: object) -> HoldReason | None:
    selection: Selection = select([item], now=NOW, presence=presence, **around)  # type: ignore[arg-type]
    return selection.held.get(item.campaign.campaign_id)


def ids(selection: Selection) -> list[str]:
    return [item.campaign.campaign_id for item in selection.show]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (an_item(), None),
        (with_campaign(an_item(), starts=NOW + timedelta(seconds=1)), HoldReason.NOT_STARTED),
        (with_campaign(an_item(), starts=NOW), None),
        (with_campaign(an_item(), ends=NOW), HoldReason.EXPIRED),
        (with_campaign(an_item(), status=CampaignStatus.RECALLED), HoldReason.RECALLED),
        (an_item(listed=False), HoldReason.NOT_LISTED),
        (an_item(urgency=Urgency.SILENT), HoldReason.SILENT),
        (an_item(displayed=NOW - HOUR), HoldReason.ALREADY_DISPLAYED),
        (an_item(read=True), HoldReason.ALREADY_DISPLAYED),
        (an_item(remind_at=NOW + HOUR), HoldReason.REMIND_LATER),
        (an_item(displayed=NOW - HOUR, remind_at=NOW), None),
        (an_item(displayed=NOW - HOUR, read=True, remind_at=NOW), None),
        (an_item(listed=False, remind_at=NOW), HoldReason.NOT_LISTED),
    ],
)
def test_a_campaign_is_shown_once_while_it_runs_and_again_when_it_was_asked_for(
    item: InboxItem, why: HoldReason | None
) -> None:
    assert reason(item) is why


LOCKED = PresenceState(locked=Tristate.YES)
FULL_SCREEN = PresenceState(full_screen=Tristate.YES)
BUSY = PresenceState(do_not_disturb=Tristate.YES)


@pytest.mark.parametrize(
    ("urgency", "locked", "full_screen", "busy", "paused"),
    [
        (
            Urgency.NORMAL,
            HoldReason.SCREEN_LOCKED,
            HoldReason.FULL_SCREEN,
            HoldReason.DO_NOT_DISTURB,
            HoldReason.PAUSED,
        ),
        (Urgency.URGENT, HoldReason.SCREEN_LOCKED, HoldReason.FULL_SCREEN, None, None),
        (Urgency.EMERGENCY, HoldReason.SCREEN_LOCKED, None, None, None),
    ],
)
def test_how_urgent_it_is_says_what_it_may_interrupt(
    urgency: Urgency,
    locked: HoldReason | None,
    full_screen: HoldReason | None,
    busy: HoldReason | None,
    paused: HoldReason | None,
) -> None:
    item = an_item(urgency=urgency)
    assert reason(item, LOCKED) is locked
    assert reason(item, FULL_SCREEN) is full_screen
    assert reason(item, BUSY) is busy
    assert reason(item, paused_until=NOW + HOUR) is paused
    assert reason(item, paused_until=NOW) is None, "a pause that is over holds nothing"


def test_what_is_unknown_of_the_desktop_holds_nothing_back() -> None:
    assert reason(an_item(), PresenceState(Tristate.UNKNOWN, Tristate.UNKNOWN, Tristate.UNKNOWN)) is None


def test_a_campaign_waits_for_its_media_but_not_for_ever() -> None:
    fresh = an_item(received=NOW - timedelta(seconds=limits.MEDIA_WAIT_S - 1))
    late = an_item(received=NOW - timedelta(seconds=limits.MEDIA_WAIT_S))
    assert reason(fresh, media_missing={"c-one"}) is HoldReason.MEDIA_MISSING
    assert reason(late, media_missing={"c-one"}) is None
    assert reason(fresh, media_missing={"c-other"}) is None


def test_the_most_urgent_comes_first_and_then_the_oldest() -> None:
    items = [
        an_item("c-normal"),
        with_campaign(an_item("c-older"), starts=NOW - 2 * HOUR),
        an_item("c-urgent", Urgency.URGENT),
        an_item("c-emergency", Urgency.EMERGENCY),
    ]
    shown = select(items, now=NOW, presence=FREE)
    assert ids(shown) == ["c-emergency", "c-urgent", "c-older", "c-normal"]


MOMENTS = st.none() | st.timedeltas(-3 * HOUR, 3 * HOUR).map(lambda delta: NOW + delta)
ITEMS = st.lists(
    st.builds(
        lambda number, urgency, status, start, length, received, listed, displayed, read, remind: InboxItem(
            Campaign(f"c-{number}", 1, status, "News", urgency, NOW + start, NOW + start + length, "en", {}),
            CampaignState(NOW + received, listed, displayed, read, False, remind),
        ),
        st.integers(0, 10_000),
        st.sampled_from(Urgency),
        st.sampled_from(CampaignStatus),
        st.timedeltas(-3 * HOUR, 3 * HOUR),
        st.timedeltas(timedelta(seconds=1), 3 * HOUR),
        st.timedeltas(-3 * HOUR, 0 * HOUR),
        st.booleans(),
        MOMENTS,
        st.booleans(),
        MOMENTS,
    ),
    unique_by=lambda item: item.campaign.campaign_id,
    max_size=20,
)
PRESENCE = st.builds(PresenceState, *[st.sampled_from(Tristate)] * 3)


@given(items=ITEMS, presence=PRESENCE, paused=MOMENTS, missing=st.booleans())
def test_every_campaign_is_either_shown_or_held_for_a_reason(
    items: list[InboxItem], presence: PresenceState, paused: datetime | None, missing: bool
) -> None:
    absent = {item.campaign.campaign_id for item in items} if missing else set()
    found = select(items, now=NOW, presence=presence, paused_until=paused, media_missing=absent)
    assert sorted([*ids(found), *found.held]) == sorted(item.campaign.campaign_id for item in items)
    for item in found.show:
        assert item.campaign.starts <= NOW < item.campaign.ends
        assert item.campaign.status is CampaignStatus.LIVE
        assert item.state.listed
        assert presence.locked is not Tristate.YES
    for item in items:
        if over(item, NOW):
            assert found.held[item.campaign.campaign_id] is over(item, NOW)


@given(items=ITEMS, presence=PRESENCE)
def test_the_order_does_not_depend_on_the_order_of_the_store(
    items: list[InboxItem], presence: PresenceState
) -> None:
    forwards = select(items, now=NOW, presence=presence)
    assert select(items[::-1], now=NOW, presence=presence) == forwards


@pytest.mark.parametrize(
    "state",
    [
        {"received": NOW + timedelta(days=900)},
        {"displayed": NOW - HOUR, "remind_at": NOW + timedelta(days=900)},
    ],
    ids=["its picture", "a reminder"],
)
def test_a_clock_that_was_years_ahead_makes_nothing_wait_for_years(state: dict[str, object]) -> None:
    assert reason(an_item(**state), media_missing=["c-one"]) is None


def test_a_clock_that_was_years_ahead_when_it_was_connected_makes_no_digest_of_one() -> None:
    late = with_campaign(an_item(), starts=NOW - timedelta(days=1))
    assert ids(select([late], now=NOW, presence=FREE, connected=NOW + timedelta(days=900))) == ["c-one"]
    assert ids(select([late], now=NOW, presence=FREE, connected=NOW - HOUR)) == []
