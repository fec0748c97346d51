"""The WSGI application, for `tidings-server serve` and any other WSGI server."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")

_django = get_wsgi_application()

from server import load  # noqa: E402  (needs Django to be ready)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Django's answer; a short one as a list, which servers send in one go."""
    with load.turns:
        response = _django(environ, start_response)
        if getattr(response, "streaming", True):
            return response
        chunks = list(response)
        response.close()
        return chunks
