"""What takes long to read and changes seldom is read when the console starts and after a file of people, not for a page."""

import logging
import threading

from django.db import DatabaseError

from server.attention import planned
from server.campaigns import overview
from server.core import background
from server.directory.models import Company

_log = logging.getLogger(__name__)


def read_ahead() -> threading.Thread:
    """Read it in a thread of its own, which is answered. The end of the process does not wait for it."""
    return background.begin("Nothing was read ahead", _read, _is_read_later)


def _read() -> None:
    """No more companies than are kept in memory: the first would make way for the last."""
    most = min(planned.MOST_COMPANIES, overview.MOST_COMPANIES)
    for pk in list(Company.objects.order_by("pk").values_list("pk", flat=True)[:most]):
        read_company_ahead(pk)


def _is_read_later(_title: str, _message: str) -> None:
    """By whoever asks for a page."""


def read_company_ahead(pk: str) -> None:
    """Read one company. Where that cannot be, whoever asks for a page reads it then, or is told what is wrong."""
    try:
        if company := Company.objects.filter(pk=pk).first():
            planned.read_ahead(company)
            overview.read_ahead(company)
    except DatabaseError as error:
        _log.info("%s was not read ahead: %s", pk, error)
