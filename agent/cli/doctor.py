"""``tidings doctor``: what an administrator asks first, with secrets left out."""

from __future__ import annotations

import email.utils
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from agent import __version__
from agent.domain import errors, limits
from agent.domain.freshness import Freshness
from agent.domain.model import ConnectionState, FeedbackSignal
from agent.domain.ports import SecretStore
from agent.ipc import calls, channel, running_instance
from agent.ipc.instance_lock import InstanceLock, refuse_elsewhere
from agent.protocol import codec
from agent.runtime import Runtime
from agent.settings import device_policy
from agent.store import damage
from agent.system import private_files
from agent.system.dirs import Folders
from agent.system.keychain import ProcessKeychain
from agent.transport import proxies
from agent.transport.http_client import ApiClient
from resources.i18n import _

log = logging.getLogger(__name__)

LOW_DISK_BYTES = 200 * 1024 * 1024
CLOCK_SKEW_S = 300
_ANY_SERVER = "https://example.com"


class Check(Struct, frozen=True):
    """``result`` is a sentence for people."""

    name: str
    verdict: Literal["ok", "warning", "fault"]
    result: str


def examine(
    folders: Folders, extra: Iterable[Callable[[], Check]] = (), *, secrets: SecretStore | None = None
) -> Iterator[Check]:
    """All checks, one after the other; a fault in one does not end the others."""
    yield Check("version", "ok", f"Tidings {__version__}, Python {sys.version.split()[0]}, {sys.platform}")
    yield _disk(folders)
    yield _keychain(secrets or ProcessKeychain(limits.KEYCHAIN_COMMAND_PATIENCE_S))
    yield _policy(folders)
    yield from _connection(folders)
    for check in extra:
        yield check()


def _disk(folders: Folders) -> Check:
    try:
        folders.make()
        free = shutil.disk_usage(folders.data).free
        probe = folders.data / f".doctor-{os.getpid()}"
        private_files.write(probe, b"x")
        probe.unlink()
        closed = [path for path in sorted(folders.data.iterdir()) if _is_closed(path)]
    except OSError as error:
        return Check("disk", "fault", _("The data folder cannot be written: {error}").format(error=error))
    if closed:
        return Check(
            "disk",
            "fault",
            _(
                "{file} cannot be read and written: it belongs to another user, or is read-only. Make it yours again, or "
                "ask your administrator"
            ).format(file=", ".join(map(_shown, closed))),
        )
    verdict: Literal["ok", "warning"] = "ok" if free > LOW_DISK_BYTES else "warning"
    return Check(
        "disk",
        verdict,
        _("{free} MB are free for {folder}").format(free=free // 2**20, folder=_shown(folders.data)),
    )


def _is_closed(path: Path) -> bool:
    """Whether something there is no file of ours to work with. What just went is none."""
    return path.exists() and not (path.is_file() and os.access(path, os.R_OK | os.W_OK))


def _shown(path: Path) -> str:
    """A name for people to read, also where it is not UTF-8."""
    return os.fsencode(path).decode(errors="replace")


def _keychain(secrets: SecretStore) -> Check:
    try:
        secrets.look()
    except errors.KeychainUnavailable as error:
        return Check("keychain", "warning", f"{error.title}: {error.message}")
    except errors.EnvironmentFault as error:
        return Check("keychain", "fault", error.detail)
    return Check("keychain", "ok", _("The system's keychain answers"))


def _proxy(server_url: str) -> Check:
    """Of the environment or the desktop, for an address like the server's."""
    url = server_url or _ANY_SERVER
    ways = proxies.ways_to(url)
    if unread := _unread(ways):
        return Check("proxy", "warning", unread)
    if not ways.proxies:
        fault = proxies.fault_of(ways.unsupported[0])
        return Check("proxy", "fault", f"{fault.title}: {fault.message}")
    if ways.origin == "exempt":
        return Check(
            "proxy", "ok", _("No proxy is used for {server}: NO_PROXY exempts it").format(server=url)
        )
    if ways.proxies == (proxies.DIRECT,):
        return Check("proxy", "ok", _("No proxy is used"))
    named = _(", then ").join(proxies.shown(each) if each else _("without a proxy") for each in ways.proxies)
    if ways.unsupported:
        left_out = ", ".join(map(proxies.shown, ways.unsupported))
        named = _("{proxy} (not {other}, which Tidings cannot use)").format(proxy=named, other=left_out)
    return Check("proxy", "ok", _said_by(ways).format(proxy=named))


def _unread(ways: proxies.Ways) -> str:
    if ways.origin == "missing":
        return _("The desktop's proxy settings cannot be read: install libproxy, or set HTTPS_PROXY")
    if ways.origin == "unknown":
        return _(
            "The desktop's proxy settings give no answer, so no proxy is used. Is the automatic configuration file (PAC) at "
            "fault? Correct it, or set HTTPS_PROXY"
        )
    return ""


def _said_by(ways: proxies.Ways) -> str:
    if ways.origin == "desktop":
        return _("{proxy}, by the desktop's settings")
    if ways.origin == "system":
        return _("{proxy}, by the system's settings")
    return _("{proxy}, by the environment's variables")


def _policy(folders: Folders) -> Check:
    found = device_policy.read(folders.policy)
    if found.fault is not None:
        return Check("policy", "fault", f"{found.fault.title}: {found.fault.message}")
    if not found.found:
        return Check("policy", "ok", _("No policy is set on this computer"))
    off = ", ".join(sorted(set(FeedbackSignal) - found.signals)) or _("nothing")
    fixed = ", ".join(sorted(found.locked)) or _("nothing")
    return Check(
        "policy",
        "ok",
        _("{path} turns off: {signals}; fixes: {settings}").format(
            path=folders.policy, signals=off, settings=fixed
        ),
    )


def _connection(folders: Folders) -> Iterator[Check]:
    try:
        refuse_elsewhere(folders)
        runtime = Runtime.open(folders, owner=False)
    except errors.TidingsError as error:
        yield Check("store", "fault", f"{error.title}: {error.message}")
        return
    try:
        yield _store(folders)
        yield _agent(folders)
        status = runtime.status()
        yield _proxy(status.server_url)
        if status.connection is ConnectionState.NOT_CONNECTED:
            yield Check("server", "warning", _("Not connected to a company"))
            return
        yield from _server(status.server_url)
        fresh = runtime.freshness()
        yield _confirmation(fresh, was_asked=fresh.answered is not None or status.last_check is not None)
        yield _keys(runtime.campaign_keys())
    finally:
        runtime.stop()


def _store(folders: Folders) -> Check:
    fault = damage.told(folders.data, datetime.now(UTC))
    if fault is None:
        return Check("store", "ok", _("The store is whole"))
    return Check("store", "warning", f"{fault.title}: {fault.message}")


def _agent(folders: Folders) -> Check:
    """Whether one runs, and answers."""
    question = msgspec.json.encode(calls.Call("show", data=running_instance.data_mark(folders.data)))
    try:
        calls.result(channel.ask_agent(folders, question))
    except (errors.AlreadyRunning, errors.NoAnswer) as error:
        log.info("The agent: %s", error.detail)
    except calls.Failed as error:
        return Check("agent", "fault", f"{error.title}: {error.message}")
    else:
        return Check("agent", "ok", _("Tidings runs and answers"))
    try:
        InstanceLock(folders).release()
    except errors.DiskFault as error:
        return Check("agent", "fault", f"{error.title}: {error.message}")
    except errors.AlreadyRunning as running:
        return Check(
            "agent",
            "fault",
            _("{place} It does not answer: end that process, then start Tidings again").format(
                place=running.where
            ),
        )
    return Check("agent", "ok", _("Tidings does not run now"))


def _confirmation(fresh: Freshness, *, was_asked: bool) -> Check:
    """Whether the server confirms that nothing is missing."""
    if (trouble := fresh.trouble()) is not None:
        return Check("freshness", "fault", f"{trouble.title}. {trouble.message}")
    if not fresh.issued and not was_asked:
        return Check(
            "freshness",
            "ok",
            _("The server is asked with the first check for announcements, which is to come"),
        )
    if not fresh.issued:
        return Check(
            "freshness",
            "warning",
            _("The server does not confirm what is assigned to you: it is of an older version"),
        )
    moment = datetime.fromtimestamp(fresh.issued, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    return Check(
        "freshness", "ok", _("The server confirmed on {moment} that nothing is missing").format(moment=moment)
    )


def _keys(kids: tuple[str, ...]) -> Check:
    """What a person compares after the company's keys were replaced."""
    return Check("keys", "ok", _("Announcements are signed with the key {key}").format(key=", ".join(kids)))


def _server(url: str) -> Iterator[Check]:
    client = ApiClient(url)
    try:
        answer = client.request("GET", codec.HEALTH_PATH)
    except errors.TidingsError as error:
        yield Check("server", "fault", f"{url}: {error.title}. {error.message} ({error.detail})")
        return
    finally:
        client.close()
    yield Check("server", "ok", _("{url} answers").format(url=url))
    yield _clock(answer.headers.get("date", ""))


def _clock(server_date: str) -> Check:
    try:
        moment = email.utils.parsedate_to_datetime(server_date)
    except (ValueError, OverflowError):
        return Check("clock", "warning", _("The server does not say what time it is"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    skew = abs((datetime.now(UTC) - moment).total_seconds())
    if skew > CLOCK_SKEW_S:
        return Check(
            "clock",
            "warning",
            _("This computer's clock differs from the server's by {s} s").format(s=round(skew)),
        )
    return Check("clock", "ok", _("The clock agrees with the server's"))
