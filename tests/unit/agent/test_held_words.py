"""Every reason to hold a campaign back is said in words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.campaigns import hold_reasons, selection
from agent.domain.model import (
    Campaign,
    CampaignState,
    CampaignStatus,
    HoldReason,
    InboxItem,
    PresenceState,
    Tristate,
    Urgency,
)
from agent.domain.preferences import DEFAULTS, with_values
from resources import i18n

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    i18n.use_language("en")
    yield
    i18n.use_language("en")


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_each_reason_has_a_sentence_of_its_own_in_each_language(language: str) -> None:
    i18n.use_language(language)
    sentences = [hold_reasons.sentence(reason) for reason in HoldReason]
    assert all(sentences)
    assert len(set(sentences)) == len(HoldReason)


def test_no_sentence_is_english_in_french() -> None:
    english = {hold_reasons.sentence(reason, until) for reason in HoldReason for until in ("", "14:00")}
    i18n.use_language("fr")
    french = {hold_reasons.sentence(reason, until) for reason in HoldReason for until in ("", "14:00")}
    assert not english & french


def test_quiet_hours_say_when_they_end() -> None:
    assert hold_reasons.sentence(HoldReason.QUIET_HOURS, "08:00") == "Held until 08:00: quiet hours"
    assert hold_reasons.sentence(HoldReason.REMIND_LATER, "14:00") == "Comes back at 14:00, as you asked"
    assert "next login" in hold_reasons.sentence(HoldReason.REMIND_LATER)


@given(
    presence=st.builds(PresenceState, *[st.sampled_from(Tristate)] * 5),
    urgency=st.sampled_from(Urgency),
    starts=st.integers(-48, 48),
    read=st.booleans(),
    remind=st.sampled_from([None, NOW + timedelta(hours=1)]),
    missing=st.booleans(),
)
def test_whatever_selection_holds_back_is_explained_and_says_when_it_ends_if_that_is_known(
    presence: PresenceState,
    urgency: Urgency,
    starts: int,
    read: bool,
    remind: datetime | None,
    missing: bool,
) -> None:
    begin = NOW + timedelta(hours=starts)
    campaign = Campaign(
        "c-1", 1, CampaignStatus.LIVE, "IT", urgency, begin, begin + timedelta(hours=24), "en", {}
    )
    item = InboxItem(campaign, CampaignState(received=NOW, read=read, remind_at=remind))
    found = selection.select(
        [item],
        now=NOW,
        presence=presence,
        media_missing=["c-1"] if missing else [],
        preferences=with_values(DEFAULTS, {"quiet_hours": True}),
        zone=UTC,
    )
    for campaign_id, reason in found.held.items():
        until = found.until.get(campaign_id)
        said = hold_reasons.sentence(reason, hold_reasons.clock_text(until, NOW) if until else "")
        assert said
        assert hold_reasons.waits(reason) or until is None
        if until is not None:
            assert until.astimezone().strftime("%H:%M") in said


def test_a_time_of_another_day_is_told_with_the_day() -> None:
    noon = datetime.now().astimezone().replace(hour=12, minute=0)
    assert hold_reasons.clock_text(noon + timedelta(minutes=1), noon) == "12:01"
    assert hold_reasons.clock_text(noon + timedelta(hours=20), noon) == "08:00 tomorrow"
    assert hold_reasons.clock_text(datetime(2026, 11, 30, 8).astimezone(), NOW) == "08:00 on 2026-11-30"
