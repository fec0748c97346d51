"""The WSGI application, for `tidings-server serve` and any other WSGI server.

WSGI and not ASGI: with the same views, workers and load on 2 cores, WSGI answered 3,600 polls a second, ASGI 450.
"""

import os
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")

_django = get_wsgi_application()

from django.db import connection  # noqa: E402  (these need Django to be ready)

from server import load  # noqa: E402
from server.privacy.replay import catch_up  # noqa: E402
from server.problems import Problem  # noqa: E402
from server.tenants.region import settled_region  # noqa: E402

settled_region()  # a database of another region is not even looked at
catch_up()

_write_turns = load.Turns(load.SQLITE_WRITE_TURNS if connection.vendor == "sqlite" else load.WRITE_TURNS)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Django's answer, when it is this request's turn; or a 503, when too many writes are waiting."""
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        with load.turns:
            return _answer(environ, start_response)
    try:
        with load.writes.held():
            _receive_body(environ)
            with _write_turns, load.turns:
                return _answer(environ, start_response)
    except Problem as problem:
        refusal = problem.response()
        start_response(f"{refusal.status_code} {refusal.reason_phrase}", list(refusal.items()))
        return [refusal.content]


def _receive_body(environ: "WSGIEnvironment") -> None:
    """Wait for the body of a slow line before taking a turn. Django refuses one that is too large without reading it."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))


def _answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """A short answer as a list, which servers send in one go."""
    response = _django(environ, start_response)
    if getattr(response, "streaming", True):
        return response
    chunks = list(response)
    response.close()
    return chunks
