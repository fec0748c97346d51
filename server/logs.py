"""What never stands in a log of the server, whatever a program or a database puts into a message."""

import logging
import re
from http import HTTPStatus
from typing import Any

_SECRETS = re.compile(
    r"t[ad]t_[\w-]+"  # tokens of computers and of administrators
    r"|Bearer\s+\S+"
    r"|(?<=/welcome/)[\w-]+"  # links of the console that let somebody in once
    r"|\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b"  # codes of invitations
    r"|(?:\"[^\"]*\"|[^\s\"'(<,;=:]+)@[\w-]+(?:\.[\w-]+)+"  # e-mail addresses
    # What PostgreSQL adds to an error: the query, and the values of the row, over several lines where they have some.
    r"|(?:(?<=DETAIL:)|(?<=LINE \d:)).*?(?=\n\nThe above exception|\n\nDuring handling|\Z)",
    re.DOTALL,
)


class RedactingFormatter(logging.Formatter):
    """Takes tokens, codes, e-mail addresses and rows out of the finished line, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("[removed]", super().format(record))


def line() -> dict[str, Any]:
    """How each line is written. A new one for each use: `logging.config` takes the class out of what it is given."""
    return {
        "()": f"{RedactingFormatter.__module__}.{RedactingFormatter.__qualname__}",
        "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
    }


def of_granian() -> dict[str, Any]:
    """Where its log goes: it tells what the server raised, with the traceback."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"generic": line()},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "generic",
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
    }


class NotEach503(logging.Filter):
    """Leaves out Django's line for each 503 that is answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record stays."""
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE
