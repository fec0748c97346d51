"""What may be asked of an agent from the command line, whether it runs already or was opened just for this."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct

from agent.domain import errors
from agent.domain.model import FeedbackSignal, SignalChoice, Status
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.domain.my_data_models import (
    Comparison,
    Copy,
    Corrected,
    DetailName,
    DetailValue,
    KeptReceipt,
    SentItem,
)
from resources.i18n import _

log = logging.getLogger(__name__)


class AskedData(Protocol):
    """The part of ``MyData`` that answers."""

    def sent(self) -> list[SentItem]: ...

    def sent_json(self) -> bytes: ...

    def copy(self) -> Copy: ...

    def verify(self) -> Comparison: ...

    def correct(self, changes: Mapping[DetailName, DetailValue]) -> tuple[Corrected, ...]: ...

    def receipts(self) -> list[KeptReceipt]: ...

    def receipt_file(self, receipt_id: str, status: str = "") -> bytes: ...

    def keys(self) -> object: ...


class Asked(Protocol):
    """The part of the runtime that answers."""

    @property
    def my_data(self) -> AskedData: ...

    def status(self) -> Status: ...

    def choices(self) -> tuple[SignalChoice, ...]: ...

    def choose(
        self,
        choices: Mapping[FeedbackSignal, bool],
        is_wanted: Callable[[], bool] = ...,
        since: LastChosen | None = ...,
    ) -> None: ...

    def delete_all_shared(self) -> None: ...


SHOW_INBOX = "show_inbox"
"""The call of a second start. Answers whether it shows; null where there are no windows."""


LastChosen = Mapping[FeedbackSignal, datetime | None]
"""When each signal was chosen last, as the consent record says."""


class Call(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a command asks of the running agent: the name of the call and its arguments."""

    name: str
    choices: dict[FeedbackSignal, bool] = {}
    since: dict[FeedbackSignal, datetime | None] | None = None
    """What the record said when this was asked: it may lie for long before the agent reads it."""
    changes: dict[DetailName, DetailValue] = {}
    receipt_id: str = ""
    status: str = ""
    data: str = ""
    """The mark of the data folder that it is about (`running_instance.data_mark`)."""


class Reply(Struct, frozen=True):
    """``title`` and ``message`` say what went wrong, in the agent's language; empty where all went well.

    ``is_of_another``: nothing was done, as it is the agent of another data folder.
    """

    result: Raw = Raw(b"null")
    title: str = ""
    message: str = ""
    is_of_another: bool = False


class Shown(Struct, frozen=True):
    """``later``: that the server does not know yet, and why; empty where it does, or a running agent tells it."""

    status: Status
    choices: tuple[SignalChoice, ...]
    later: str = ""


class Failed(errors.TidingsError):
    """What the agent could not do, in its own words."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(title)
        self._title, self._message = title, message

    @property
    def title(self) -> str:
        return self._title

    @property
    def message(self) -> str:
        return self._message


class _OtherData(errors.AlreadyRunning):
    """The agent that was asked works on another data folder."""


def answer(
    agent: Callable[[], Asked],
    question: bytes,
    is_wanted: Callable[[], bool] = lambda: True,
    *,
    data: str = "",
    send: Callable[[], None] | None = None,
    show_inbox: Callable[[], bool] | None = None,
) -> bytes:
    """Do what is asked, and tell what came of it; also what went wrong.

    Args:
        agent: gives it, once it is open; may raise a TidingsError.
        question: an encoded `Call`.
        is_wanted: whether who asked is still there; nothing is turned on for who gave up.
        data: the mark of the agent's data folder: in one session there may be agents of two, and what is asked about one is
            not done to the other.
        send: how to send what is owed, where no agent runs that does so by itself.
        show_inbox: opens it, where there are windows; returns whether it could now.
    """
    try:
        call = decode_json(question, Call)
        if data and call.data != data:
            raise _OtherData("it has another data folder")
        told: object
        if call.name == SHOW_INBOX:
            told = show_inbox() if show_inbox is not None else None
        elif decision := _DECISIONS.get(call.name):
            told = _decide(agent(), call, partial(decision, is_wanted=is_wanted), send)
        elif wanted := _CALLS.get(call.name):
            told = wanted(agent(), call)
        else:
            raise errors.EnvironmentFault(f"a question of another version: {call.name!r}")
        reply = Reply(Raw(msgspec.json.encode(told)))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("A question that makes no sense: %s", type(error).__name__)
        fault = errors.EnvironmentFault("a question of another version")
        reply = Reply(title=fault.title, message=fault.message)
    except errors.TidingsError as error:
        log.info("%s: %s", type(error).__name__, error.detail)
        is_of_another = isinstance(error, _OtherData)
        reply = Reply(title=error.title, message=error.message, is_of_another=is_of_another)
    return msgspec.json.encode(reply)


def is_of_another(reply: bytes) -> bool:
    """Whether an agent of other data answered."""
    try:
        return decode_json(reply, Reply).is_of_another
    except msgspec.MsgspecError:
        return False


def is_soon_answered(question: bytes) -> bool:
    """Whether it needs no turn: a choice does not wait for those who ask for more."""
    try:
        return decode_json(question, Call).name in (SHOW_INBOX, *WITHOUT_STORE)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def result(reply: bytes) -> Raw:
    """What was answered. Raises Failed; EnvironmentFault where that is no answer of an agent."""
    try:
        read = decode_json(reply, Reply)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise errors.EnvironmentFault("an answer of another version") from error
    if read.title:
        raise Failed(read.title, read.message)
    return read.result


def _shown(agent: Asked) -> Shown:
    return Shown(agent.status(), agent.choices())


def _decide(
    agent: Asked, call: Call, decision: Callable[[Asked, Call], None], send: Callable[[], None] | None
) -> Shown:
    """What the disk did not do keeps nothing from the server. Raises Failed then, with what holds all the same."""
    fault: errors.DiskFault | None = None
    try:
        decision(agent, call)
    except errors.DiskFault as error:
        log.info("%s: %s", type(error).__name__, error.detail)
        fault = error
    later = _later(agent, send) if send is not None and agent.status().waiting else ""
    if fault is not None:
        raise Failed(fault.title, " ".join(filter(None, (fault.message, later))))
    return Shown(agent.status(), agent.choices(), later)


def _later(agent: Asked, send: Callable[[], None]) -> str:
    """Send what is owed. What is chosen holds also when that fails: that the server does not know of it yet, and why."""
    why = ""
    try:
        send()
    except (errors.EnvironmentFault, errors.Refused, errors.NotConnected) as error:
        log.info("%s: %s", type(error).__name__, error.detail)
        why = f" ({error.title}. {error.message})"
    if not agent.status().owed:
        return ""
    return _("Your company's server is told as soon as it can be reached.") + why


def _choose(agent: Asked, call: Call, is_wanted: Callable[[], bool]) -> None:
    """Raises Failed where something is to be turned on and nobody says what was known when it was asked; off holds."""
    if call.since is not None:
        agent.choose(call.choices, is_wanted, call.since)
        return
    off = {signal: False for signal, given in call.choices.items() if not given}
    if off or not call.choices:
        agent.choose(off, is_wanted)
    if len(off) < len(call.choices):
        raise Failed(
            _("Nothing was turned on"),
            _("The command is of another version of Tidings than the one that runs. Run it again."),
        )


def _erase(agent: Asked, _call: Call, is_wanted: Callable[[], bool]) -> None:
    """Also for who gave up: it turns nothing on."""
    agent.delete_all_shared()


_DECISIONS: Mapping[str, Callable[..., None]] = {"choose": _choose, "erase": _erase}
"""Calls after which the server has to be told something."""

WITHOUT_STORE = ("show", *_DECISIONS)
"""Calls that make sense where the store cannot be read: what is off is in a record of its own."""

_CALLS: Mapping[str, Callable[[Asked, Call], Any]] = {
    "show": lambda agent, _call: _shown(agent),
    "sent": lambda agent, _call: agent.my_data.sent(),
    "sent_json": lambda agent, _call: agent.my_data.sent_json(),
    "copy": lambda agent, _call: agent.my_data.copy(),
    "verify": lambda agent, _call: agent.my_data.verify(),
    "correct": lambda agent, call: agent.my_data.correct(call.changes),
    "receipts": lambda agent, _call: agent.my_data.receipts(),
    "receipt_file": lambda agent, call: agent.my_data.receipt_file(call.receipt_id, call.status),
    "keys": lambda agent, _call: agent.my_data.keys(),
}

resolve(Call, Reply)
