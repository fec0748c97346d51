"""Erasures that a second person has decided: carried out in threads, since thousands of people take minutes.

Each is an order first (`server.erasure.erasure`), which housekeeping finishes where this process ends before it.
"""

import logging
import threading
from collections.abc import Sequence
from uuid import UUID

from django.db import DatabaseError, connections

from server.core.errors import ServerError
from server.directory.models import Company
from server.erasure.erasure import erase
from server.erasure.models import ErasureRequest
from server.erasure.requests import order_name

SHOWN_AT_ONCE_S = 5.0
"""So long the page waits, to say at once that a few people are erased."""

_log = logging.getLogger(__name__)


def carry_out(request: ErasureRequest, people: Sequence[UUID]) -> bool:
    """Begin to erase these people of the request. Answers whether it is done already."""
    thread = threading.Thread(target=_in_thread, args=(request.company, people, order_name(request)))
    thread.start()
    thread.join(SHOWN_AT_ONCE_S)
    return not thread.is_alive()


def _in_thread(company: Company, people: Sequence[UUID], name: str) -> None:
    """The outermost door of the thread. What fails is in the log, and is done by housekeeping or by asking again."""
    try:
        erase(company, people, name=name)
    except ServerError as error:
        _log.error("An erasure was not finished: %s. %s", error.title, error.message)
    except DatabaseError:
        _log.exception("An erasure was not finished")
    finally:
        connections.close_all()
