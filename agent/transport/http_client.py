"""The way to the company's server. The only file that imports requests.

Nothing identifies the person or the computer but the device token. No cookie, no redirect, no ``.netrc``; answers are
read up to a limit and a deadline; an answer that is not a Tidings server's changes nothing.
"""

from __future__ import annotations

import email.utils
import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from agent import __version__
from agent.domain import errors, limits, plain_text
from agent.domain.ports import Answer
from agent.protocol import codec
from agent.system.subprocesses import import_without
from agent.transport import proxies
from agent.transport.abortable_connections import Lines
from resources.i18n import _

# It guesses the encoding of texts: 15 MB for what we never ask, as all that we read are bytes.
with import_without("charset_normalizer"):
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter

log = logging.getLogger(__name__)
# What it warns of, with the address that was asked, is told as a fault of ours, without.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CHUNK_BYTES = 64 * 1024
_TRUST_BY_ENVIRONMENT = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that add authorities, for us (OpenSSL reads the last two itself) and for a helper that fetches a PAC file.

Whoever sets one for a moment could read along. What this computer trusts, its administrator decides.
"""


def server_address(text: str) -> str:
    """The server's address as a person typed it, made whole: ``https://host[:port][/path]``, no trailing slash.

    Plain HTTP is for a loopback address only. Raises InvalidInput.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.username or parts.query or parts.fragment or any(c.isspace() for c in text):
        raise errors.InvalidInput(_("Enter the server's address, for example https://news.example.com"))
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise errors.InvalidInput(_("The address must begin with https://, so that nobody can read along."))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


class Heard(Protocol):
    """Is told what time the server says it is."""

    def __call__(self, date: str, *, may_be_repeated: bool) -> None:
        """The ``Date`` of an answer, empty for none; ``may_be_repeated``: by a cache between."""


class ApiClient:
    """A ``Transport`` for one thread at a time. ``abort`` may be called from any other."""

    def __init__(
        self,
        server_url: str,
        token: str | Callable[[], str | None] | None = None,
        heard: Heard | None = None,
    ) -> None:
        """``token``: what gives it, where it may be replaced while the client is in use. ``heard``: each answer's time."""
        for name in _TRUST_BY_ENVIRONMENT:
            os.environ.pop(name, None)
        self._base = server_url
        self._token = token if callable(token) else lambda: token
        self._heard = heard
        self._ways = proxies.ways_to(server_url)
        self._lines = Lines()
        self._session = _Session()
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": f"tidings/{__version__}", "Accept-Encoding": "identity"})
        self._session.auth = _Bearer(self._token)
        self._session.cookies.set_policy(_NoCookies())
        self._session.mount("http://", _Adapter(self._lines))
        self._session.mount("https://", _SystemTrustAdapter(self._lines))

    @property
    def feed_subject(self) -> str:
        """See ``Transport``."""
        return codec.feed_subject(self._token() or "")

    def close(self) -> None:
        self._session.close()

    def abort(self) -> None:
        """End the request under way, which raises Interrupted then, as does every later one."""
        self._lines.cut_for_good()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = limits.ANSWER_MAX_BYTES,
    ) -> Answer:
        """Send a request and read its answer whole.

        Raises ServerUnreachable, CertificateRefused, NotOurServer, ServerBusy, ServerFault, TokenRefused, CodeRefused,
        NoticeChanged, NotUnderstood, Refused.
        """
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Type"] = "application/json"
        with self._send(method, path, body, sent, limits.REQUEST_DEADLINE_S) as response:
            answer = _read(response, max_bytes)
        if answer.status == 304 and method != "GET":  # RFC 9110 section 15.4.5
            raise errors.NotOurServer(f"304 to {method}")
        _check(answer)
        if self._heard is not None:
            self._heard(answer.headers.get("date", ""), may_be_repeated=method == "GET")
        return answer

    def download(self, path: str, target: Path, *, size: int) -> None:
        """Append to ``target`` what is missing of a file of ``size`` bytes (RFC 9110 section 14.2).

        Raises as ``request`` does, MediaRefused when the server has a file of another size, DiskFault.
        """
        have = target.stat().st_size if target.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._send("GET", path, None, headers, limits.MEDIA_DEADLINE_S) as response:
            if response.status_code not in (200, 206):
                _check(_read(response, limits.ANSWER_MAX_BYTES))
                raise errors.NotOurServer(f"{response.status_code} for a file")
            resumed = response.status_code == 206
            _check_promise(response, have if resumed else 0, size)
            try:
                with target.open("ab" if resumed else "wb") as file:
                    for chunk in _chunks(response, size - have if resumed else size):
                        file.write(chunk)
            except OSError as error:
                raise errors.DiskFault(f"media: {error}") from error

    @contextmanager
    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], deadline_s: float
    ) -> Iterator[requests.Response]:
        """The timeouts bound each wait for a byte; the deadline bounds a server that sends one byte at a time."""
        with self._lines.at_most(deadline_s), self._ask(method, path, body, headers) as response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise errors.NotOurServer("an encoding that was not asked for")
            yield response

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        """Over the first way that leads to the server; the headers of its answer have come."""
        *others, last = self._ways.in_order()
        for proxy in others:
            try:
                return self._ask_over(proxy, method, path, body, headers)
            except errors.ServerUnreachable as error:
                if self._lines.cut or not _led_nowhere(error):
                    raise
                log.info("The next way to the server is tried: %s", error.detail)
        return self._ask_over(last, method, path, body, headers)

    def _ask_over(
        self, proxy: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        try:
            with _faults(proxy):
                return self._session.request(
                    method,
                    self._base + path,
                    data=body,
                    headers=dict(headers),
                    timeout=(limits.CONNECT_TIMEOUT_S, limits.READ_TIMEOUT_S),
                    allow_redirects=False,
                    stream=True,
                    proxies={"http": proxy, "https": proxy},
                )
        except errors.ServerUnreachable as error:
            if self._lines.overdue or (_led_nowhere(error) and not self._lines.cut):
                proxies.leads_nowhere(proxy)
            raise


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None. requests reads the body of a redirection whole, unpacked and without a limit, also one it does not follow."""
        return None


class _Bearer(requests.auth.AuthBase):
    """Always set, also without a token: it keeps requests from sending what a ``.netrc`` file says."""

    def __init__(self, token: Callable[[], str | None]) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token := self._token():
            request.headers["Authorization"] = f"Bearer {token}"
        return request


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    def set_ok(self, cookie: object, request: object) -> bool:
        return False


class _Adapter(HTTPAdapter):
    def __init__(self, lines: Lines) -> None:
        self._pools = {
            "http": lines.pool(urllib3.HTTPConnectionPool),
            "https": lines.pool(urllib3.HTTPSConnectionPool),
        }
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class _SystemTrustAdapter(_Adapter):
    """Trusts what the operating system trusts, a company's own authority included, and nothing besides."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_context(), **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        return super().proxy_manager_for(proxy, ssl_context=_context(), **kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


def _context() -> ssl.SSLContext:
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def _faults(proxy: str = proxies.DIRECT) -> Iterator[None]:
    """Requests' exceptions, turned into ours; none of their texts holds a token."""
    try:
        yield
    except requests.exceptions.ProxyError as error:
        proxies.forget()
        raise proxies.ProxyUnreachable(f"proxy: {_reason(error)}", proxies.shown(proxy)) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        proxies.forget()
        kind = errors.CertificateRefused if _about_a_certificate(error) else errors.ServerUnreachable
        fault = kind(_reason(error))
        fault.sent = fault.sent and not _never_left(error)
        raise fault from error


def _led_nowhere(fault: errors.ServerUnreachable) -> bool:
    """Whether another way may be tried: nothing was sent, and nobody was met who cannot prove who they are."""
    return not fault.sent and not isinstance(fault, errors.CertificateRefused)


def _about_a_certificate(error: BaseException | None) -> bool:
    """Whether this came of a certificate that is not trusted. Other faults of TLS are those of a bad line."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        inner = error.args[0] if error.args else None
        reason = getattr(inner, "reason", None) or getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
    return error is not None


def _never_left(error: BaseException) -> bool:
    """Whether no connection was made, so that the server knows nothing of the request."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))


def _reason(error: BaseException) -> str:
    """What went wrong, without the addresses that the libraries put into their messages: it gets into logs."""
    names, seen, cause = list[str](), set[int](), ""
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        names.append(type(inner).__name__)
        cause = _said_by_the_system(inner) or cause
        inner = _within(inner)
    return ": ".join(filter(None, (*dict.fromkeys(names), cause)))[:300]


def _within(error: BaseException) -> BaseException | None:
    """What an exception of requests or urllib3 is about."""
    held = (getattr(error, "reason", None), *error.args[:2], error.__cause__, error.__context__)
    return next((each for each in held if isinstance(each, BaseException)), None)


def _said_by_the_system(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.partition(",")[0]  # after it, whose certificate was expected
    return (error.strerror or "") if isinstance(error, OSError) else ""


def _read(response: requests.Response, max_bytes: int) -> Answer:
    content = b"".join(_chunks(response, max_bytes))
    return Answer(response.status_code, _lower(response), content)


def _chunks(response: requests.Response, max_bytes: int) -> Iterator[bytes]:
    """The body in pieces. Raises NotOurServer when there is more than ``max_bytes``."""
    left = max_bytes
    pieces = response.iter_content(_CHUNK_BYTES)
    while True:
        with _faults():
            piece = next(pieces, b"")
        if not piece:
            return
        left -= len(piece)
        if left < 0:
            raise errors.NotOurServer(f"an answer of over {max_bytes} bytes")
        yield piece


def _check_promise(response: requests.Response, start: int, size: int) -> None:
    """Whether an answer is the rest of a file from ``start`` on. Raises NotOurServer, MediaRefused."""
    headers = _lower(response)
    if headers.get("content-type", "").lower().startswith("text/html"):
        raise errors.NotOurServer("a page instead of a file")
    promised = headers.get("content-range", "") if response.status_code == 206 else ""
    if response.status_code == 206 and promised != f"bytes {start}-{size - 1}/{size}":
        raise errors.MediaRefused(f"asked for bytes {start} to {size - 1}, got {promised[:60]}")
    if headers.get("content-length", str(size - start)) != str(size - start):
        raise errors.MediaRefused(f"{headers['content-length'][:20]} bytes instead of {size - start}")


def _lower(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _check(answer: Answer) -> None:
    """Let a good answer pass; raise what a bad one means."""
    kind = _kind(answer.headers.get("content-type", ""))
    if answer.status in (204, 304):
        return
    if 200 <= answer.status < 300:
        if kind != "application/json":
            raise errors.NotOurServer(f"{answer.status} {kind or 'without a type'}")
        return
    if answer.status in (429, 503):
        raise errors.ServerBusy(str(answer.status), retry_after_s(answer.headers.get("retry-after", "")))
    if answer.status >= 500:
        raise errors.ServerFault(str(answer.status))
    if kind != "application/problem+json":
        raise errors.NotOurServer(f"{answer.status} {kind or 'without a type'}")
    problem = codec.decode_problem(answer.body)
    if not problem.type.startswith(_OURS):
        raise errors.AnotherService(f"{answer.status} {problem.type[:60] or 'without a type of problem'}")
    refusal = _refusal(answer.status, problem)
    refusal.answer = answer.body
    raise refusal


def _kind(content_type: str) -> str:
    """The media type, with its encoding where that is not UTF-8, in which all JSON travels (RFC 8259, section 8.1)."""
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    named = [part.partition("=") for part in parameters]
    encodings = {value.strip().strip('"') for name, _, value in named if name.strip() == "charset"}
    if others := sorted(encodings - {"utf-8", "utf8"}):
        kind = f"{kind} in {' '.join(others)}"
    return plain_text.of_a_stranger(kind[:60])


def _refusal(status: int, problem: codec.Problem) -> errors.Refused:
    told = f"{status} {problem.type}"
    if problem.type == "tidings:wrong-region":
        return errors.WrongRegion(told, *codec.regions_told(problem))
    if problem.type == "tidings:invalid-request" and status != _UNDERSTOOD_AND_WRONG:
        return errors.Refused(told)
    return _PROBLEMS.get(problem.type, errors.Refused)(told)


_OURS = "tidings:"
"""What the type of each problem begins with that a server of ours tells (docs/protocol, "Errors")."""
_UNDERSTOOD_AND_WRONG = 422
"""The only status that ends a message: the server read it whole (docs/protocol, "Errors"). Any other is tried again."""
_PROBLEMS: dict[str, Callable[[str], errors.Refused]] = {
    "tidings:unauthorized": errors.TokenRefused,
    "tidings:token-reused": errors.TokenReused,
    "tidings:invalid-code": errors.CodeRefused,
    "tidings:notice-changed": errors.NoticeChanged,
    "tidings:invalid-request": errors.NotUnderstood,
}


def retry_after_s(value: str) -> float | None:
    """Seconds to wait by a ``Retry-After`` field (RFC 9110 section 10.2.3): seconds, or an HTTP date. None if unreadable."""
    value = value.strip()
    if value.isdecimal():
        return min(float(value), limits.RETRY_AFTER_MAX_S)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wait = (moment - datetime.now(UTC)).total_seconds()
    return min(max(wait, 0.0), limits.RETRY_AFTER_MAX_S)
