"""What a person types for a server, and what a server says about waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import errors, limits
from agent.transport.http_client import retry_after_s, server_address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("news.example.com", "https://news.example.com"),
        ("  https://news.example.com/  ", "https://news.example.com"),
        ("https://news.example.com:8443/tidings/", "https://news.example.com:8443/tidings"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_made_whole(typed: str, address: str) -> None:
    assert server_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "https://",
        "http://news.example.com",
        "http://127.0.0.1.evil.example",
        "ftp://news.example.com",
        "https://user:secret@news.example.com",
        "https://news.example.com?x=1",
        "https://news.example.com#x",
        "https://news example.com",
        "https://news.example.com:port",
        "https://news.example.com:99999",
        "https://[::1",
    ],
)
def test_an_address_that_cannot_be_right_is_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(errors.InvalidInput) as raised:
        server_address(typed)
    assert raised.value.message


@given(st.text(max_size=60))
def test_whatever_is_typed_ends_in_an_address_or_a_reason(typed: str) -> None:
    try:
        address = server_address(typed)
    except errors.InvalidInput:
        return
    assert address.startswith(("https://", "http://"))
    assert not address.endswith("/")


def test_a_wait_is_read_from_seconds_and_from_a_date() -> None:
    assert retry_after_s("120") == 120
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert retry_after_s(in_an_hour) == pytest.approx(3600, abs=30)
    assert retry_after_s(format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)) == 0


@given(st.text(max_size=40) | st.integers().map(str) | st.just("9" * 6000))
def test_a_wait_that_makes_no_sense_is_bounded_or_none(value: str) -> None:
    wait = retry_after_s(value)
    assert wait is None or 0 <= wait <= limits.RETRY_AFTER_MAX_S


@pytest.mark.parametrize("zone", ["+0000", "-0000", "GMT", "+9999", "-99999999999999", "EST", ""])
def test_a_date_in_any_zone_is_bounded_or_none(zone: str) -> None:
    wait = retry_after_s(f"Fri, 31 Dec 9999 23:59:59 {zone}")
    assert wait is None or wait == limits.RETRY_AFTER_MAX_S
