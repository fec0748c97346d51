"""Erasures that a second person has decided: carried out in threads, since thousands of people take minutes.

What was decided is finished by housekeeping where this process ends before it (`server.erasure.requests.finish_decided`).
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from server.core import background
from server.directory.models import Company
from server.erasure.erasure import erase

SHOWN_AT_ONCE_S = 5.0
"""So long the page waits, to say at once that a few people are erased."""


def carry_out(company: Company, people: Sequence[UUID]) -> bool:
    """Begin to erase these people. Answers whether it is done already."""
    thread = background.begin(
        "An erasure was not finished", partial(erase, company, people), _is_finished_later, is_waited_for=True
    )
    thread.join(SHOWN_AT_ONCE_S)
    return not thread.is_alive()


def _is_finished_later(_title: str, _message: str) -> None:
    """By housekeeping, or by who asks again."""
