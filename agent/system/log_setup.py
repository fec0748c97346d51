"""Logs: on standard error and in a rotating file in the platform's log folder.

In neither is a token, an e-mail address, or where a request went.
"""

from __future__ import annotations

import io
import logging
import logging.handlers
import re
import sys
from pathlib import Path

from agent.system import private_files

_SECRETS = re.compile(
    r"tdt_[\w-]+|Bearer\s+\S+|\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b|(?:\"[^\"]*\"|[^\s\"'(<,;=:]+)@[\w-]+(?:\.[\w-]+)+"
    r"|\b(?:https?|wss?|socks\w*|ftp)://[^\s\"')>,]+|(?<=host=)'[^']*'|(?<=port=)\d+|(?<=url: )\S+"
)
"""Device tokens, codes of invitations, e-mail addresses; addresses, and the words of urllib3 around them."""
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Redacting(logging.Formatter):
    """Removes what must not be in a log, wherever in the record it stands."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("[removed]", super().format(record))


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """Each file that it begins is its owner's alone."""

    def _open(self) -> io.TextIOWrapper:
        private_files.make(Path(self.baseFilename))
        return super()._open()


def set_up(level: str, folder: Path | None) -> None:
    """Log from ``level`` on to standard error, and from ``info`` on to ``folder``/tidings.log (1 MB, two older ones)."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if level == "debug" else logging.INFO)
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(level.upper())
    handlers: list[logging.Handler] = [screen]
    if folder is not None:
        try:
            private_files.make_folder(folder)
            handlers.append(
                _PrivateFile(
                    folder / "tidings.log",
                    maxBytes=1_000_000,
                    backupCount=2,
                    encoding="utf-8",
                    errors="backslashreplace",
                )
            )
        except OSError as error:
            root.warning("No log file: %s", error)
    for handler in handlers:
        handler.setFormatter(_Redacting(_FORMAT))
        root.addHandler(handler)
