"""The agent's façade: what windows and command line may ask of it, and nothing else.

Methods that only read or write the local store are quick and may be called on the main thread; ``enrol``,
``disconnect`` and ``sync_once`` wait for the network and belong on a worker.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from agent import connection, errors, links, media, selection
from agent.clock import SystemClock
from agent.connection import Connector
from agent.consent_file import ConsentFile
from agent.consent_gate import ConsentGate
from agent.folders import Folders
from agent.ledger import Ledger
from agent.model import (
    Act,
    Change,
    InboxItem,
    Interaction,
    PresenceState,
    Selection,
    Signal,
    SignalChoice,
    Status,
)
from agent.outbox import Outbox
from agent.ports import Clock, SecretStore
from agent.scheduling import Scheduler
from agent.secrets import ProcessKeychain
from agent.store.campaigns import CampaignStore
from agent.store.connection import Database
from agent.store.enrolment import EnrolmentStore
from agent.store.messages import MessageStore
from agent.store.migrations import migrate
from agent.store.queue import EventQueue
from agent.store.settings import SettingStore
from agent.sync import Sync, Verifier
from agent.verifier import ProcessVerifier
from agent.work import Work
from resources import i18n

log = logging.getLogger(__name__)

Listener = Callable[[Change], None]


class Runtime:
    """One agent over one data folder. Made by ``open``."""

    def __init__(self, folders: Folders, clock: Clock, secrets: SecretStore, verifier: Verifier) -> None:
        self._folders = folders
        self._clock = clock
        self._listeners: list[Listener] = []
        self._listeners_lock = threading.Lock()
        self._database = Database(folders.data / "tidings.sqlite3")
        migrate(self._database)
        enrolments = EnrolmentStore(self._database)
        self._campaigns = CampaignStore(self._database)
        self._settings = SettingStore(self._database)
        self.messages = MessageStore(self._database)
        consent_file = ConsentFile(folders.data / "consent.record")
        consent_file.prepare()
        self._gate = ConsentGate(consent_file, clock)
        self._queue = EventQueue(folders.data)
        self._outbox = Outbox(self._gate, self._queue, Ledger(self.messages, clock), self.messages, clock)
        self._cache = media.MediaCache(folders.cache / "media")
        self._connector = Connector(enrolments, secrets, verifier, self._gate, clock)
        sync = Sync(enrolments, self._campaigns, verifier, clock)
        self._scheduler = Scheduler(clock)
        self._work = Work(
            self._connector, sync, self._outbox, self._cache, self._campaigns, self._scheduler, self._notify
        )
        self._outbox.drop_ended()
        self._forget_traces(self._gate.ended())

    @classmethod
    def open(
        cls,
        folders: Folders,
        *,
        clock: Clock | None = None,
        secrets: SecretStore | None = None,
        verifier: Verifier | None = None,
    ) -> Runtime:
        """Open the store. Raises StoreTooNew, StoreDamaged, DiskFault."""
        try:
            folders.make()
        except OSError as error:
            raise errors.DiskFault(str(error)) from error
        return cls(
            folders, clock or SystemClock(), secrets or ProcessKeychain(), verifier or ProcessVerifier()
        )

    def start(self) -> None:
        """Begin to poll, on worker threads. Returns at once."""
        self._scheduler.start()
        self._work.wake_all()

    def stop(self) -> None:
        """End what is under way, within ``policy.STOP_TIMEOUT_S``, and close the store. It is done again next time."""
        self._scheduler.stop()
        self._work.stop()
        self._database.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be told of changes, on any thread. Returns how to end that."""
        with self._listeners_lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._listeners_lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    # What is

    def status(self) -> Status:
        enrolment = self._connector.enrolment()
        return Status(
            connection=self._work.connection(),
            server_url=enrolment.server_url if enrolment else "",
            company=enrolment.company if enrolment else None,
            person=enrolment.person if enrolment else None,
            last_check=enrolment.last_check if enrolment else None,
            paused_until=self._paused_until(),
            unread=self._campaigns.unread(),
            waiting=self._outbox.waiting(),
            choose_now=self._gate.must_ask(),
            troubles=self._work.troubles(),
        )

    def inbox(self) -> list[InboxItem]:
        """All campaigns received, newest first, without the recalled ones."""
        return self._campaigns.inbox()

    def select(self, presence: PresenceState) -> Selection:
        """What to show now, and why not the rest."""
        items = self._campaigns.candidates()
        language = i18n.language()
        missing = {
            item.campaign.campaign_id for item in items if self._cache.missing(item.campaign, language)
        }
        return selection.select(
            items,
            now=self._clock.now(),
            presence=presence,
            paused_until=self._paused_until(),
            media_missing=missing,
        )

    def choices(self) -> tuple[SignalChoice, ...]:
        """The three switches: seen, click, like."""
        return self._gate.choices()

    def media_path(self, sha256: str) -> Path | None:
        """The verified local file, None while it is not here."""
        return self._cache.path(sha256)

    def allowed_url(self, campaign_id: str, link_id: str) -> str:
        """A link's address, if it may be opened. Raises InvalidInput with the reason."""
        enrolment, item = self._connector.enrolment(), self._campaigns.get(campaign_id)
        if enrolment is not None and item is not None and item.campaign.variants:
            for link in item.campaign.variant(i18n.language()).links:
                if link.link_id == link_id:
                    return links.allowed_url(link.url, enrolment.company.link_hosts)
        raise errors.InvalidInput(i18n._("This link is no longer part of the announcement."))

    # What the person does

    def record(self, interaction: Interaction) -> None:
        """Note what happened. A signal is made of it only while the gate allows that. Raises DiskFault."""
        campaign_id, act = interaction.campaign_id, interaction.act
        made = False
        if act is Act.DISPLAYED:
            self._campaigns.displayed(campaign_id, self._clock.now())
        elif act is Act.SEEN:
            made = self._seen(campaign_id)
        elif act is Act.CLICKED:
            made = self._outbox.make(Signal.CLICK, campaign_id, link_id=interaction.link_id)
            self._campaigns.read(campaign_id)
        elif act in (Act.LIKED, Act.UNLIKED):
            liked = act is Act.LIKED
            seq = self._campaigns.like(campaign_id, liked)
            made = seq > 0 and self._outbox.make(Signal.LIKE, campaign_id, value=int(liked), seq=seq)
        elif act in (Act.READ, Act.DISMISSED):
            self._campaigns.read(campaign_id)
        if made:
            self._work.send.wake()
        if act is not Act.TIMED_OUT:
            self._notify(Change.CAMPAIGNS)

    def _seen(self, campaign_id: str) -> bool:
        if self._gate.receipt(Signal.SEEN) is None or not self._campaigns.claim_seen(campaign_id):
            return False
        made = False
        try:
            made = self._outbox.make(Signal.SEEN, campaign_id)
        finally:
            if not made:
                self._campaigns.unclaim_seen(campaign_id)
        return made

    def choose(self, choices: Mapping[Signal, bool]) -> None:
        """The person's choice, a deliberate act; off takes effect before this returns. Raises NotConnected, DiskFault."""
        off = {signal: False for signal, given in choices.items() if not given}
        on = {signal: True for signal, given in choices.items() if given}
        try:
            try:
                self._gate.choose(off, i18n.language())
            finally:
                if off:
                    self._work.interrupt_sending()
                    self._outbox.withdraw(off)
            self._outbox.drop_ended()
            self._gate.choose(on, i18n.language())
        finally:
            self._forget_traces(off)
            self._work.send.wake()
            self._notify(Change.CONSENT)

    def _forget_traces(self, signals: Iterable[Signal]) -> None:
        try:
            for signal in signals:
                self._campaigns.forget_signal(signal)
        except errors.DiskFault as fault:
            log.warning(
                "What is known of signals that are off is forgotten at the next start: %s", fault.detail
            )

    def defer_choice(self) -> None:
        """The question was closed without an answer."""
        self._gate.defer()
        self._notify(Change.CONSENT)

    def remind(self, campaign_id: str, delay_s: float) -> None:
        """Show it again later."""
        self._campaigns.remind(campaign_id, self._clock.now() + timedelta(seconds=delay_s))
        self._notify(Change.CAMPAIGNS)

    def pause(self, seconds: float | None) -> None:
        """Hold pop-ups for a while; None ends that."""
        until = self._clock.now() + timedelta(seconds=seconds) if seconds else None
        self._settings.set(connection.PAUSED_UNTIL, until.isoformat() if until else None)
        self._notify(Change.STATUS)

    def check_now(self) -> None:
        """Ask the server soon."""
        self._work.wake_all()

    # What waits for the network

    def enrol(self, server_url: str, code: str, *, keep: bool = False) -> None:
        """Connect this computer. ``keep``: only if the keychain can keep its token; the code is not used otherwise.

        Raises InvalidInput, CodeRefused, KeychainUnavailable and the faults of a server that is not well.
        """
        with self._work.quiet():
            if self._connector.enrol(server_url, code, keep=keep):
                self._outbox.withdraw(Signal)
        self._work.connected()
        self._notify(Change.STATUS)
        self._notify(Change.CONSENT)

    def disconnect(self) -> None:
        """Take this computer's access back and delete what the company left here. Works offline too."""
        with self._work.quiet():
            self._outbox.withdraw(Signal)
            self._connector.disconnect(self._outbox.send_consents)
            self._cache.evict(())
        self._work.connected()
        self._notify(Change.STATUS)
        self._notify(Change.CAMPAIGNS)

    def sync_once(self) -> None:
        """Poll, fetch and send once, now. Raises the first error."""
        self._work.once()

    def _paused_until(self) -> datetime | None:
        until = self._settings.get_time(connection.PAUSED_UNTIL)
        return until if until is not None and until > self._clock.now() else None

    def _notify(self, change: Change) -> None:
        with self._listeners_lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(change)
