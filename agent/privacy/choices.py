"""What the person chooses, and all that follows from it on this computer, in the order of docs/privacy.md.

What a disk does not take is done again with everything that is sent, every ``limits.CATCH_UP_S``, and at the next start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from agent.consent.choice_errors import NotDeleted
from agent.consent.gate import ConsentGate
from agent.domain import errors
from agent.domain.model import Company, FeedbackSignal
from agent.outbox.signals import Outbox
from agent.protocol import codec
from agent.store.campaigns import CampaignStore
from agent.store.sent_messages import MessageStore

log = logging.getLogger(__name__)

_FORGET_SENT = "forget-sent.note"


class ConsentService:
    """The person's choices: asked for, recorded, told to the server.

    Args:
        interrupt: cuts off what is being sent.
        notes: the folder for what must be done again after a restart, then those where another login of the same person may
            have noted it.
    """

    def __init__(
        self,
        gate: ConsentGate,
        outbox: Outbox,
        messages: MessageStore,
        campaigns: CampaignStore,
        interrupt: Callable[[], None],
        notes: Sequence[Path],
    ) -> None:
        self._gate = gate
        self._outbox = outbox
        self._messages = messages
        self._campaigns = campaigns
        self._interrupt = interrupt
        self._notes = [folder / _FORGET_SENT for folder in notes]
        self._sent_stays = any(note.exists() for note in self._notes)
        self._left: NotDeleted | None = None

    def choose(
        self,
        choices: Mapping[FeedbackSignal, bool],
        language: str,
        is_wanted: Callable[[], bool] = lambda: True,
        since: Mapping[FeedbackSignal, datetime | None] | None = None,
        shown: Company | None = None,
    ) -> None:
        """The person's deliberate act; off takes effect before this returns.

        On takes effect only while ``is_wanted``, and unless it was turned off after ``since``, what the record said
        when it was asked for; None for now. Nor does it where the company says something else by now than in what was
        ``shown``; None where nothing is.

        Raises NotConnected; NoticeChanged where that is so; NotRecorded and NotDeleted, which say what holds all the same.
        """
        since = self._gate.last_chosen() if since is None else since
        off = {signal: False for signal, given in choices.items() if not given}
        on = {signal: True for signal, given in choices.items() if given}
        faults = [_tried(self._gate.choose, off, language)]
        if off:
            self._interrupt()
            faults.append(self._deleted(self._outbox.withdraw, off))
            faults.append(self._deleted(self._campaigns.forget_copies))
        faults.append(self._deleted(self._outbox.drop_ended))
        if not any(faults):
            faults.append(_tried(self._gate.choose, on, language, is_wanted, since, shown))
        self._deleted(self._forget_traces)
        _raise_first(faults)

    def delete_all_shared(self, language: str) -> None:
        """Take everything back for all computers of the person, and forget here what was sent. Receipts stay.

        Raises NotConnected; NotRecorded and NotDeleted, which say what holds all the same.
        """
        faults = [_tried(self._gate.withdraw_everywhere, language)]
        self._interrupt()
        self._sent_stays = True
        for step in (partial(self._outbox.withdraw, FeedbackSignal), self._forget_sent, self._forget_traces):
            faults.append(self._deleted(step))
        _raise_first(faults)

    def catch_up(self) -> bool:
        """Do what a disk did not take before. Returns whether all is done now."""
        faults = [_tried(self._gate.catch_up), _tried(self._messages.write_held)]
        self._outbox.announce_kept()
        steps = (self._outbox.drop_ended, self._forget_sent, self._forget_traces)
        left = [fault for step in steps if (fault := self._deleted(step)) is not None]
        if not any(isinstance(fault, NotDeleted) for fault in left):
            self._left = None
        return not left and not any(faults)

    @property
    def faults(self) -> tuple[errors.DiskFault, ...]:
        """What people must know: what holds here and is not so on the disk."""
        return tuple(fault for fault in (self._gate.fault, self._left) if fault is not None)

    def _deleted(self, step: Callable[..., None], *arguments: object) -> errors.DiskFault | None:
        """Of a store that cannot be read is told as such: nobody knows whether anything is to be deleted there."""
        fault = _tried(step, *arguments)
        if fault is not None and not isinstance(fault, errors.StoreUnreadable):
            log.warning("To be deleted again: %s", fault.detail)
            self._left = fault = NotDeleted(fault.detail)
        return fault

    def _forget_sent(self) -> None:
        if not self._sent_stays:
            return
        try:
            self._messages.forget_sent(codec.SIGNALS_PATH)
        except (errors.DiskFault, errors.StoreDamaged):
            self._remember_to_forget()
            raise
        for note in self._notes:
            note.unlink(missing_ok=True)
        self._sent_stays = False

    def _remember_to_forget(self) -> None:
        try:
            self._notes[0].touch(mode=0o600)
        except OSError as error:
            log.warning("A restart forgets that something is to be deleted: %s", error)

    def _forget_traces(self) -> None:
        for signal in self._gate.ended():
            self._campaigns.forget_signal(signal)


def _tried(step: Callable[..., None], *arguments: object) -> errors.DiskFault | None:
    """Take a step. What a disk does not do must not keep the others from being taken."""
    try:
        step(*arguments)
    except errors.DiskFault as error:
        return error
    except (errors.StoreDamaged, OSError) as error:
        return errors.DiskFault(str(error))
    return None


def _raise_first(faults: Iterable[errors.DiskFault | None]) -> None:
    for fault in faults:
        if fault is not None:
            raise fault
