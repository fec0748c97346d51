"""Faults that a directory is told to have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

ALWAYS = 1_000_000_000


@dataclass(frozen=True)
class Fault:
    """What goes wrong with some requests, in place of the true answer or on top of it.

    Attributes:
        path: a regular expression, searched in `METHOD host/path?query` with nothing percent-encoded.
        after: so many matching requests are answered truly before.
        times: so many are answered wrongly.
        error: the vendor's error of this name (Google's reason, Microsoft's code or AADSTS number).
        status: answered with `body` in place of the truth; 0 leaves the true answer.
        headers: on top of those of the answer.
        without: keys that the true JSON answer loses, `users` or `users.*.suspended`.
        replaced: values of the true JSON answer's outermost keys.
        loops: a page names itself as the next one.
        cut_at: the connection ends after so many bytes of the body; negative leaves it whole.
        inflates_to: bytes that the body becomes when gzip has unpacked it.
        pause_s: seconds before the answer begins, and between its bytes.
        loses_connection: nothing is answered at all.
    """

    path: str
    after: int = 0
    times: int = ALWAYS
    error: str = ""
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    replaced: Mapping[str, Any] = field(default_factory=dict)
    loops: bool = False
    cut_at: int = -1
    inflates_to: int = 0
    pause_s: float = 0
    loses_connection: bool = False


def too_many(path: str, retry_after: str = "", *, error: str, times: int = 1) -> Fault:
    """The vendor's answer to too many requests; `retry_after` as seconds, as `http_date`, or none."""
    return Fault(path, times=times, error=error, headers={"Retry-After": retry_after} if retry_after else {})


def http_date(at: float) -> str:
    """A time as `Retry-After` may name it, from seconds since 1970."""
    return formatdate(at, usegmt=True)


def unavailable(path: str, *, status: int = 503, times: int = 1) -> Fault:
    """A gateway's answer, which is no JSON."""
    return Fault(path, times=times, status=status, body=b"Service Unavailable")


def page_of_html(path: str) -> Fault:
    """What a captive portal answers."""
    page = b"<!DOCTYPE html><title>Welcome</title>"
    return Fault(path, status=200, body=page, headers={"Content-Type": "text/html"})


def other_json(path: str, body: bytes) -> Fault:
    """JSON, or something like it, of the test's own."""
    return Fault(path, status=200, body=body, headers={"Content-Type": "application/json; charset=UTF-8"})


class Script:
    """The faults that were asked for, and how often each has been met. Not safe among threads by itself."""

    def __init__(self) -> None:
        self._met: dict[int, tuple[Fault, int]] = {}

    def add(self, fault: Fault) -> None:
        """One more fault; where several fit a request, the oldest that is not used up has it."""
        re.compile(fault.path)
        self._met[len(self._met)] = (fault, 0)

    def clear(self) -> None:
        """No faults any more."""
        self._met.clear()

    def fault_for(self, line: str) -> Fault | None:
        """The fault that a request meets, which is counted; None for the truth."""
        for number, (fault, met) in self._met.items():
            if met >= fault.after + fault.times or not re.search(fault.path, line):
                continue
            self._met[number] = (fault, met + 1)
            if met >= fault.after:
                return fault
        return None


def without(content: Any, path: str) -> None:
    """Removes a key from JSON content, in place; `*` stands for each item of a list."""
    first, _, rest = path.partition(".")
    if first == "*":
        for item in content if isinstance(content, list) else []:
            without(item, rest)
    elif not isinstance(content, dict):
        return
    elif rest:
        without(content.get(first), rest)
    else:
        content.pop(first, None)
