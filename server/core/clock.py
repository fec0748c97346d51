"""The one source of time, so that tests can bring their own."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present, in UTC."""
    return _source()


@contextlib.contextmanager
def using(source: Callable[[], datetime]) -> Iterator[None]:
    """Take the time from `source` instead, in this process, until the block ends."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC to the second, as the protocol writes times: `2026-11-23T09:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
