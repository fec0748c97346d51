"""``tidings privacy`` and ``tidings receipt``: the privacy window for the keyboard and for scripts.

While an agent runs, it is asked and it acts, so that what is turned off here is off there before this ends. Otherwise
the store is opened just for this.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.cli import privacy_arguments
from agent.consent import by_record
from agent.consent.choice_errors import EndedWaiting, NotRecorded, OnlyRecorded
from agent.consent.record_file import ConsentFile
from agent.domain import errors, limits
from agent.domain.labels import DETAILS, KINDS, OUTCOMES, REGIONS, SIGNALS, STATUSES
from agent.domain.model import Company, ConnectionState, FeedbackSignal, SignalChoice
from agent.domain.msgspec_warmup import decode_json
from agent.domain.my_data_models import (
    Comparison,
    Copy,
    Corrected,
    DetailName,
    DetailValue,
    KeptReceipt,
    SentItem,
)
from agent.ipc import calls, channel, running_instance
from agent.ipc.calls import Call, Shown
from agent.ipc.instance_lock import InstanceLock
from agent.protocol import codec
from agent.runtime import Runtime
from agent.system import private_files
from agent.system.clock import SystemClock
from agent.system.dirs import Folders
from agent.system.keychain import ProcessKeychain
from agent.verification import receipts
from agent.verification.verifier import ProcessVerifier
from resources import i18n
from resources.i18n import _, ngettext

T = TypeVar("T")


def privacy(options: argparse.Namespace, checks: object) -> int:
    """One of the acts of ``tidings privacy``. Returns the exit code."""
    return _PRIVACY[options.act](options)


def receipt(options: argparse.Namespace, checks: object) -> int:
    """One of the acts of ``tidings receipt``. Returns the exit code."""
    return _RECEIPT[options.act](options)


def _ask(call: Call, type: type[T]) -> T:
    """Ask the agent that runs, or one opened for this.

    Raises Failed with its words, EnvironmentFault where these make no sense, AlreadyRunning, NoAnswer, DiskFault.
    """
    folders = Folders.standard()
    try:
        lock = InstanceLock(folders)
    except errors.AlreadyRunning:
        named = msgspec.structs.replace(call, data=running_instance.data_mark(folders.data))
        reply = channel.ask_agent(folders, msgspec.json.encode(named))
    else:
        try:
            reply = _alone(folders, call)
        finally:
            lock.release()
    try:
        return decode_json(calls.result(reply), type)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise errors.EnvironmentFault("an answer of another version") from error


def _decided(call: Call, off: Collection[FeedbackSignal]) -> Shown:
    """Ask, and see that what is turned off is off on record: what answers need not be the agent, and it need not answer.

    It is written down also where it is off on record: what was asked for before, and given up, may still be done.

    Raises as `_ask`; OnlyRecorded where it was written down without the agent, EndedWaiting where the person ended the wait,
    NotRecorded where not even that was possible.
    """
    folders = Folders.standard()
    notes = (folders.runtime, *folders.other_runtimes)
    unheard: errors.TidingsError | None = None
    file = ConsentFile(folders.data / "consent.record", notes)
    if any(call.choices.values()):
        call = msgspec.structs.replace(call, since=file.last_chosen())
    try:
        shown = _waited_for(call)
    except errors.TidingsError as error:  # whoever said so need not be the agent
        if isinstance(error, errors.AlreadyRunning) and error.host:
            raise
        unheard = error
    still_given = by_record.given(file, off)
    try:
        if still_given or unheard is not None:
            by_record.withdraw(file, off, SystemClock(), i18n.language())
    except NotRecorded:
        if still_given:
            raise
    if isinstance(unheard, EndedWaiting):
        raise unheard
    if still_given or (off and isinstance(unheard, errors.AlreadyRunning | errors.NoAnswer)):
        raise OnlyRecorded("the agent that runs did not turn it off") from unheard
    if unheard is not None:
        raise unheard
    return shown


def _waited_for(call: Call) -> Shown:
    """Raises as `_ask`; EndedWaiting where the person does not wait any longer, or the session ends."""
    try:
        with _ended_by_signals():
            return _ask(call, Shown)
    except KeyboardInterrupt as error:
        raise EndedWaiting("interrupted") from error


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP are what Ctrl-C is; one that is ignored stays so (nohup)."""
    named = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    numbers = [each for each in named if each is not None and signal.getsignal(each) is signal.SIG_DFL]
    for each in numbers:
        signal.signal(each, signal.default_int_handler)
    try:
        yield
    finally:
        for each in numbers:
            signal.signal(each, signal.SIG_DFL)


def _alone(folders: Folders, call: Call) -> bytes:
    runtime = Runtime.open(
        folders,
        secrets=ProcessKeychain(limits.KEYCHAIN_COMMAND_PATIENCE_S),
        store_needed=call.name not in calls.WITHOUT_STORE,
    )
    try:
        return calls.answer(lambda: runtime, msgspec.json.encode(call), send=runtime.send_once)
    finally:
        runtime.stop()


def _show(options: argparse.Namespace) -> int:
    shown = _ask(Call("show"), Shown)
    if options.json:
        company = shown.status.company
        _say(
            msgspec.json.encode(
                {
                    "shared": {choice.signal: choice.on for choice in shown.choices},
                    "choices": shown.choices,
                    "company": company,
                    "waiting": shown.status.waiting,
                }
            ).decode()
        )
        return 0
    if shown.status.company is None:
        if shown.status.connection is ConnectionState.NOT_CONNECTED:
            _say(_("Not connected to a company"))
        for trouble in shown.status.troubles:
            sys.stderr.write(f"{trouble.title}. {trouble.message}\n")
        return 0
    _say_choices(shown)
    _say_company(shown.status.company)
    _say_unreadable(shown)
    return 0


def _say_unreadable(shown: Shown) -> None:
    for each in shown.status.troubles:
        if each.code == errors.StoreUnreadable.__name__:
            sys.stderr.write(f"{each.title}. {each.message}\n")


def _say_choices(shown: Shown) -> None:
    is_connected = shown.status.company is not None
    for choice in shown.choices:
        _say(_named(SIGNALS[choice.signal](), _state(choice) if is_connected else _("off")))
    if shown.later:
        sys.stderr.write(shown.later + "\n")


def _state(choice: SignalChoice) -> str:
    if choice.locked:
        return _("turned off by your organisation")
    return _("on") if choice.on else _("off")


def _say_company(company: Company) -> None:
    _say(
        _("{company} answers for the data; it is stored in: {region}.").format(
            company=company.legal_name or company.name, region=REGIONS[company.region]()
        )
    )
    _say(_("Data protection officer: {name}, {email}").format(name=company.dpo_name, email=company.dpo_email))
    if company.named_reporting:
        _say(_("Your company sees your name with what you share."))
    notice = company.notice
    _say(_("Notice, version {version} of {date}:").format(version=notice.version, date=notice.date))
    _say(notice.in_language(i18n.language()))


def _set(options: argparse.Namespace) -> int:
    choices = {FeedbackSignal(name): on for name, on in options.choices}
    _say_choices(_decided(Call("choose", choices=choices), [each for each, on in choices.items() if not on]))
    return 0


def _sent(options: argparse.Namespace) -> int:
    if options.json:
        sys.stdout.write(_ask(Call("sent_json"), bytes).decode())
        return 0
    items = _ask(Call("sent"), list[SentItem])
    for item in items:
        when = item.sent_at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if item.sent_at else _("not sent yet")
        what = " · ".join(filter(None, (KINDS[item.kind](), item.title or item.campaign_id)))
        _say(f"{when}  {what}  [{STATUSES[item.status]()}]")
        _say(f"    {item.body.decode(errors='backslashreplace')}")
    size = sum(len(item.body) for item in items)
    _say(
        ngettext("{n} message, {size} bytes", "{n} messages, {size} bytes", len(items)).format(
            n=len(items), size=size
        )
    )
    return 0


def _verify(options: argparse.Namespace) -> int:
    comparison = _ask(Call("verify"), Comparison)
    if options.json:
        _say(msgspec.json.encode(comparison).decode())
        return 1 if comparison.differences else 0
    count = comparison.agreed
    _say(
        ngettext(
            "{n} event is the same here and at the server.",
            "{n} events are the same here and at the server.",
            count,
        ).format(n=count)
    )
    only = {
        "server": _("only at the server (perhaps of another computer of yours)"),
        "computer": _("only on this computer"),
    }
    for each in comparison.differences:
        _say(f"{KINDS[each.kind]()} · {each.campaign_id} · {each.event_id}: {only[each.only]}")
    return 1 if comparison.differences else 0


def _export(options: argparse.Namespace) -> int:
    copy, sent = _ask(Call("copy"), Copy), _ask(Call("sent_json"), bytes)
    folder = Path(options.folder)
    files = {"my-data.json": copy.json, "my-data.html": copy.html.encode(), "sent.json": sent}
    for kept in _ask(Call("receipts"), list[KeptReceipt]):
        name = f"receipt-{kept.signal}-{kept.status}-{kept.receipt_id}.json"
        files[name] = _ask(Call("receipt_file", receipt_id=kept.receipt_id, status=kept.status), bytes)
    for name, content in files.items():
        _write(folder / name, content)
        _say(str(folder / name))
    return 0


def _correct(options: argparse.Namespace) -> int:
    changes: dict[DetailName, DetailValue] = {}
    for name, value in options.changes:
        if name == privacy_arguments.LINES:
            changes[name] = (*changes.get(name, ()), *filter(None, (value,)))
        else:
            changes[name] = value
    for result in _ask(Call("correct", changes=changes), tuple[Corrected, ...]):
        _say(_named(DETAILS[result.field](), OUTCOMES[result.status]()))
    return 0


def _erase(options: argparse.Namespace) -> int:
    if not options.yes:
        sys.stderr.write(
            _("This turns everything off and deletes all that you shared, for good. Type “yes” to go on: ")
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in (_("yes"), "yes"):
            _say(_("Nothing was deleted."))
            return 1
    _say_choices(_decided(Call("erase"), list(FeedbackSignal)))
    return 0


def _receipt_list(options: argparse.Namespace) -> int:
    for kept in _ask(Call("receipts"), list[KeptReceipt]):
        moment = kept.received.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        _say(f"{kept.receipt_id}  {moment}  {KINDS[kept.status]()} · {SIGNALS[kept.signal]()}")
    return 0


def _receipt_save(options: argparse.Namespace) -> int:
    content = _ask(Call("receipt_file", receipt_id=options.receipt_id), bytes)
    if options.file == "-":
        sys.stdout.write(content.decode())
    else:
        _write(Path(options.file), content)
    return 0


def _receipt_verify(options: argparse.Namespace) -> int:
    """The key given counts, else the one pinned here, else, with a warning, the file's own."""
    file = receipts.read_file(_read(options.file))
    given = receipts.read_keys(_read(options.keys)) if options.keys else None
    pinned = None if given else _pinned()
    checked = receipts.check(file, ProcessVerifier().verify, pinned=pinned, given=given)
    if checked.problem:
        sys.stderr.write(_("This receipt is NOT genuine: {problem}.").format(problem=checked.problem) + "\n")
        return 1
    if checked.origin == "inside":
        sys.stderr.write(
            _(
                "Careful: this computer does not know the key, so the one inside the file was used. Anybody can make such "
                "a file. Compare the key's thumbprint below with what the company tells, or use --keys."
            )
            + "\n"
        )
    for line in _words(checked):
        _say(line)
    return 0


def _words(checked: receipts.Checked) -> Iterable[str]:
    said = checked.content
    yield _("The signature is right.")
    yield _named(KINDS[said.status](), SIGNALS[said.signal]())
    yield _("When: {moment}").format(moment=said.time.strftime("%Y-%m-%d %H:%M:%S UTC"))
    if said.status == "withdrawn":
        yield _("Rows that the server deleted: {n}").format(n=said.erased)
    yield _("Company: {name} ({issuer}), data stored in: {region}").format(
        name=said.controller, issuer=checked.issuer, region=REGIONS[said.region]()
    )
    yield _("Data protection officer: {email}").format(email=said.dpo_email)
    yield _("Purpose: {purpose}").format(purpose=said.purpose)
    yield _("Notice: version {version}, SHA-256 {digest}").format(
        version=said.notice_version, digest=said.notice_sha256 or "–"
    )
    yield _("Receipt: {number}").format(number=said.receipt_id)
    yield _("Signed: {moment}").format(moment=checked.signed.strftime("%Y-%m-%d %H:%M:%S UTC"))
    yield _("Thumbprint of the key (RFC 7638): {thumbprint}").format(thumbprint=checked.thumbprint)


def _pinned() -> codec.KeySet | None:
    """The keys of the company that this computer is connected to. A computer that never was needs no store for this."""
    if not (Folders.standard().data / "tidings.sqlite3").exists():
        return None
    return _ask(Call("keys"), codec.KeySet | None)  # type: ignore[arg-type]


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(limits.DOCUMENT_MAX_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(limits.DOCUMENT_MAX_BYTES + 1)
    except OSError as error:
        raise errors.InvalidInput(
            _("{file} cannot be read: {reason}").format(file=name, reason=error.strerror)
        ) from error


def _write(path: Path, content: bytes) -> None:
    """A new file that only its owner may read. Raises InvalidInput where there is one already, DiskFault."""
    try:
        if not path.parent.exists():
            private_files.make_folder(path.parent)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise errors.InvalidInput(
            _("{file} exists already; nothing was changed.").format(file=path)
        ) from error
    except OSError as error:
        raise errors.DiskFault(f"{path.name}: {error}") from error


def _named(name: str, value: str) -> str:
    return _("{name}: {value}").format(name=name, value=value)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


_PRIVACY: dict[str, Callable[[argparse.Namespace], int]] = {
    "show": _show,
    "set": _set,
    "sent": _sent,
    "verify": _verify,
    "export": _export,
    "correct": _correct,
    "erase": _erase,
}
_RECEIPT: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _receipt_list,
    "save": _receipt_save,
    "verify": _receipt_verify,
}
