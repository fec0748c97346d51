"""What never stands in a log of the server, whatever a program or a database puts into a message."""

import logging
import re
from http import HTTPStatus

_SECRETS = re.compile(
    r"t[ad]t_[\w-]+"  # tokens of computers and of administrators
    r"|Bearer\s+\S+"
    r"|\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b"  # codes of invitations
    r"|(?:\"[^\"]*\"|[^\s\"'(<,;=:]+)@[\w-]+(?:\.[\w-]+)+"  # e-mail addresses
    # What PostgreSQL adds to an error: the values of the row, over several lines where they have some.
    r"|(?<=DETAIL:).*?(?=\n\nThe above exception|\n\nDuring handling|\Z)",
    re.DOTALL,
)


class RedactingFormatter(logging.Formatter):
    """Takes tokens, codes, e-mail addresses and rows out of the finished line, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("[removed]", super().format(record))


class NotEach503(logging.Filter):
    """Leaves out Django's line for each 503 that is answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record stays."""
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE
