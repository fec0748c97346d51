"""Sends what waits: consents first, then signals and confirmations."""

from __future__ import annotations

from collections.abc import Callable

from agent.background.connections import Connections, TaskName
from agent.background.faults import Faults
from agent.consent.choice_errors import ReceiptRefused
from agent.domain import errors, limits
from agent.domain.model import Change
from agent.outbox.acknowledgements import AcknowledgementSender
from agent.outbox.signals import Outbox
from agent.privacy.choices import ConsentService
from agent.transport import send_all


class Sender:
    """``consent_changed`` is called when the server's answer ended a consent. ``notify`` is called on this thread."""

    def __init__(
        self,
        outbox: Outbox,
        acknowledgement_sender: AcknowledgementSender,
        consents: ConsentService,
        connections: Connections,
        notify: Callable[[Change], None],
        consent_changed: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._acknowledgement_sender = acknowledgement_sender
        self._consents = consents
        self._connections = connections
        self._notify = notify
        self._consent_changed = consent_changed

    def send(self, faults: Faults) -> float | None:
        """Send all that waits. Returns the seconds until what could not be finished is tried again, None if all is done.

        Raises ReceiptRefused, TokenRefused, NotConnected, Interrupted and the faults of a server or a disk that is not well.
        """
        done = self._consents.catch_up()
        try:
            self._send(faults)
        except errors.NotConnected:
            if done:
                raise
        return None if done else limits.CATCH_UP_S

    def _send(self, faults: Faults) -> None:
        if self._anything_waits():
            try:
                with self._connections.for_once(TaskName.SEND) as client:
                    send_all.all_of(client, (self._outbox.send, self._acknowledgement_sender.send))
                faults.of_receipt = None
            except ReceiptRefused as error:
                faults.of_receipt = error
                self._notify(Change.STATUS)
                raise
            finally:
                if self._outbox.consent_changed():
                    self._consent_changed()
                    self._notify(Change.CONSENT)
            self._notify(Change.STATUS)

    def _anything_waits(self) -> bool:
        """What cannot be counted may wait; a disk that fails must keep no withdrawal back."""
        try:
            return bool(self._outbox.waiting() or self._acknowledgement_sender.waiting())
        except (errors.DiskFault, errors.StoreDamaged, OSError):
            return True
