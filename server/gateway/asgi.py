"""The ASGI application of `tidings-server serve`.

A slow or silent line costs a connection and nothing else: bodies are received here, outside threads and places, and
only of those who hold a token. What a person has a right to, to take back their consent or to disconnect, has a lane of
its own, which nobody else can fill: not even a thief of their token, since only what ends something takes a place there.
"""

import os
from collections.abc import Callable, Coroutine, Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")

_django = get_wsgi_application()

from django.db import connection  # noqa: E402  (these need Django to be ready)

from server.core import concurrency, connection_limits, problems  # noqa: E402
from server.core.concurrency import NOBODY, Holder  # noqa: E402
from server.core.problems import Problem  # noqa: E402
from server.feedback.api import ConsentRequest, withdrawal_in  # noqa: E402
from server.feedback.consents import Endable, endable_by  # noqa: E402
from server.gateway.bodies import SHORT_WITHIN_S, Receive, Unread, receive_body  # noqa: E402
from server.gateway.exchange import Answer, Send, answer_of, ask, deliver, environ_of, size_of_head  # noqa: E402
from server.gateway.holders import Holders, of_database  # noqa: E402
from server.gateway.intake import Intake  # noqa: E402
from server.gateway.lanes import Lane  # noqa: E402
from server.gateway.life import live  # noqa: E402
from server.gateway.shared import Shared  # noqa: E402
from server.recovery.replay import catch_up  # noqa: E402
from server.region.region import settled_region  # noqa: E402

API = "/api/v1"
CONSENTS, DEVICE, ENROLMENTS, ME = f"{API}/consents", f"{API}/device", f"{API}/enrolments", f"{API}/me"
ADMIN = f"{API}/admin/"
OWN_ACTS = {("POST", CONSENTS), ("DELETE", DEVICE)}
PUBLICATIONS = {("POST", f"{ADMIN}campaigns"), ("POST", f"{ADMIN}emergencies")}
SHORT_BODY_BYTES = 8 * 1024
"""Of enrolments and consents, which have a few short fields."""

_write_turns = concurrency.WRITE_TURNS[connection.vendor]
concurrency.write_turns = concurrency.WriteTurns(_write_turns)

# A line has one request at a time, so that nobody can fill these: a token is looked up before it may take a place.
_of_each_line = connection_limits.of_worker()

# A few threads each: more contend for the interpreter, and half as many polls were answered. Each may come to hold a
# database connection: with four workers 60, of the 97 that PostgreSQL allows by default.
_reads = Lane("reads", limit=2000, threads=4)
_recorded_reads = Lane("reads on record", limit=32, threads=2, of_token=1, of_company=16)
_writes = Lane("writes", limit=64, threads=_write_turns, of_token=2, of_company=32)
_identities = Lane("identities", limit=_of_each_line, threads=1)
_enrolments = Lane("enrolments", limit=1024, threads=1)
_own_identities = Lane("identities for withdrawals", limit=_of_each_line, threads=1)
_publications = Lane("publications", limit=32, threads=1, of_token=2, of_company=16)
_withdrawals = Lane("withdrawals", limit=1024, threads=1, of_token=8)
_empty_withdrawals = Lane("withdrawals that end nothing", limit=256, threads=1, of_token=4, of_company=64)

_ended = Lane("what withdrawals end", limit=_of_each_line, threads=1)

_holders, _own_holders = Holders(_identities), Holders(_own_identities)
_endable = Shared[int, Endable](_ended, lambda token: of_database(lambda: endable_by(token)))

_bodies = Intake("bodies under way", limit=512, of_token=4, of_company=256)
_enrolment_bodies = Intake("enrolments under way", limit=2048)
_consent_bodies = Intake("consents under way", limit=4096)


Application = Callable[[Mapping[str, Any], Receive, Send], Coroutine[Any, Any, None]]


def prepare() -> Application:
    """What answers, once the database is ready for it: the runner calls this in each worker.

    Raises `EnvironmentFault` as `settled_region` and `catch_up` do.
    """
    settled_region()  # a database of another region is not even looked at
    catch_up()
    return application


async def application(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """One request, or the worker's life (the lifespan protocol of ASGI)."""
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    if size_of_head(scope) > connection_limits.MOST_HEADER_BYTES:
        await deliver(answer_of(problems.head_too_large().response()), receive, send, head_only=False)
        return
    environ = environ_of(scope)
    head_only = environ["REQUEST_METHOD"] == "HEAD"
    if head_only:
        environ["REQUEST_METHOD"] = "GET"  # the same but for the body (RFC 9110, section 9.3.2)
    try:
        answer = await _answer(environ, receive)
    except Problem as problem:
        answer = answer_of(problem.response())
    await deliver(answer, receive, send, head_only=head_only)


async def _answer(environ: dict[str, Any], receive: Receive) -> Answer:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method == "GET":
        return await _read(environ, path)
    if (method, path) == ("POST", ENROLMENTS):
        await _receive_short(environ, receive, _enrolment_bodies, NOBODY)
        return await _enrolments.run(NOBODY, lambda: _write(environ))
    is_own_act = (method, path) in OWN_ACTS
    holder = await (_own_holders if is_own_act else _holders).of(environ.get("HTTP_AUTHORIZATION", ""))
    if holder is None:
        if is_own_act:
            raise problems.unauthorized()  # at once: strangers make the others wait as little as can be
        return await _refuse(environ)
    if (method, path) == ("DELETE", DEVICE) and holder.is_computer:
        environ["wsgi.input"] = BytesIO()
        return await _end(holder, environ)
    if (method, path) == ("POST", CONSENTS):
        body = await _receive_short(environ, receive, _consent_bodies, holder)
        withdrawal = withdrawal_in(environ.get("CONTENT_TYPE", ""), body)
        if withdrawal is not None:
            return await _withdraw(holder, environ, withdrawal)
    else:
        most_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        _put(await _bodies.take(holder, receive_body(receive, environ, most_bytes)), environ)
    if (method, path) in PUBLICATIONS:  # which take a turn themselves, when the file has been read
        return await _publications.run(holder, lambda: ask(_django, environ))
    return await _writes.run(holder, lambda: _write(environ))


async def _read(environ: dict[str, Any], path: str) -> Answer:
    """Those that are put on record wait for each other, and not in the way of polls."""
    environ["wsgi.input"] = BytesIO()
    if path == ME or path.startswith(ADMIN):
        holder = await _holders.of(environ.get("HTTP_AUTHORIZATION", ""))
        if holder is not None:
            return await _recorded_reads.run(holder, lambda: ask(_django, environ))
    return await _reads.run(NOBODY, lambda: ask(_django, environ))


async def _refuse(environ: dict[str, Any]) -> Answer:
    """What somebody without a token is told, whose body nobody waits for."""
    Unread("The body was not read.").put_into(environ)
    return await _reads.run(NOBODY, lambda: ask(_django, environ))


async def _receive_short(environ: dict[str, Any], receive: Receive, intake: Intake, holder: Holder) -> bytes:
    body = await intake.take(holder, receive_body(receive, environ, SHORT_BODY_BYTES, SHORT_WITHIN_S))
    _put(body, environ)
    return body


def _put(body: bytes, environ: dict[str, Any]) -> None:
    if body:
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    else:
        Unread("There is no body.").put_into(environ)


async def _withdraw(holder: Holder, environ: dict[str, Any], withdrawal: ConsentRequest) -> Answer:
    """Those that end nothing, which a thief of the token may repeat, wait and are counted apart from those that do."""
    endable = await _endable.of(holder.token)
    if endable.is_ended_by(UUID(withdrawal.receipt_id), withdrawal.signal):
        return await _end(holder, environ)
    environ[concurrency.WITHDRAWAL] = True
    return await _empty_withdrawals.run(holder, lambda: ask(_django, environ))


async def _end(holder: Holder, environ: dict[str, Any]) -> Answer:
    environ[concurrency.UNCOUNTED] = True
    return await _withdrawals.run(holder, lambda: ask(_django, environ))


def _write(environ: dict[str, Any]) -> Answer:
    with concurrency.write_turns:
        return ask(_django, environ)
