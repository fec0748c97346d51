"""Django's settings. They come from the data folder and two environment variables, nothing else.

`TIDINGS_SERVER_DATA`: the data folder (keys, media, the SQLite database); else the platform's folder for user data.
`DATABASE_URL`: a PostgreSQL database, `postgresql://user:password@host/name`; else SQLite in the data folder.
"""

import os
from pathlib import Path
from typing import Any

import dj_database_url
import platformdirs

DATA = Path(
    os.environ.get("TIDINGS_SERVER_DATA") or platformdirs.user_data_path("tidings-server", appauthor=False)
).absolute()
MEDIA_FOLDER = DATA / "media"
KEY_FOLDER = DATA / "keys"
SECRET_FILE = DATA / "secret.key"

# Empty until `tidings-server init` has made it: Django refuses to use an empty one.
SECRET_KEY = SECRET_FILE.read_text().strip() if SECRET_FILE.exists() else ""

DEBUG = False
ALLOWED_HOSTS = [
    "*"
]  # No answer is made from the Host header; the proxy in front decides which names reach us.
ROOT_URLCONF = "server.urls"
WSGI_APPLICATION = "server.wsgi.application"
INSTALLED_APPS = [
    "server.directory",
    "server.campaigns",
    "server.delivery",
    "server.signals",
]
MIDDLEWARE = ["server.problems.ProblemMiddleware"]
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
LOGGING_CONFIG = None


def _sqlite(path: Path) -> dict[str, Any]:
    # IMMEDIATE: a transaction that will write takes the write lock at its start, so that two of them queue up
    # instead of one failing half-way. WAL: readers are never blocked by the writer.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
        },
    }


def _database() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL")
    return dict(dj_database_url.parse(url, conn_max_age=None)) if url else _sqlite(DATA / "tidings.sqlite3")


DATABASES = {"default": _database()}
