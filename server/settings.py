"""Django's settings. They come from the data folder and a few environment variables, nothing else.

`TIDINGS_SERVER_DATA`: the data folder (keys, media, the SQLite database); else the platform's folder for user data.
`TIDINGS_LONGEST_WAIT_S`: how long to wait for a lock of the database, 20 s unless given.
`TIDINGS_RESTORE_WATCH_S`: how often to look for a backup that was restored under the server, 2 s unless given; 0: never.
`TIDINGS_RENDER`: the command that draws pictures of campaigns, as in a shell; else `tidings-render` beside this Python.
`TIDINGS_FFMPEG`: the ffmpeg that converts videos, with ffprobe beside it; else the one in the PATH.
`TIDINGS_MAIL`: how mail leaves, such as `smtps://user@mail.example`; empty: none is sent (see `server.mail.transport`).
`TIDINGS_MAIL_FROM`: the sender's address. `TIDINGS_MAIL_PASSWORD_FILE` or `TIDINGS_MAIL_PASSWORD`: the user's password.
`TIDINGS_MAIL_TIMEOUT_S`: how long to wait for each answer of the mail server, 15 s unless given.
`TIDINGS_MAIL_AUTHORITIES`: a PEM file of certificate authorities that the mail server's certificate may be of, too.
`TIDINGS_CONSOLE`: where browsers reach the console, for links; else at the port of the machine itself.
`DATABASE_URL`: a PostgreSQL database, `postgresql://user:password@host/name`; else SQLite in the data folder.
"""

import math
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import dj_database_url
import platformdirs
from django.core.exceptions import ImproperlyConfigured

from server import logs

DATA = Path(
    os.environ.get("TIDINGS_SERVER_DATA") or platformdirs.user_data_path("tidings-server", appauthor=False)
).absolute()
MEDIA_FOLDER = DATA / "media"
KEY_FOLDER = DATA / "keys"
SECRET_FILE = DATA / "secret.key"
PREVIEW_FOLDER = DATA / "previews"
RENDER_COMMAND = shlex.split(os.environ.get("TIDINGS_RENDER", "")) or [
    str(Path(sys.executable).with_name("tidings-render"))
]
FFMPEG = os.environ.get("TIDINGS_FFMPEG") or "ffmpeg"
CONVERSION_FOLDER = DATA / "conversions"

CONSOLE = os.environ.get("TIDINGS_CONSOLE", "")
MAIL = os.environ.get("TIDINGS_MAIL", "")
MAIL_FROM = os.environ.get("TIDINGS_MAIL_FROM", "")
MAIL_PASSWORD = os.environ.get("TIDINGS_MAIL_PASSWORD", "")
MAIL_PASSWORD_FILE = os.environ.get("TIDINGS_MAIL_PASSWORD_FILE", "")
MAIL_AUTHORITIES = os.environ.get("TIDINGS_MAIL_AUTHORITIES", "")

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "previews": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "previews",
        "TIMEOUT": 15 * 60,
        "OPTIONS": {"MAX_ENTRIES": 48},  # one takes 20 to 500 kB
    },
}

# Empty until `tidings-server init` has made it: Django refuses to use an empty one.
SECRET_KEY = SECRET_FILE.read_text().strip() if SECRET_FILE.exists() else ""

DEBUG = False
ALLOWED_HOSTS = [
    "*"
]  # No answer is made from the Host header; the proxy in front decides which names reach us.
ROOT_URLCONF = "server.urls"
INSTALLED_APPS = [
    "server.database",
    "server.directory",
    "server.campaigns",
    "server.devices",
    "server.signals",
    "server.reports",
    "server.audit",
    "server.erasure_ledger",
    "server.region",
    "server.data_subject",
    "server.access",
    "server.acknowledgements",
    "server.accounts",
    "server.mail",
    "server.drafts",
    "server.erasure",
    "server.notices",
    "server.processing_record",
    "server.accounts.apps.ContentTypeTables",
    "server.accounts.apps.AuthTables",
    "server.accounts.apps.AddressTables",
    "server.accounts.apps.SecondFactorTables",
]
AUTH_USER_MODEL = "accounts.Account"
"""Of the console (`server.console.settings`): nobody signs in to the agents' API with an account."""
MIDDLEWARE = ["server.core.problems.ProblemMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [str(Path(__file__).parent / "locale")]

# The largest message is a batch of 100 signals, about 30 kB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# Results go to stdout, logs to stderr. Django's warning for each answer of 400 and more is left out: those are
# the agents' affair, and paths would fill the log. So is its error for each 503: who sends many away says so sparingly.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": logs.line()},
    "filters": {"sparing": {"()": "server.logs.NotEach503"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("TIDINGS_LOG_LEVEL", "WARNING")},
    "loggers": {"django.request": {"level": "ERROR", "filters": ["sparing"]}},
}


def _seconds(name: str, default: float, *, or_never: bool = False) -> float:
    """`or_never`: 0 means that, and is taken."""
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (0 < seconds <= MOST_WAIT_S or (or_never and seconds == 0)):  # NaN is neither
        never = ", 0 for never," if or_never else ","
        raise ImproperlyConfigured(
            f"{name} is {text!r}: write a number of seconds, up to {MOST_WAIT_S}{never} or unset it."
        )
    return seconds


MOST_WAIT_S = 3600
LONGEST_WAIT_S = _seconds("TIDINGS_LONGEST_WAIT_S", 20)
"""For a lock of the database: then whoever waits is told who holds it."""
LONGEST_IDLE_S = 600
"""How long a transaction may do nothing before PostgreSQL ends it, with its locks: its process hangs, or is stopped."""
LOST_PEER = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Of libpq: a database whose machine is gone is noticed within a minute. `tcp_user_timeout` in ms, the others in s."""
MAIL_TIMEOUT_S = _seconds("TIDINGS_MAIL_TIMEOUT_S", 15)
"""For each answer of the mail server."""
RESTORE_WATCH_S = _seconds("TIDINGS_RESTORE_WATCH_S", 2, or_never=True)
"""How long a backup may be served that was restored under the server. 0: nobody looks."""


def sqlite_database(path: Path) -> dict[str, Any]:
    """The settings of a database in a file."""
    # IMMEDIATE: a transaction that will write takes the write lock at its start, so that two of them queue up
    # instead of one failing half-way. WAL: readers are never blocked by the writer.
    return {
        "ENGINE": "server.database.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": LONGEST_WAIT_S,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
        },
    }


def postgresql_database(url: str) -> dict[str, Any]:
    """The settings of a database on a PostgreSQL server.

    Raises `ImproperlyConfigured` for another address, which may hold a password and is not told.
    """
    try:
        if url.partition("://")[0] not in ("postgresql", "postgres"):
            raise ValueError
        settings: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=None))
    except ValueError:
        raise ImproperlyConfigured(
            "DATABASE_URL is no address of a PostgreSQL database: write postgresql://user:password@host/name, or unset it "
            "for SQLite in the data folder."
        ) from None
    # The poll's query is then planned once for each connection, which is most of its cost; not where a pooler is
    # between, see `database.sessions`.
    options = {"server_side_binding": True, "prepare_threshold": 5}
    return settings | {"OPTIONS": LOST_PEER | settings.get("OPTIONS", {}) | options}


def database(url: str | None, data: Path) -> dict[str, Any]:
    """The settings of the database at `url`, or of the one in the data folder. Connections are kept open."""
    return postgresql_database(url) if url else sqlite_database(data / "tidings.sqlite3")


DATABASES = {"default": database(os.environ.get("DATABASE_URL"), DATA)}
