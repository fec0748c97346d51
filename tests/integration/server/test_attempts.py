"""Attempts to sign in that arrive at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import cache
from django.db import connection

from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import console_settings

pytestmark = pytest.mark.both_databases

AT_ONCE = 6


def test_of_attempts_at_the_same_moment_one_is_the_first_and_none_is_an_error(northwind: ServerHome) -> None:
    start = Barrier(AT_ONCE)

    def try_it(_number: int) -> list[bool]:
        """As allauth takes its lock around an attempt: only one may be at it, and lets go afterwards."""
        try:
            taken = []
            for round_number in range(5):
                start.wait()
                taken.append(cache.add(f"lock:{round_number}", 1))
                if taken[-1]:
                    cache.delete(f"lock:{round_number}")
            return taken
        finally:
            connection.close()

    with console_settings(), ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(try_it, range(AT_ONCE)))
        cache.clear()
    assert all(any(one[number] for one in found) for number in range(5))


def test_what_is_set_at_the_same_moment_is_set(northwind: ServerHome) -> None:
    start = Barrier(AT_ONCE)

    def set_it(number: int) -> None:
        try:
            start.wait()
            for _time in range(5):
                cache.set("attempts", [number])
                if number % 2:
                    cache.delete("attempts")
        finally:
            connection.close()

    with console_settings():
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(set_it, range(AT_ONCE)))
        cache.set("attempts", ["last"])
        assert cache.get("attempts") == ["last"]
        cache.clear()
