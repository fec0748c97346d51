"""Asks the server what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from agent.background.connections import Connections, TaskName
from agent.background.faults import Faults
from agent.campaigns.feed_sync import Sync
from agent.domain import errors
from agent.domain.model import Change
from agent.enrolment.service import EnrolmentService
from agent.enrolment.token_rotation import TokenRotation
from agent.privacy.choices import ConsentService


class Polled(NamedTuple):
    """``changed``: the feed is another one. ``is_back``: the poll before failed. ``interval_s``: until the next one, in s."""

    changed: bool
    is_back: bool
    interval_s: float


class Poller:
    """``leave`` ends a disconnection that an earlier process began. ``notify`` is called on this thread."""

    def __init__(
        self,
        connector: EnrolmentService,
        sync: Sync,
        rotation: TokenRotation,
        consents: ConsentService,
        connections: Connections,
        notify: Callable[[Change], None],
        leave: Callable[[], object],
    ) -> None:
        self._connector = connector
        self._sync = sync
        self._rotation = rotation
        self._consents = consents
        self._connections = connections
        self._notify = notify
        self._leave = leave

    def poll(self, faults: Faults) -> Polled:
        """Take what is new.

        Raises FeedRefused, ClockDiffers, TokenRefused, NotConnected, Interrupted and the faults of a server or a disk that
        is not well.
        """
        if self._connector.is_leaving:
            self._leave()
            faults.of_poll = None
            self._notify(Change.STATUS)
            self._notify(Change.CAMPAIGNS)
        client = self._connections.of(TaskName.POLL)
        try:
            outcome = self._sync.step(client)
        except (errors.FeedRefused, errors.ClockDiffers):
            self._connector.reload()
            raise
        self._rotation.step(client)
        was_offline = faults.of_poll is not None
        faults.of_poll, faults.answered = None, True
        if self._connector.reload():
            self._consents.catch_up()
            self._notify(Change.CONSENT)
        if outcome.changed:
            faults.refused_documents = outcome.refused
            self._notify(Change.CAMPAIGNS)
        self._notify(Change.STATUS)
        return Polled(outcome.changed, was_offline, outcome.poll_interval_s)
