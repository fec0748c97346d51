"""Tomorrow morning, for a pause and a reminder, over both changes of the clock."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ui.style import text_format

MORNINGS = [
    ("Europe/Paris", "2026-03-28 21:00", 11),
    ("Europe/Paris", "2026-10-24 21:00", 13),
    ("America/New_York", "2026-03-07 21:00", 11),
    ("America/New_York", "2026-10-31 21:00", 13),
    ("Europe/Paris", "2026-11-24 21:00", 12),
    ("Europe/Paris", "2026-03-28 00:30", 31.5),
    ("Europe/Paris", "2026-03-29 00:30", 31.5),
]


@pytest.fixture
def in_zone(zone: str) -> Iterator[ZoneInfo]:
    """This process in another time zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        yield ZoneInfo(zone)
    time.tzset()


@pytest.mark.parametrize(("zone", "evening", "hours"), MORNINGS)
def test_tomorrow_is_nine_in_the_morning_of_the_next_day_by_the_clock_that_holds_then(
    in_zone: ZoneInfo, evening: str, hours: float
) -> None:
    now = datetime.fromisoformat(evening).replace(tzinfo=in_zone).astimezone(UTC)
    seconds = text_format.seconds_until_tomorrow(now)
    morning = (now + timedelta(seconds=seconds)).astimezone(in_zone)
    assert (morning.hour, morning.minute) == (text_format.TOMORROW_HOUR, 0)
    assert morning.date() == now.astimezone(in_zone).date() + timedelta(days=1)
    assert seconds == hours * 3_600
