"""What takes long to read and changes seldom is read when the console starts, and not when the first person asks for it."""

import logging
import threading

from django.db import DatabaseError, connections

from server.attention import planned
from server.campaigns import overview
from server.directory.models import Company

_log = logging.getLogger(__name__)


def read_ahead() -> None:
    """Read it in a thread of its own. The end of the process does not wait for it."""
    threading.Thread(target=_read, daemon=True).start()


def _read() -> None:
    try:
        for company in Company.objects.order_by("pk"):
            planned.read_ahead(company)
            overview.read_ahead(company)
    except DatabaseError as error:  # who asks for it reads it then, or is told what is wrong
        _log.info("nothing was read ahead: %s", error)
    finally:
        connections.close_all()
