"""What the runner serves: pages and static files, asked by way of WSGI once a request has come whole.

A form that comes slowly, or never, costs a connection and no thread: bodies are received here, as the agents' are.
"""

import re
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.utils import translation

from server.console import wsgi  # before what needs Django to be ready
from server.console.known_sessions import KnownSessions
from server.console.middleware import security
from server.console.pages.errors import unread
from server.console.people_import import MOST_BYTES
from server.console.reading_ahead import read_ahead
from server.console.settings import IS_SECURE
from server.core.concurrency import NOBODY
from server.core.problems import Problem
from server.drafts import conversions
from server.gateway.bodies import Receive, receive_body, receive_into
from server.gateway.exchange import Answer, Send, answer_of, ask, deliver, environ_of
from server.gateway.intake import Intake
from server.gateway.lanes import Lane
from server.gateway.life import live
from server.media.images import MAX_UPLOAD_BYTES
from server.recovery.replay import catch_up
from server.region.region import settled_region

_forms = Intake("forms under way", limit=64)
_files_of_people = Intake("files of people under way", limit=2, of_token=1)
_pages = Lane("pages", limit=64, threads=3, of_token=16, of_company=48, running_of_token=2)
_drawings = Lane("pages with pictures", limit=32, threads=2, of_token=8, of_company=24, running_of_token=1)
"""Who draws waits for a program, and keeps nobody from pages that do not."""
_strangers = Lane("pages of strangers", limit=64, threads=2)
_known = KnownSessions()
_files = Lane("static files", limit=256, threads=1)
_with_file = Intake("forms with files under way", limit=32, of_token=4, of_company=24)
_pieces = Intake("pieces of videos under way", limit=128, of_token=4, of_company=96)
_with_file_of_strangers = Intake("files under way of strangers", limit=4)
_writes = Lane(
    "pieces of videos that are written", limit=128, threads=1, of_token=4, of_company=96, running_of_token=1
)
_checks = Lane("pages that check files", limit=32, threads=1, of_token=4, of_company=24, running_of_token=1)
"""A picture takes a second and 160 MB: one at a time, and pages do not wait for it."""
_frames = Lane("frames of videos", limit=64, threads=1, of_token=12, of_company=48, running_of_token=1)
"""A page asks for six at once, and one may take a second: no upload waits for them."""

VIDEOS = re.compile("/drafts/[0-9a-f]{16}/videos/[0-9a-f]{32}")
FRAMES = re.compile("/drafts/[0-9a-f]{16}/frames/")
TAKES_FILES = re.compile("/drafts/(new|[0-9a-f]{16})")
MOST_FORM_WITH_FILE_BYTES = MAX_UPLOAD_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE
"""Of a form with a file in it: it is received onto the disk. Other forms are kept in memory."""
MOST_PIECE_BYTES = 4 * 1024 * 1024
"""Of a video that comes in pieces."""

PEOPLE_IMPORT = "/people/import"
DRAWN = ("/check", "/picture.png", "/publish", "/submit", "/approve", "/return", "/show")
"""Ends of addresses that show pictures, also where a button is refused and the page is shown once more."""
FORM_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
Application = Callable[[Mapping[str, Any], Receive, Send], Coroutine[Any, Any, None]]


def prepare() -> Application:
    """What answers, once what a restored backup has undone is done again, and conversions go on: the runner calls this.

    Raises `EnvironmentFault` as `settled_region` and `catch_up` do.
    """
    settled_region()
    catch_up()
    conversions.wake()
    read_ahead()
    return application


async def application(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """One request, or the worker's life (the lifespan protocol of ASGI)."""
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    environ = environ_of(scope)
    with tempfile.SpooledTemporaryFile(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) as file:
        try:
            await _receive(environ, receive, file)
            answer = await _ask(environ)
        except Problem as problem:
            answer = _refusal(problem, environ)
    answer.headers += _missing(answer)
    await deliver(answer, receive, send, head_only=environ["REQUEST_METHOD"] == "HEAD")


async def _ask(environ: dict[str, Any]) -> Answer:
    work = partial(ask, wsgi.application, environ)
    if environ["PATH_INFO"].startswith("/static/"):
        return await _files.run(NOBODY, work)
    known = _known.holder(environ)
    if known is None:
        answer = await _strangers.run(NOBODY, work)
    elif environ["REQUEST_METHOD"] == "PATCH" and _is_video(environ):
        answer = await _writes.run(known, work)
    elif FRAMES.match(environ["PATH_INFO"]):
        answer = await _frames.run(known, work)
    elif _has_file(environ) or (environ["REQUEST_METHOD"] == "POST" and _is_video(environ)):
        answer = await _checks.run(known, work)
    elif environ["PATH_INFO"].endswith(DRAWN):
        answer = await _drawings.run(known, work)
    else:
        answer = await _pages.run(known, work)
    _known.note(environ)
    return answer


def _is_video(environ: Mapping[str, Any]) -> bool:
    return VIDEOS.fullmatch(environ["PATH_INFO"]) is not None


def _has_file(environ: Mapping[str, Any]) -> bool:
    if environ["REQUEST_METHOD"] != "POST" or not TAKES_FILES.fullmatch(environ["PATH_INFO"]):
        return False
    is_form = environ.get("CONTENT_TYPE", "").startswith("multipart/form-data")
    return is_form and int(environ.get("CONTENT_LENGTH") or 0) > FORM_BYTES


async def _receive(environ: dict[str, Any], receive: Receive, file: IO[bytes]) -> None:
    """Put the body into the environ. What comes with GET has no meaning (RFC 9110, section 9.3.1). Raises `Problem`.

    `file`: where one that is long comes to lie. Browsers say how long a form is.
    """
    body = b""
    is_piece = environ["REQUEST_METHOD"] == "PATCH" and _is_video(environ)
    if is_piece or _has_file(environ):
        known = _known.holder(environ)
        most_bytes, intake = (
            (MOST_PIECE_BYTES, _pieces) if is_piece else (MOST_FORM_WITH_FILE_BYTES, _with_file)
        )
        intake = intake if known is not None else _with_file_of_strangers
        size = await intake.take(known or NOBODY, receive_into(file.write, receive, environ, most_bytes))
        file.seek(0)
        environ |= {"wsgi.input": file, "CONTENT_LENGTH": str(size)}
        return
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        body = await _taken(environ, receive)
    environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}


async def _taken(environ: dict[str, Any], receive: Receive) -> bytes:
    """A form; or, of somebody who is signed in, one with a file of people, which is larger."""
    known = _known.holder(environ)
    if environ["PATH_INFO"] == PEOPLE_IMPORT and known is not None:
        return await _files_of_people.take(known, receive_body(receive, environ, MOST_BYTES + FORM_BYTES))
    return await _forms.take(NOBODY, receive_body(receive, environ, FORM_BYTES))


def _refusal(problem: Problem, environ: dict[str, Any]) -> Answer:
    """A page in place of a problem document. No session is looked up for it."""
    request = WSGIRequest(environ | {"wsgi.input": BytesIO()})
    with translation.override(translation.get_language_from_request(request)):
        response = unread(HTTPStatus(problem.status))
    if retry_after := problem.response().get("Retry-After"):
        response["Retry-After"] = retry_after
    return answer_of(response)


def _missing(answer: Answer) -> list[tuple[bytes, bytes]]:
    """The headers of pages, where the answer has none of its own: static files say themselves who may keep them."""
    given = {name for name, _value in answer.headers}
    wanted = ((name.lower().encode(), value.encode()) for name, value in security.headers(IS_SECURE).items())
    return [(name, value) for name, value in wanted if name not in given]
