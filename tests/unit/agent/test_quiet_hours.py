"""Quiet hours over both changes of the clock, in the zones of a continent each, and while a person travels."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.campaigns.display_limits import quiet_until
from agent.campaigns.selection import select
from agent.domain.model import PresenceState, Urgency
from agent.domain.preferences import Day, Preferences
from tests.unit.agent.test_selection import an_item, with_campaign

PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
CHANGES = {
    PARIS: ("2026-03-29", "2026-10-25"),
    NEW_YORK: ("2026-03-08", "2026-11-01"),
}
"""The nights in which the clock goes forward and back."""
NIGHT = Preferences(quiet_hours=True, quiet_from="22:00", quiet_to="07:00")
A_MINUTE = timedelta(minutes=1)

BOTH = [(zone, day) for zone, days in CHANGES.items() for day in days]


def local(zone: ZoneInfo, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(("zone", "day"), BOTH)
def test_a_night_with_a_change_of_the_clock_is_quiet_from_ten_to_seven_and_as_long_as_it_is(
    zone: ZoneInfo, day: str
) -> None:
    morning = local(zone, f"{day} 07:00")
    evening = local(zone, f"{day} 07:00") - timedelta(hours=8 if day < "2026-06" else 10)
    assert evening.astimezone(zone).time() == time(22)
    moment, quiet = evening - 3 * A_MINUTE, 0
    while moment < morning + 3 * A_MINUTE:
        until = quiet_until(moment, NIGHT, zone)
        assert until == (morning if evening <= moment < morning else None), moment.astimezone(zone)
        quiet += until is not None
        moment += A_MINUTE
    assert quiet == (8 if day < "2026-06" else 10) * 60


@pytest.mark.parametrize(("zone", "day"), BOTH)
def test_an_announcement_of_that_night_comes_when_it_ends_and_not_before(zone: ZoneInfo, day: str) -> None:
    evening, morning = local(zone, f"{day} 07:00") - timedelta(hours=8), local(zone, f"{day} 07:00")
    night = with_campaign(an_item(received=evening), starts=evening, ends=morning + timedelta(days=1))
    moment = evening
    while True:
        found = select([night], now=moment, presence=PresenceState(), preferences=NIGHT, zone=zone)
        if found.show:
            break
        assert found.next_check_at is not None
        assert found.next_check_at > moment, "or it would be looked at without end"
        moment = found.next_check_at
    assert moment == morning


@pytest.mark.parametrize(
    ("begin", "end", "quiet", "loud"),
    [
        # 29 March: 02:00 to 03:00 does not exist. 25 October: it comes twice.
        ("22:00", "02:30", ["2026-03-29 01:59", "2026-03-29 03:29"], ["2026-03-29 03:30"]),
        ("02:30", "07:00", ["2026-03-29 03:30"], ["2026-03-29 01:59", "2026-03-29 03:29"]),
        ("22:00", "02:30", ["2026-10-25 02:29"], ["2026-10-25 02:30", "2026-10-25 02:10 again"]),
        ("02:30", "07:00", ["2026-10-25 02:30", "2026-10-25 02:10 again"], ["2026-10-25 02:29"]),
    ],
)
def test_times_that_are_skipped_or_come_twice_are_those_of_calendars(
    begin: str, end: str, quiet: list[str], loud: list[str]
) -> None:
    preferences = Preferences(quiet_hours=True, quiet_from=begin, quiet_to=end)
    for texts, expected in ((quiet, True), (loud, False)):
        for text in texts:
            moment = local(PARIS, text.removesuffix(" again"), fold=int(text.endswith("again")))
            assert (quiet_until(moment, preferences, PARIS) is not None) is expected, text


QUARTERS = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02d}:{quarter % 4 * 15:02d}")
ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])


@given(
    minute=st.integers(0, 366 * 24 * 60),
    zone=ZONES.map(ZoneInfo),
    begin=QUARTERS,
    end=QUARTERS,
    days=st.lists(st.sampled_from(Day), unique=True).map(tuple),
)
def test_quiet_hours_end_in_the_future_within_a_day_and_a_bit_and_are_over_then(
    minute: int, zone: ZoneInfo, begin: str, end: str, days: tuple[Day, ...]
) -> None:
    preferences = Preferences(quiet_hours=True, quiet_from=begin, quiet_to=end, quiet_days=days)
    now = datetime(2026, 1, 1, tzinfo=UTC) + minute * A_MINUTE
    until = quiet_until(now, preferences, zone)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=25)
    assert until.tzinfo is UTC
    assert until.astimezone(zone).strftime("%H:%M") == end or skipped(until.astimezone(zone), end)
    following = quiet_until(until, preferences, zone)
    assert following is None or begin == end or until.astimezone(zone).strftime("%H:%M") != end


def skipped(end: datetime, wanted: str) -> bool:
    """Whether the wanted time does not exist on the day on which quiet hours ended."""
    there = datetime.combine(end.date(), time.fromisoformat(wanted), tzinfo=end.tzinfo)
    return there.astimezone(UTC).astimezone(end.tzinfo).time() != there.time()


def test_who_travels_has_the_quiet_hours_of_the_new_place_at_once() -> None:
    """Up at night in Paris, and it is the afternoon in New York."""
    moment = local(PARIS, "2026-11-24 22:30")
    item = with_campaign(an_item(received=moment), starts=moment, ends=moment + timedelta(days=1))
    shown = {
        zone.key: bool(
            select([item], now=moment, presence=PresenceState(), preferences=NIGHT, zone=zone).show
        )
        for zone in (PARIS, NEW_YORK)
    }
    assert shown == {"Europe/Paris": False, "America/New_York": True}


def test_an_urgent_one_passes_them_in_every_zone() -> None:
    item = an_item(urgency=Urgency.URGENT)
    always = Preferences(quiet_hours=True, quiet_from="00:00", quiet_to="00:00")
    for zone in (PARIS, NEW_YORK):
        now = item.campaign.starts
        assert select([item], now=now, presence=PresenceState(), preferences=always, zone=zone).show


CHANGING = """
import subprocess
from datetime import UTC, datetime
from agent.system.clock import SystemClock

moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
for zone in ("Europe/Paris", "Asia/Tokyo", "America/New_York"):
    subprocess.run(["mount", "--bind", f"/usr/share/zoneinfo/{zone}", "/etc/localtime"], check=True)
    SystemClock().now()
    print(f"{moment.astimezone():%H}")
"""


def test_an_agent_that_runs_notices_that_the_computers_time_zone_is_another_now() -> None:
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("another time zone for one process needs root")
    environment = {name: value for name, value in os.environ.items() if name != "TZ"}
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", CHANGING]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split() == ["14", "21", "08"]
