"""Which proxies lead to an address, by the settings of the person's desktop.

The environment's variables win; on Windows and macOS the system's settings come next. On Linux the settings of GNOME and
KDE, and their automatic configuration files (PAC), are libproxy's business: it is asked in a short-lived helper process,
because such a file is a program whose interpreter is large.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from agent.domain import errors, limits
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.system import subprocesses
from agent.transport import no_proxy
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
_KINDS = frozenset({"http", "https"})
_HOST = re.compile(r"[^\s\x00-\x1f\x7f\\<>\"^`{|}]+")
_SHOWN = 200
DIRECT = ""
"""The way without a proxy."""


class ProxyReply(Struct, frozen=True):
    """Addresses of proxies in the order to be tried, ``direct://`` for none. ``fault``: why they could not be found."""

    proxies: tuple[str, ...] = ()
    fault: Literal["", "missing"] = ""


class Ways(Struct, frozen=True):
    """Which proxies lead to an address.

    ``proxies``: in the order to be tried. ``origin``: who said so, or that nobody could: what would ask is ``missing``, or
    gave no answer (``unknown``). ``unsupported``: named too, of other kinds.
    """

    proxies: tuple[str, ...] = (DIRECT,)
    origin: Literal["none", "environment", "exempt", "system", "desktop", "missing", "unknown"] = "none"
    unsupported: tuple[str, ...] = ()

    def in_order(self) -> tuple[str, ...]:
        """Those that led nowhere a short while ago come last. Raises ProxyUnsupported where there is none."""
        if not self.proxies:
            raise fault_of(self.unsupported[0])
        now = time.monotonic()
        return tuple(sorted(self.proxies, key=lambda proxy: _dead.get(proxy, now) > now))


def shown(proxy: str) -> str:
    """A proxy's address without a name and password; also one that is written wrong."""
    kind, _slashes, rest = proxy.partition("://")
    address = rest.rpartition("@")[2].split("/")[0]
    whole = f"{kind}://{address}" if kind.isalnum() else address
    return "".join(character if character.isprintable() else "·" for character in whole)[:_SHOWN]


class ProxyFault(errors.ServerUnreachable):
    """``proxy``: its address, as far as it may be shown."""

    sent = False

    def __init__(self, detail: str = "", proxy: str = "") -> None:
        super().__init__(detail)
        self._proxy = proxy


class ProxyUnreachable(ProxyFault):
    """The proxy of the network settings cannot be reached, or refuses."""

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


class ProxyUnsupported(ProxyFault):
    """The network settings name a SOCKS proxy, which Tidings does not speak."""

    @property
    def title(self) -> str:
        return _("Tidings cannot use this kind of proxy")

    @property
    def message(self) -> str:
        return _(
            "This computer's network settings lead through {proxy}, a SOCKS proxy. Set an HTTP proxy instead, or exempt "
            "your company's server: in the network settings, or with the variables HTTPS_PROXY and NO_PROXY."
        ).format(proxy=self._proxy)


class ProxyMiswritten(ProxyUnsupported):
    """Settings that name no address of a proxy."""

    @property
    def title(self) -> str:
        return _("The address of the proxy is wrong")

    @property
    def message(self) -> str:
        return _(
            "This computer's network settings lead through “{proxy}”, which is no address of an HTTP proxy. Correct it to "
            "the form http://proxy.example.com:3128: in the network settings, or in the variables HTTPS_PROXY and ALL_PROXY."
        ).format(proxy=self._proxy)


def fault_of(proxy: str) -> ProxyUnsupported:
    """The fault of settings that name nothing but this."""
    kind = ProxyUnsupported if proxy.lower().startswith("socks") else ProxyMiswritten
    return kind("only proxies that are not supported", shown(proxy))


_lock = threading.Lock()
_known: dict[str, tuple[float, Ways]] = {}
_dead: dict[str, float] = {}
"""Until when a way is tried last."""


def ways_to(url: str) -> Ways:
    """The proxies for an address; remembered for ``limits.PROXY_MEMORY_S``. Waits for a helper process."""
    if found := _of_environment(url) or _of_system(url):
        return found
    if sys.platform != "linux" or not any(os.environ.get(name) for name in _DESKTOP_VARIABLES):
        return Ways()
    with _lock:
        until, ways = _known.get(url, (0.0, Ways()))
        if time.monotonic() < until:
            return ways
        ways = _ask(url)
        _known[url] = (time.monotonic() + limits.PROXY_MEMORY_S, ways)
        return ways


def forget() -> None:
    """The network may be another one now."""
    with _lock:
        _known.clear()


def leads_nowhere(proxy: str) -> None:
    """Try this way last for ``limits.PROXY_DEAD_S``, as browsers do."""
    _dead[proxy] = time.monotonic() + limits.PROXY_DEAD_S


def forget_dead() -> None:
    """Every way is as good as another again."""
    _dead.clear()


def _of_environment(url: str) -> Ways | None:
    """By its variables. One that only exempts servers says nothing of the others."""
    found = urllib.request.getproxies_environment()
    if no_proxy.exempts(found.get("no", ""), url):
        return Ways(origin="exempt")
    proxy = found.get(urlsplit(url).scheme, "").strip() or found.get("all", "").strip()
    return _ways([proxy], "environment") if proxy else None


def _of_system(url: str) -> Ways | None:
    """By the settings of Windows or macOS."""
    name = {"win32": "registry", "darwin": "macosx_sysconf"}.get(sys.platform)
    if name is None:
        return None
    found: dict[str, str] = getattr(urllib.request, f"getproxies_{name}")()
    parts = urlsplit(url)
    proxy = found.get(parts.scheme) or found.get("all")
    exempt = getattr(urllib.request, f"proxy_bypass_{name}")(parts.netloc)
    return _ways([proxy], "system") if proxy and not exempt else None


def _ways(named: Iterable[str], origin: Literal["environment", "system", "desktop"]) -> Ways:
    """Proxies as settings name them: without a kind they are HTTP proxies."""
    proxies, unsupported = [], []
    for each in named:
        proxy = each if "://" in each else f"http://{each}"
        if proxy.lower().startswith("direct:"):
            proxies.append(DIRECT)
        elif _is_http(proxy):
            proxies.append(proxy)
        else:
            unsupported.append(proxy)
    return Ways(tuple(dict.fromkeys(proxies)), origin, tuple(unsupported))


def _is_http(proxy: str) -> bool:
    """Whether it is the address of an HTTP proxy: settings are written by hand."""
    try:
        parts = urlsplit(proxy)
        port = parts.port
    except ValueError:  # What urllib says of brackets and of ports that are none.
        return False
    return parts.scheme in _KINDS and port != 0 and _HOST.fullmatch(parts.hostname or "") is not None


def _ask(url: str) -> Ways:
    try:
        answer = subprocesses.ask("proxies", url.encode(), timeout_s=limits.PROXY_TIMEOUT_S)
        reply = decode_json(answer, ProxyReply)
    except (errors.EnvironmentFault, subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        log.warning("The desktop's proxy settings could not be read: %s", type(error).__name__)
        return Ways(origin="unknown")
    if reply.fault:
        log.info("%s is not installed: only the environment's proxy variables count.", LIBRARY)
        return Ways(origin="missing")
    return _ways(reply.proxies or ("direct://",), "desktop")


def answer(question: bytes) -> bytes:
    """What the helper process does."""
    return msgspec.json.encode(_answer(question))


def _answer(url: bytes) -> ProxyReply:
    """What libproxy says over its C interface, as of 0.4.16 (``proxy.h``)."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return ProxyReply(fault="missing")
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
    return ProxyReply(tuple(proxies))


resolve(ProxyReply)
