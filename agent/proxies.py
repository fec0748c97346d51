"""Which proxy leads to an address, by the settings of the person's desktop.

The environment's variables win, and on Windows and macOS requests reads the system's settings by itself. On Linux the
settings of GNOME and KDE, and their automatic configuration files (PAC), are libproxy's business: it is asked in a
short-lived helper process, because such a file is a program whose interpreter is large.
"""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from agent import errors, policy, processes
from agent.decoding import decode_json, resolve
from resources.i18n import _

log = logging.getLogger(__name__)

LIBRARY = "libproxy.so.1"
_DESKTOP_VARIABLES = (
    "XDG_CURRENT_DESKTOP",
    "DESKTOP_SESSION",
    "GNOME_DESKTOP_SESSION_ID",
    "KDE_FULL_SESSION",
)
_GNOMES = frozenset({"GNOME", "UNITY", "BUDGIE", "X-CINNAMON"})
_ENVIRONMENT = frozenset({"http", "https", "all", "no"})


class Reply(Struct, frozen=True):
    """Addresses of proxies in the order to be tried, ``direct://`` for none. ``fault``: why they could not be found."""

    proxies: tuple[str, ...] = ()
    fault: Literal["", "missing"] = ""


class Way(Struct, frozen=True):
    """``proxy``: empty for a direct way. ``origin``: who said so."""

    proxy: str = ""
    origin: Literal["none", "environment", "system", "desktop", "unknown"] = "none"

    @property
    def shown(self) -> str:
        """Without a name and password."""
        parts = urlsplit(self.proxy)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}" if self.proxy else ""


class ProxyUnreachable(errors.ServerUnreachable):
    """``proxy``: its address, as far as it may be shown."""

    sent = False

    def __init__(self, detail: str = "", proxy: str = "") -> None:
        super().__init__(detail)
        self._proxy = proxy

    @property
    def title(self) -> str:
        return _("The proxy does not let Tidings through")

    @property
    def message(self) -> str:
        return (
            _(
                "This computer's network settings lead through the proxy {proxy}, which cannot be reached or refuses. Check "
                "the network settings. Tidings keeps trying by itself."
            )
            .format(proxy=self._proxy)
            .replace("  ", " ")
        )


NO_PROXY = Way()

_lock = threading.Lock()
_known: dict[str, tuple[float, Way]] = {}


def way_to(url: str) -> Way:
    """The proxy for an address; remembered for ``policy.PROXY_MEMORY_S``. Waits for a helper process."""
    if from_environment := _of_environment(url):
        return from_environment
    if sys.platform != "linux" or not any(os.environ.get(name) for name in _DESKTOP_VARIABLES):
        return Way()
    with _lock:
        until, way = _known.get(url, (0.0, Way()))
        if time.monotonic() < until:
            return way
        way = _ask(url)
        _known[url] = (time.monotonic() + policy.PROXY_MEMORY_S, way)
        return way


def forget() -> None:
    """The network may be another one now."""
    with _lock:
        _known.clear()


def _of_environment(url: str) -> Way | None:
    """What requests finds by itself: its variables, or the settings of Windows and macOS."""
    found = urllib.request.getproxies()
    if not _ENVIRONMENT & found.keys():
        return None
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return Way(origin="environment")
    proxy = found.get(parts.scheme) or found.get("all") or ""
    return Way(proxy, "environment" if sys.platform == "linux" else "system")


def _ask(url: str) -> Way:
    try:
        answer = processes.ask("proxies", url.encode(), timeout_s=policy.PROXY_TIMEOUT_S)
        reply = decode_json(answer, Reply)
    except (errors.EnvironmentFault, subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        log.warning("The desktop's proxy settings could not be read: %s", type(error).__name__)
        return Way(origin="unknown")
    if reply.fault:
        log.info("%s is not installed: only the environment's proxy variables count.", LIBRARY)
        return Way(origin="unknown")
    for proxy in reply.proxies:
        kind = proxy.partition("://")[0]
        if kind == "direct":
            return Way(origin="desktop")
        if kind in ("http", "https"):
            return Way(proxy, "desktop")
    return Way(origin="desktop")


def answer(question: bytes) -> bytes:
    """What the helper process does."""
    return msgspec.json.encode(_answer(question))


def _answer(url: bytes) -> Reply:
    """libproxy's C interface, as of 0.4.16 (``proxy.h``)."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return Reply(fault="missing")
    if _GNOMES & set(os.environ.get("XDG_CURRENT_DESKTOP", "").upper().split(":")):
        # libproxy before 0.5 knows GNOME and its relatives by a variable that they no longer set.
        os.environ.setdefault("GNOME_DESKTOP_SESSION_ID", "this-is-deprecated")
    library.px_proxy_factory_new.restype = ctypes.c_void_p
    find = library.px_proxy_factory_get_proxies
    find.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    find.restype = ctypes.POINTER(ctypes.c_char_p)
    found = find(library.px_proxy_factory_new(), url)
    proxies: list[str] = []
    while found and (each := found[len(proxies)]) is not None:
        proxies.append(each.decode(errors="replace"))
    return Reply(tuple(proxies))


resolve(Reply)
