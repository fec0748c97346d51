"""Files whole or in ranges (RFC 9110, section 14): a player seeks, and a line that was cut goes on where it was."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO

from django.http import HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Described:
    """What is known of a file: its digest in hex, its size in bytes and its media type."""

    sha256: str
    size: int
    type: str


class _Download:
    """Chunks of an answer; frees what it holds when the answer is over, however it ends."""

    def __init__(self, chunks: Iterator[bytes], resources: contextlib.ExitStack) -> None:
        self._chunks = chunks
        self._resources = resources

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._resources.close()


def answer(
    environ: Mapping[str, Any], file: BinaryIO, described: Described, resources: contextlib.ExitStack
) -> HttpResponseBase:
    """The file, or the range that a request asks for, or that there is no such one.

    `resources` are closed when the answer is over where it has a body, which is read from the file; else they stay the
    caller's.
    """
    response = _conditional(environ, file, described)
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        answered: HttpResponseBase = HttpResponseNotModified()
    elif response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        answered = HttpResponse(status=response.status_code)
    else:
        chunks = _Download(response.iter_encoded(), resources.pop_all())
        answered = StreamingHttpResponse(chunks, status=response.status_code)
    for name in ("Content-Type", "Content-Length", "Content-Range"):
        if name in response.headers:
            answered[name] = response.headers[name]
    answered["ETag"] = f'"{described.sha256}"'
    answered["Accept-Ranges"] = "bytes"
    return answered


def _conditional(environ: Mapping[str, Any], file: BinaryIO, described: Described) -> Response:
    asked = dict(environ)
    response = Response(wrap_file(asked, file, CHUNK_BYTES), mimetype=described.type, direct_passthrough=True)
    response.content_length = described.size
    response.set_etag(described.sha256)
    try:
        return response.make_conditional(asked, accept_ranges=True, complete_length=described.size)
    except RequestedRangeNotSatisfiable:
        unsatisfiable = Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        unsatisfiable.headers["Content-Range"] = f"bytes */{described.size}"
        return unsatisfiable
