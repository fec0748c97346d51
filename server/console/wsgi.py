"""The console as a WSGI application: Django under its own settings, with its static files in front."""

from typing import TYPE_CHECKING, Any

import django
from django.core.handlers.wsgi import WSGIHandler

from server.console import assets
from server.console.settings import IS_SECURE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

django.setup(set_prefix=False)


def _as_reached(handler: "WSGIApplication") -> "WSGIApplication":
    """Where a proxy speaks TLS, requests are secure, whatever their headers say."""

    def reached(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        environ["wsgi.url_scheme"] = "https" if IS_SECURE else "http"
        return handler(environ, start_response)

    return reached


application = assets.in_front_of(_as_reached(WSGIHandler()))
