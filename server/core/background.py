"""Work that takes minutes, in a thread of the process: whatever happens, it is told, and its connections are closed."""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, connections
from django.utils import translation
from django.utils.translation import gettext as _

from server.core.errors import Refused, ServerError

_log = logging.getLogger(__name__)


def begin(
    what: str,
    work: Callable[[], object],
    failed: Callable[[str, str], object],
    *,
    language: str = "",
    is_waited_for: bool = False,
) -> threading.Thread:
    """Begin the work. `what`: the log's words for its not having been done.

    `failed`: is told in the thread, in the language, what was in the way: a title and what to do. `is_waited_for`: by the
    end of the process, as what is cut off is not finished by anybody at once.
    """
    thread = threading.Thread(
        target=_in_thread, args=(what, work, failed, language), daemon=not is_waited_for
    )
    thread.start()
    return thread


def _in_thread(
    what: str, work: Callable[[], object], failed: Callable[[str, str], object], language: str
) -> None:
    """The outermost door of the thread."""
    with translation.override(language or None):
        try:
            if told := _fault_of(what, work):
                failed(*told)
        except Exception:  # noqa: BLE001  (the outermost door)
            _log.exception("%s, and that could not be told", what)
        finally:
            connections.close_all()


def _fault_of(what: str, work: Callable[[], object]) -> tuple[str, str] | None:
    """Do the work. Answers what was in the way."""
    try:
        work()
    except Refused as refused:
        return refused.title, refused.message
    except ServerError as error:
        _log.error("%s: %s. %s", what, error.title, error.message)
        return error.title, error.message
    except DatabaseError as error:
        _log.error("%s: %s", what, error)
        return _("The database cannot be used"), _("It says: {reason}").format(reason=error)
    except Exception:  # noqa: BLE001  (whatever it is, somebody waits to be told)
        _log.exception("%s", what)
        return _("This did not work"), _("It is a fault of the server; its log says more.")
    return None
