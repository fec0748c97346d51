"""What takes long to read and changes seldom is read when the console starts and after a file of people, not for a page."""

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
        for pk in Company.objects.order_by("pk").values_list("pk", flat=True):
            read_company_ahead(pk)
    except DatabaseError as error:
        _log.info("nothing was read ahead: %s", error)
    finally:
        connections.close_all()


def read_company_ahead(pk: str) -> None:
    """Read one company. Where that cannot be, whoever asks for a page reads it then, or is told what is wrong."""
    try:
        if company := Company.objects.filter(pk=pk).first():
            planned.read_ahead(company)
            overview.read_ahead(company)
    except DatabaseError as error:
        _log.info("%s was not read ahead: %s", pk, error)
