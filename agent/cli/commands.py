"""What each command does. Imported only when a command runs, so that helpers and windows start without it."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial

import msgspec
from msgspec.structs import replace

from agent.campaigns import hold_reasons
from agent.cli import diagnostics, doctor, privacy
from agent.cli.doctor import Check
from agent.domain import errors, limits
from agent.domain.labels import SIGNALS
from agent.domain.model import (
    ConnectionState,
    FeedbackSignal,
    HoldReason,
    PresenceState,
    SignalChoice,
    Status,
    Trouble,
)
from agent.domain.msgspec_warmup import decode_json
from agent.enrolment import left_entry
from agent.enrolment.device_token import DeviceToken
from agent.enrolment.left_entry import KeychainEntryStays, LeftEntry
from agent.enrolment.service import NotForgotten
from agent.ipc import calls, channel, running_instance, starting
from agent.ipc.instance_lock import InstanceLock, LockLost, refuse_elsewhere
from agent.runtime import Runtime
from agent.system.clock import SystemClock
from agent.system.dirs import Folders
from agent.system.folder_removal import NotAllRemoved, Removal
from agent.system.keychain import ProcessKeychain
from resources import i18n
from resources.i18n import _, ngettext

log = logging.getLogger(__name__)

Checks = Iterable[Callable[[], Check]]

HELD_LISTED = 10


def run_headless(options: argparse.Namespace, checks: Checks) -> int:
    """Receive and send until a signal ends it."""
    folders = Folders.standard()
    lock = starting.lock(folders)
    assert lock is not None, "nobody is asked to show anything"
    with _signals() as (told_to_end, end):
        lock.when_lost = end
        runtime = Runtime.open(folders, lock=lock)
        answering = channel.Channel(
            lock, partial(calls.answer, lambda: runtime, data=running_instance.data_mark(folders.data))
        )
        try:
            runtime.start()
            told_to_end.recv(1)
        finally:
            answering.close()
            runtime.stop()
            lock.release()
    if lock.is_lost:
        raise LockLost
    return 0


@contextmanager
def _signals() -> Iterator[tuple[socket.socket, Callable[[], None]]]:
    """What can be read once a signal has asked for the end, and how to ask for it from a thread.

    A wait for an Event would miss a signal that comes just before it begins: a byte in a socket stays.
    """
    reading, writing = socket.socketpair()

    def end() -> None:
        writing.send(b"\0")

    with reading, writing:
        writing.setblocking(False)
        signal.set_wakeup_fd(writing.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        try:
            yield reading, end
        finally:
            signal.set_wakeup_fd(-1)


def enrol(options: argparse.Namespace, checks: Checks) -> int:
    """Connects this computer with an invitation code, read from standard input where it is `-`.

    Raises as `Runtime.enrol`.
    """
    code = sys.stdin.readline() if options.code == "-" else options.code
    with _Opened() as runtime:
        runtime.enrol(options.url, code, keep=True)
        status = runtime.status()
    _say(_("Connected to {company} as {email}.").format(company=_company(status), email=_email(status)))
    _say(_("Nothing is shared until you choose so."))
    _say_troubles(status)
    return 0


def once(options: argparse.Namespace, checks: Checks) -> int:
    """Polls once, now, and says how many announcements there are. Raises as `Runtime.sync_once`."""
    with _Opened() as runtime:
        runtime.sync_once()
        status, items = runtime.status(), runtime.inbox()
    count = len(items)
    _say(
        ngettext("{n} announcement, {u} unread", "{n} announcements, {u} unread", count).format(
            n=count, u=status.unread
        )
    )
    return 0


def show_status(options: argparse.Namespace, checks: Checks) -> int:
    """Says the connection, what is shared, and what is held back with the reason; never polls."""
    folders = Folders.standard()
    runtime = _looked_into(folders)
    try:
        status, choices, held = runtime.status(), runtime.choices(), list(_held(runtime))
    finally:
        runtime.stop()
    if (silent := _silent(folders)) is not None:
        status = replace(status, troubles=(silent, *status.troubles))
    if options.json:
        _say(msgspec.json.encode({"status": status, "shared": _shared(choices), "held": held}).decode())
        return 0
    connected = status.connection is not ConnectionState.NOT_CONNECTED
    _say(
        _("Not connected to a company")
        if not connected
        else f"{_company(status)} · {_email(status)} · {status.server_url}"
    )
    if connected:
        last = (
            status.last_check.astimezone().strftime("%Y-%m-%d %H:%M:%S") if status.last_check else _("never")
        )
        _say(_("Last check: {moment}").format(moment=last))
        _say(_("Unread: {n}").format(n=status.unread))
        _say(_("Waiting to be sent: {n}").format(n=status.waiting))
        names = [SIGNALS[signal]() for signal, on in _shared(choices).items() if on]
        _say(_("Shared: {signals}").format(signals=", ".join(names) or _("nothing")))
        for trouble in status.troubles:
            _say(f"{_MARKS['warning']} {trouble.title}. {trouble.message}")
        _say_held(held)
    _say_troubles(status)
    return 0


def _silent(folders: Folders) -> Trouble | None:
    """That an agent runs here and takes no question; None where none runs, or it answers."""
    if channel.is_answering(folders, limits.CONTROL_SOON_S):
        return None
    try:
        InstanceLock(folders).release()
    except errors.AlreadyRunning as running:
        fault = errors.TakesNoQuestion(running.where)
        return Trouble(type(fault).__name__, fault.title, fault.message)
    except errors.EnvironmentFault as error:
        log.info("Nobody knows whether an agent runs: %s", error.detail)
    return None


def _looked_into(folders: Folders) -> Runtime:
    """A runtime that disturbs no agent. Where none runs, a damaged store is repaired, as at each start.

    Raises StoreDamaged while another agent repairs it, StoreTooNew, DiskFault; AlreadyRunning on another computer.
    """
    refuse_elsewhere(folders)
    try:
        return Runtime.open(folders, owner=False)
    except errors.StoreDamaged:
        try:
            lock = InstanceLock(folders)
        except errors.AlreadyRunning:
            log.info("The agent that runs repairs the store.")
            raise
        try:
            Runtime.open(folders).stop()
        finally:
            lock.release()
        return Runtime.open(folders, owner=False)


def _say_troubles(status: Status) -> None:
    for trouble in status.troubles:
        sys.stderr.write(f"{trouble.title}. {trouble.message}\n")


class _Held(msgspec.Struct, frozen=True):
    """A campaign that waits for its pop-up."""

    campaign_id: str
    title: str
    reason: HoldReason
    until: datetime | None


def _held(runtime: Runtime) -> Iterator[_Held]:
    """What still comes, and why not now, as far as that can be known without the desktop."""
    found = runtime.select(PresenceState())
    for item in runtime.inbox():
        campaign = item.campaign
        reason = found.held.get(campaign.campaign_id)
        if reason is not None and hold_reasons.waits(reason):
            title = campaign.variant(i18n.language()).title
            yield _Held(campaign.campaign_id, title, reason, found.until.get(campaign.campaign_id))


def _say_held(held: Sequence[_Held]) -> None:
    if not held:
        return
    _say(_("Held: {n}").format(n=len(held)))
    now = SystemClock().now()
    for each in held[:HELD_LISTED]:
        until = hold_reasons.clock_text(each.until, now) if each.until else ""
        _say(f"  {' '.join(each.title.split())} — {hold_reasons.sentence(each.reason, until)}")
    if len(held) > HELD_LISTED:
        _say(_("… and {n} more").format(n=len(held) - HELD_LISTED))


def examine(options: argparse.Namespace, checks: Checks) -> int:
    """Says what doctor finds; exit code 1 if a check found a fault."""
    if options.diagnostics:
        return _say_diagnostics()
    found = []
    for check in doctor.examine(Folders.standard(), checks):
        found.append(check)
        if not options.json:
            _say(f"{_MARKS[check.verdict]} {check.name:<10} {check.result}")
    if options.json:
        _say(msgspec.json.encode(found).decode())
    return 1 if any(check.verdict == "fault" for check in found) else 0


def _say_diagnostics() -> int:
    folders = Folders.standard()
    runtime = _looked_into(folders)
    try:
        kept, status = runtime.preferences, runtime.status()
        effective, locked = kept.effective(), kept.locked()
    finally:
        runtime.stop()
    running = _running_status(folders)
    sys.stdout.write(
        diagnostics.report(
            running or status,
            effective,
            locked,
            language=i18n.language(),
            running=running is not None,
            now=SystemClock().now(),
        )
    )
    return 0


def _running_status(folders: Folders) -> Status | None:
    """What the agent says that runs, None where none does."""
    try:
        InstanceLock(folders).release()
    except errors.AlreadyRunning:
        question = msgspec.json.encode(calls.Call("show", data=running_instance.data_mark(folders.data)))
        reply = calls.result(channel.ask_agent(folders, question))
        return decode_json(reply, calls.Shown).status
    return None


def purge(options: argparse.Namespace, checks: Checks) -> int:
    """Disconnect, then delete every folder of ours."""
    folders = Folders.standard()
    if not options.yes:
        sys.stderr.write(
            _("This disconnects the computer and deletes your announcements here. Type “yes” to go on: ")
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in (_("yes"), "yes"):
            _say(_("Nothing was deleted."))
            return 1
    lock = InstanceLock(folders)
    left = _disconnect(folders)
    logging.shutdown()
    removal = Removal()
    for each in removal.listed(folders.data):
        if each.name not in lock.files:
            removal.of(each)
    lock.release(remove=True)
    for folder in (folders.data, folders.cache, folders.logs, folders.runtime, *folders.other_runtimes):
        removal.of(folder)
    if folders.logs.parent.name == "tidings":  # XDG: ~/.local/state/tidings/log
        with suppress(OSError):
            folders.logs.parent.rmdir()
    _raise_what_stays(folders, removal, left)
    _say(_("Everything of Tidings was deleted for this user."))
    return 0


def _raise_what_stays(folders: Folders, removal: Removal, left: LeftEntry | None) -> None:
    """Say all of it. Raises DiskFault, NotAllRemoved, KeychainEntryStays."""
    faults: list[errors.TidingsError] = []
    if removal.faults:
        faults.append(errors.DiskFault(f"purge: {removal.faults[0]}"))
    elif removal.left:
        faults.append(NotAllRemoved(removal.left))
    if left is not None:
        left_entry.keep(folders.data, left)
        faults.append(KeychainEntryStays(left))
    for fault in faults[1:]:
        sys.stderr.write(f"{fault.title}. {fault.message}\n")
    if faults:
        raise faults[0]


def _disconnect(folders: Folders) -> LeftEntry | None:
    """As well as that can be done: data that cannot be read or changed is deleted all the same.

    Returns what the keychain did not delete.
    """
    keychain = ProcessKeychain(limits.KEYCHAIN_COMMAND_PATIENCE_S)
    heard = False
    try:
        runtime = Runtime.open(folders, secrets=keychain, store_needed=False)
        try:
            heard = runtime.disconnect()
        except NotForgotten as error:
            log.info("It is deleted with its file: %s", error.detail)
            heard = error.heard
        except KeychainEntryStays as error:
            heard = error.left.heard
        finally:
            runtime.stop()
        left = runtime.left_entry
    except errors.EnvironmentFault as error:
        log.warning("The computer could not be disconnected in good order: %s", error.detail)
        token = DeviceToken(keychain, folders.data, SystemClock())
        token.delete(heard=False)
        left = token.left
    if not heard:
        sys.stderr.write(_("The server could not be told: what you shared stays there.") + "\n")
    return left


COMMANDS: dict[str, Callable[[argparse.Namespace, Checks], int]] = {
    "run": run_headless,
    "enrol": enrol,
    "once": once,
    "status": show_status,
    "doctor": examine,
    "purge": purge,
    "privacy": privacy.privacy,
    "receipt": privacy.receipt,
}

_MARKS = {"ok": "✓", "warning": "!", "fault": "✗"}


class _Opened:
    """A runtime of one's own, while no other agent runs."""

    def __enter__(self) -> Runtime:
        folders = Folders.standard()
        self._lock = InstanceLock(folders)
        self._runtime = Runtime.open(folders, secrets=ProcessKeychain(limits.KEYCHAIN_COMMAND_PATIENCE_S))
        return self._runtime

    def __exit__(self, *exception: object) -> None:
        self._runtime.stop()
        self._lock.release()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _company(status: Status) -> str:
    return status.company.name if status.company else ""


def _email(status: Status) -> str:
    return status.person.shown_address if status.person else ""


def _shared(choices: Iterable[SignalChoice]) -> dict[FeedbackSignal, bool]:
    return {choice.signal: choice.on for choice in choices}
