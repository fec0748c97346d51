"""Erasures that a second person has decided: carried out in threads, since thousands of people take minutes.

What was decided is finished by housekeeping where this process ends before it (`server.erasure.requests.finish_decided`).
"""

from functools import partial

from server.core import background
from server.erasure import requests
from server.erasure.models import ErasureRequest

SHOWN_AT_ONCE_S = 5.0
"""So long the page waits, to say at once that a few people are erased."""


def carry_out(request: ErasureRequest) -> bool:
    """Begin to erase whom it is about, unless that is being done. Answers whether it is done already."""
    work = partial(requests.carry_out, request)
    thread = background.begin("An erasure was not finished", work, _is_finished_later, is_waited_for=True)
    thread.join(SHOWN_AT_ONCE_S)
    return not thread.is_alive()


def _is_finished_later(_title: str, _message: str) -> None:
    """By housekeeping, or by who asks again."""
