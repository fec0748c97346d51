"""Erasures that a second person has decided: carried out in threads, since thousands of people take minutes.

Each is an order first (`server.erasure.erasure`), which housekeeping finishes where this process ends before it.
"""

import logging
import threading

from django.db import DatabaseError, connections

from server.core.errors import ServerError
from server.directory.models import Company
from server.erasure import erasure

SHOWN_AT_ONCE_S = 5.0
"""So long the page waits, to say at once that a few people are erased."""

_log = logging.getLogger(__name__)


def carry_out(company: Company, name: str) -> bool:
    """Begin to carry out an order of the company. Answers whether it is done already."""
    thread = threading.Thread(target=_in_thread, args=(company, name))
    thread.start()
    thread.join(SHOWN_AT_ONCE_S)
    return not thread.is_alive()


def _in_thread(company: Company, name: str) -> None:
    """The outermost door of the thread. What fails is in the log, and is done by housekeeping."""
    try:
        erasure.carry_out(company, name)
    except ServerError as error:
        _log.error("An erasure was not finished: %s. %s", error.title, error.message)
    except DatabaseError:
        _log.exception("An erasure was not finished")
    finally:
        connections.close_all()
