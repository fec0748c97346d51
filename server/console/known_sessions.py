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
"""Marks a request of somebody who is signed in (in the WSGI environment, where no header can put it)."""
MOST_KNOWN = 10_000


class KnownSessions:
    """Digests of session cookies, the last seen last."""

    def __init__(self) -> None:
        self._digests: dict[bytes, None] = {}

    def holder(self, environ: Mapping[str, Any]) -> Holder | None:
        """Who asks, for whom places are counted; None for a stranger."""
        digest = _digest(environ)
        if digest not in self._digests:
            return None
        return Holder(-int.from_bytes(digest[:8]) - 1, "")

    def note(self, environ: Mapping[str, Any]) -> None:
        """Remember the cookie where the request that was just answered was one of somebody signed in; forget it else."""
        digest = _digest(environ)
        self._digests.pop(digest, None)
        if SIGNED_IN in environ:
            self._digests[digest] = None
            if len(self._digests) > MOST_KNOWN:
                del self._digests[next(iter(self._digests))]


def _digest(environ: Mapping[str, Any]) -> bytes:
    cookie = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME, "")
    return hashlib.sha256(cookie.encode(errors="replace")).digest()
