"""The reference for polls: a Django view that finds a token by one query and answers 304, and nothing else.

No middleware, no router but one address, no schema, no signature. `BENCH_DATABASE_URL` names a PostgreSQL database;
else `BENCH_SQLITE` names a file. Both are the server's own, so that the query finds the same row.
"""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from server.devices.tokens import token_hash
from server.settings import postgresql_database, sqlite_database

url = os.environ.get("BENCH_DATABASE_URL")
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": postgresql_database(url) if url else sqlite_database(Path(os.environ["BENCH_SQLITE"]))
    },
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for benchmarks only",
    USE_TZ=True,
)


def poll(request: HttpRequest) -> HttpResponse:
    """304 for a known token."""
    token = request.META["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id FROM delivery_device WHERE token_hash = %s", [token_hash(token)])
        known = cursor.fetchone()
    return HttpResponse(status=304 if known else 401)


urlpatterns = [path("api/v1/feed", poll)]
application = get_wsgi_application()
