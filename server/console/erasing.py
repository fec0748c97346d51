"""Erasures that a second person has decided: carried out in threads, since thousands of people take minutes.

What was decided is finished by housekeeping where this process ends before it (`server.erasure.requests.finish_decided`).
"""

import logging
import threading
from collections.abc import Sequence
from uuid import UUID

from django.db import DatabaseError, connections

from server.core.errors import ServerError
from server.directory.models import Company
from server.erasure.erasure import erase

SHOWN_AT_ONCE_S = 5.0
"""So long the page waits, to say at once that a few people are erased."""

_log = logging.getLogger(__name__)


def carry_out(company: Company, people: Sequence[UUID]) -> bool:
    """Begin to erase these people. Answers whether it is done already."""
    thread = threading.Thread(target=_in_thread, args=(company, people))
    thread.start()
    thread.join(SHOWN_AT_ONCE_S)
    return not thread.is_alive()


def _in_thread(company: Company, people: Sequence[UUID]) -> None:
    """The outermost door of the thread. What fails is in the log; housekeeping does it, or who asks again."""
    try:
        erase(company, people)
    except ServerError as error:
        _log.error("An erasure was not finished: %s. %s", error.title, error.message)
    except DatabaseError:
        _log.exception("An erasure was not finished")
    finally:
        connections.close_all()
