"""Which cookies belong to people who are signed in, as far as this process has seen them: they have places of their own.

Whoever floods the console without a session takes the places of other strangers then, and keeps nobody from working.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import parse_cookie

from server.core.concurrency import Holder

SIGNED_IN = "tidings.signed-in"
"""Holds who is signed in, a `Holder`, in the environment of WSGI, where no header can put it."""
MOST_KNOWN = 10_000


class KnownSessions:
    """Whose sessions they are, by digests of their cookies, the last seen last.

    All sessions of an account share its places.
    """

    def __init__(self) -> None:
        self._holders: dict[bytes, Holder] = {}

    def holder(self, environ: Mapping[str, Any]) -> Holder | None:
        """Who asks, for whom places are counted; None for a stranger."""
        return self._holders.get(_digest(environ))

    def note(self, environ: Mapping[str, Any]) -> None:
        """Remember the cookie where the request that was just answered was one of somebody signed in; forget it else."""
        digest = _digest(environ)
        self._holders.pop(digest, None)
        if SIGNED_IN in environ:
            self._holders[digest] = environ[SIGNED_IN]
            if len(self._holders) > MOST_KNOWN:
                del self._holders[next(iter(self._holders))]


def _digest(environ: Mapping[str, Any]) -> bytes:
    cookie = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME, "")
    return hashlib.sha256(cookie.encode(errors="replace")).digest()
