"""The agent's façade: what windows and command line may ask of it, and nothing else.

Methods that only read or write the local store are quick and may be called on the main thread; ``enrol``,
``disconnect`` and ``sync_once`` wait for the network and belong on a worker.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from agent.background.scheduler import Scheduler
from agent.background.tasks import Background, trouble
from agent.campaigns import display_limits, link_policy, media_cache, selection
from agent.campaigns.feed_sync import Sync
from agent.campaigns.trials import Trials
from agent.consent import choice_errors
from agent.consent.gate import ConsentGate
from agent.consent.record_file import ConsentFile
from agent.consent.server_clock import ServerClock
from agent.domain import errors, limits
from agent.domain.events import Listener, Listeners
from agent.domain.freshness import Freshness
from agent.domain.model import (
    Change,
    Company,
    ConnectionState,
    FeedbackSignal,
    InboxItem,
    PresenceState,
    Selection,
    SignalChoice,
    Status,
    Trouble,
)
from agent.domain.ports import Clock, SecretStore
from agent.enrolment import service
from agent.enrolment.device_token import DeviceToken
from agent.enrolment.left_entry import KeychainEntryStays, LeftEntry
from agent.enrolment.service import EnrolmentService
from agent.enrolment.token_rotation import TokenRotation
from agent.ipc.instance_lock import InstanceLock, LockLost
from agent.outbox.acknowledgements import AcknowledgementSender
from agent.outbox.recorder import Interactions
from agent.outbox.sent_log import SentLog
from agent.outbox.signals import Outbox
from agent.privacy.choices import ConsentService
from agent.privacy.my_data import MyData
from agent.settings.device_policy import PolicyFile
from agent.settings.preferences_service import PreferenceKeeper
from agent.store import damage
from agent.store.acknowledgements import AcknowledgementStore
from agent.store.campaigns import CampaignStore
from agent.store.enrolment import EnrolmentStore
from agent.store.event_queue import EventQueue
from agent.store.opening import open_again, open_store
from agent.store.sent_messages import MessageStore
from agent.store.settings import SettingStore
from agent.system import login_session
from agent.system.clock import SystemClock
from agent.system.dirs import Folders
from agent.system.keychain import ProcessKeychain
from agent.verification.receipt_checks import ReceiptChecker
from agent.verification.verifier import ProcessVerifier, Verifier
from resources import i18n

log = logging.getLogger(__name__)

T = TypeVar("T")


class Runtime:
    """One agent over one data folder. Made by ``open``."""

    def __init__(
        self,
        folders: Folders,
        clock: Clock,
        secrets: SecretStore,
        verifier: Verifier,
        owner: bool,
        lock: InstanceLock | None,
        store_needed: bool,
    ) -> None:
        self._folders = folders
        self._clock = clock
        self._listeners = Listeners()
        self._notify = self._listeners.tell
        self._lock = lock
        self._database = open_store(
            folders.data / "tidings.sqlite3", folders.runtime, clock, owner=owner, needed=store_needed
        )
        if lock is not None:
            self._database.guard(lock.hold)
        self._open_again = partial(open_again, self._database, folders.runtime, clock, owner=owner)
        self._opening = threading.Lock()
        enrolments = EnrolmentStore(self._database)
        self._campaigns = CampaignStore(self._database, clock)
        self._trials = Trials(clock)
        self._settings = SettingStore(self._database)
        self.messages = MessageStore(self._database)
        notes = (folders.runtime, *folders.other_runtimes)
        consent_file = ConsentFile(folders.data / "consent.record", notes)
        consent_file.prepare()
        self._policy = PolicyFile(folders.policy)
        server_clock = ServerClock(clock)
        self._gate = ConsentGate(
            consent_file,
            clock,
            self._policy.current().signals,
            lock.is_ours if lock else lambda: True,
            server_clock,
        )
        self.preferences = PreferenceKeeper(
            self._settings, self._policy, lambda: self._notify(Change.PREFERENCES)
        )
        self._queue = EventQueue(folders.data, clock, owner=owner)
        sent_log = SentLog(self.messages, clock)
        receipts = ReceiptChecker(enrolments, verifier)
        self._outbox = Outbox(self._gate, self._queue, sent_log, self.messages, receipts, clock)
        self._acknowledgement_sender = AcknowledgementSender(
            AcknowledgementStore(self._database), self._campaigns, sent_log, clock
        )
        self._consents = ConsentService(
            self._gate,
            self._outbox,
            self.messages,
            self._campaigns,
            lambda: self._background.interrupt_sending(),
            notes,
        )
        self._cache = media_cache.MediaCache(folders.cache / "media")
        token = DeviceToken(secrets, folders.data, clock)
        self._connector = EnrolmentService(
            enrolments, token, verifier, self._gate, clock, server_clock, sent_log.list_enrolment
        )
        self.my_data = MyData(
            self._connector,
            self._gate,
            self._queue,
            self._acknowledgement_sender,
            sent_log,
            self.messages,
            self._campaigns,
            clock,
        )
        sync = Sync(enrolments, self._campaigns, self._trials, verifier, clock)
        self._scheduler = Scheduler(clock)
        self._background = Background(
            self._connector,
            sync,
            TokenRotation(token, self._settings, clock, sent_log.send),
            self._outbox,
            self._acknowledgement_sender,
            self._consents,
            self._cache,
            self._campaigns,
            self._trials,
            self._scheduler,
            self._notify,
            self._look_again,
            self._leave,
            clock,
        )
        self._beat = self._scheduler.task("beat", lambda: self._beaten(lock)) if lock else None
        self._examine = self._scheduler.task("examine", self._examined, lambda: limits.EXAMINE_FIRST_S)
        self._left = self._scheduler.task("keychain", self._left_deleted)
        self.interactions = Interactions(
            self._campaigns,
            self._trials,
            self._gate,
            self._outbox,
            self._acknowledgement_sender,
            clock,
            self._notify,
            lambda: self._background.send.wake(),
        )
        token.when_late = self._background.keychain_answered
        self._consents.catch_up()

    @classmethod
    def open(
        cls,
        folders: Folders,
        *,
        clock: Clock | None = None,
        secrets: SecretStore | None = None,
        verifier: Verifier | None = None,
        owner: bool = True,
        lock: InstanceLock | None = None,
        store_needed: bool = True,
    ) -> Runtime:
        """Open the store. Raises StoreTooNew, StoreDamaged, DiskFault.

        ``owner``: no other agent can be running on these folders, so that damaged files may be repaired. ``lock``: of an
        agent that runs on. ``store_needed``: False for what can be done without, as taking back is; what it holds is
        neither seen nor changed then.
        """
        try:
            folders.make()
        except OSError as error:
            if store_needed:
                raise errors.DiskFault(str(error)) from error
            log.warning("The folders are not as they should be: %s", error)
        return cls(
            folders,
            clock or SystemClock(),
            secrets or ProcessKeychain(),
            verifier or ProcessVerifier(),
            owner,
            lock,
            store_needed,
        )

    def start(self) -> None:
        """Begin to poll, on worker threads. Returns at once."""
        self._scheduler.start()
        self._background.wake_all()
        self._examine.wake(limits.EXAMINE_FIRST_S)
        self._left.wake(limits.KEYCHAIN_RETRY_S)
        if self._beat is not None:
            self._beat.wake()

    def stop(self) -> None:
        """End what is under way, within ``limits.STOP_TIMEOUT_S``, and close the store. It is done again next time."""
        self._scheduler.stop()
        self._background.stop()
        self._connector.token.close()
        self._database.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be told of changes, on any thread. Returns how to end that."""
        return self._listeners.add(listener)

    # What is

    def status(self) -> Status:
        """What tray, inbox and `tidings status` tell; what the disk refuses to say is told as trouble, never raised."""
        enrolment = self._connector.enrolment()
        of_the_disk: list[Trouble] = []
        halted = self._database.unreadable or self._background.halted()
        troubles = (
            self._policy_troubles()
            + self._background.troubles()
            + self._lost()
            + self._deaf()
            + self._damage()
        )
        return Status(
            connection=ConnectionState.HALTED if halted is not None else self._background.connection(),
            server_url=enrolment.server_url if enrolment else "",
            company=enrolment.company if enrolment else None,
            person=enrolment.person if enrolment else None,
            last_check=enrolment.last_check if enrolment else None,
            paused_until=_read(self._paused_until, None, of_the_disk),
            unread=_read(self._campaigns.unread, 0, of_the_disk) + self._trials.unread(),
            waiting=_read(self._outbox.waiting, self._gate.owed(), of_the_disk)
            + _read(self._acknowledgement_sender.waiting, 0, of_the_disk),
            owed=self._gate.owed(),
            choose_now=self._gate.must_ask() and self._database.unreadable is None,
            troubles=tuple(dict.fromkeys([*troubles, *of_the_disk[:1]])),
            halted_by=trouble(halted) if halted is not None else None,
        )

    def campaign_keys(self) -> tuple[str, ...]:
        """The fingerprints (RFC 7638) of the keys that were met when this computer was connected."""
        enrolment = self._connector.enrolment()
        keys = enrolment.keys.keys if enrolment else ()
        return tuple(key.kid for key in keys if key.tidings_use == "campaign")

    def freshness(self) -> Freshness:
        """What is known of the server's statements of what is assigned."""
        enrolment = self._connector.enrolment()
        return enrolment.freshness if enrolment else Freshness()

    def inbox(self, *, newest: int | None = None, only: Collection[str] | None = None) -> list[InboxItem]:
        """The campaigns received, newest first, without the recalled ones; at most so many, or of these ids only.

        Before them stands the test that the person sent to themselves.
        """
        return (self._trials.inbox(only) + self._campaigns.inbox(newest, only))[:newest]

    def select(self, presence: PresenceState) -> Selection:
        """What to show now, and why not the rest."""
        items = self._trials.inbox() + self._campaigns.candidates()
        enrolment = self._connector.enrolment()
        missing = {i.campaign.campaign_id for i in items if self._cache.missing(i.campaign, i18n.language())}
        return selection.select(
            items,
            now=self._clock.now(),
            presence=presence,
            paused_until=self._paused_until(),
            media_missing=missing,
            preferences=self.preferences.effective(),
            login=login_session.session_id(),
            connected=enrolment.connected if enrolment else None,
        )

    def choices(self) -> tuple[SignalChoice, ...]:
        """The three switches: seen, click, like."""
        return self._gate.choices()

    def suggested_server(self) -> str:
        """The address that the organisation's policy names, empty for none."""
        return self._policy.current().server_url

    def media_path(self, sha256: str) -> Path | None:
        """The verified local file, None while it is not here."""
        return self._cache.path(sha256)

    def allowed_url(self, campaign_id: str, link_id: str) -> str:
        """A link's address, if it may be opened. Raises InvalidInput with the reason."""
        enrolment = self._connector.enrolment()
        item = self._trials.get(campaign_id) or self._campaigns.get(campaign_id)
        text = item.campaign.variant(i18n.language()) if item and item.campaign.variants else None
        hosts = enrolment.company.link_hosts if enrolment else ()
        return link_policy.link_url(text.links if text else (), link_id, hosts)

    def choose(
        self,
        choices: Mapping[FeedbackSignal, bool],
        is_wanted: Callable[[], bool] = lambda: True,
        since: Mapping[FeedbackSignal, datetime | None] | None = None,
        shown: Company | None = None,
    ) -> None:
        """The person's choice, a deliberate act; off takes effect before this returns.

        On takes effect only while ``is_wanted``, and unless it was turned off after ``since``, what the record said
        when it was asked for; None for now. Nor does it where the company says something else by now than in what was
        ``shown`` on the screen; None where nothing was.

        Raises NotConnected, NoticeChanged, LockLost; NotRecorded and NotDeleted, which say what holds all the same.
        """
        refused = self._database.in_memory and any(choices.values())
        with self._deciding():
            if refused:
                choices = {signal: given for signal, given in choices.items() if not given}
            self._consents.choose(choices, i18n.language(), is_wanted, since, shown)
            if refused:
                raise self._database.unreadable or choice_errors.NothingIsRecorded("the store is in memory")

    def delete_all_shared(self) -> None:
        """Take back all that the person shared, from every computer, and forget here what was sent; receipts stay.

        Raises as ``choose`` does.
        """
        with self._deciding():
            self._consents.delete_all_shared(i18n.language())

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        if self._lock is not None:
            self._lock.hold()
        try:
            yield
        finally:
            self._connector.token.ask_again()
            self._background.send.wake()
            self._notify(Change.CONSENT)
        self._database.check()

    def defer_choice(self) -> None:
        """The question was closed without an answer."""
        self._gate.defer()
        self._notify(Change.CONSENT)

    def pause(self, seconds: float | None) -> None:
        """Hold pop-ups for a while; None ends that."""
        until = self._clock.now() + timedelta(seconds=seconds) if seconds else None
        self._settings.set(service.PAUSED_UNTIL, until.isoformat() if until else None)
        self._notify(Change.STATUS)

    def check_now(self) -> None:
        """Ask the server soon."""
        self._connector.token.ask_again()
        self._background.wake_all()

    # What waits for the network

    def enrol(self, server_url: str, code: str, *, keep: bool = False) -> None:
        """Connect this computer. ``keep``: only if the keychain can keep its token; the code is not used otherwise.

        Raises InvalidInput, CodeRefused, KeychainUnavailable and the faults of a server that is not well.
        """
        self._store_may_be_back()
        self._campaigns.check()
        with self._background.quiet():
            if self._connector.is_leaving:
                self._leave()
            self._outbox.confirm_again()
            if self._connector.enrol(server_url, code, keep=keep):
                self._outbox.withdraw(FeedbackSignal)
                self.messages.forget_held()
        self._background.connected()
        self._notify(Change.STATUS)
        self._notify(Change.CONSENT)

    def disconnect(self) -> bool:
        """Take back what was shared and this computer's access, and delete what the company left here. Works offline too.

        Returns whether the server heard of it. Raises NotForgotten and KeychainEntryStays, after all that could be done was
        done; LockLost.
        """
        fault: errors.DiskFault | None = None
        if self._lock is not None:
            self._lock.hold()
        with self._background.quiet():
            if self._connector.enrolment() is not None:
                try:
                    self._consents.choose(dict.fromkeys(FeedbackSignal, False), i18n.language())
                except errors.DiskFault as error:
                    fault = error
            try:
                heard = self._leave()
            except errors.DiskFault as error:
                self._background.connected()
                if self._connector.is_leaving:
                    self._background.put_off(error)
                raise
            finally:
                self._notify(Change.STATUS)
                self._notify(Change.CAMPAIGNS)
        self._background.connected()
        if fault is not None:
            raise service.NotForgotten(fault.detail, heard=heard) from fault
        if (left := self.left_entry) is not None:
            self._left.wake(limits.KEYCHAIN_RETRY_S)
            raise KeychainEntryStays(left)
        return heard

    def _leave(self) -> bool:
        """Let go of the company, or end what an earlier process began of that. Returns whether the server heard of it."""
        try:
            return self._connector.disconnect(self._outbox.send_consents, self._acknowledgement_sender.send)
        finally:
            self.messages.forget_held()
            self._trials.clear()
            self._cache.evict(())

    def sync_once(self) -> None:
        """Poll, fetch and send once, now. Raises the first error."""
        self._background.once()

    def send_once(self) -> None:
        """Send what waits, now, consents first. Raises the first error."""
        self._background.send_once()

    def _look_again(self) -> None:
        """What others may have changed at any time holds before anything else is asked or sent. Raises LockLost."""
        if self._lock is not None:
            self._lock.hold()
        self._policy_may_differ()
        self._gate.look_again()
        self._store_may_be_back()
        self._left_deleted()
        if self._gate.changed_elsewhere():
            self._background.interrupt_sending()
            self._background.send.wake()
            self._notify(Change.CONSENT)
            self._notify(Change.STATUS)

    @property
    def left_entry(self) -> LeftEntry | None:
        """What of an ended connection is still in the keychain."""
        return self._connector.token.left

    def _left_deleted(self) -> float | None:
        """Try again. Returns when to try next, in seconds; None where nothing is left."""
        if self._connector.token.delete_left():
            self._notify(Change.STATUS)
        return limits.KEYCHAIN_RETRY_S if self.left_entry is not None else None

    def _store_may_be_back(self) -> None:
        """Go on with a store that could not be read or written until now: what was withdrawn meanwhile holds there too."""
        with self._opening:
            if self._database.unreadable is None and not self._database.can_be_kept:
                return
            try:
                self._open_again()
            except errors.EnvironmentFault as error:
                log.info("The store cannot be used yet: %s", error.detail)
                return
            log.info("The store can be used again.")
            self._connector.read_again()
            self._consents.catch_up()
        self._background.wake_all()
        for change in Change:
            self._notify(change)

    def _examined(self) -> float:
        """What is damaged is found before it is needed."""
        self._store_may_be_back()
        try:
            self._database.examine()
        except errors.EnvironmentFault as error:
            log.warning("The store could not be looked at: %s", error.detail)
        else:
            self._notify(Change.STATUS)
        return limits.EXAMINE_S

    def _beaten(self, lock: InstanceLock) -> float:
        with suppress(LockLost):
            lock.hold()
        if lock.is_lost:
            self._notify(Change.STATUS)
        lock.beat()
        return limits.BEAT_S

    def _policy_may_differ(self) -> None:
        """An administrator may change the policy."""
        if not self._policy.refresh():
            return
        self._gate.use_device(self._policy.current().signals)
        log.info("The device policy changed.")
        self._background.interrupt_sending()
        self._notify(Change.CONSENT)
        self._notify(Change.PREFERENCES)
        self._notify(Change.STATUS)

    def _policy_troubles(self) -> tuple[Trouble, ...]:
        fault = self._policy.current().fault
        return (trouble(fault),) if fault is not None else ()

    def _deaf(self) -> tuple[Trouble, ...]:
        """Whether commands do not reach this agent."""
        deaf = self._lock.deaf if self._lock is not None else None
        return (trouble(deaf),) if deaf is not None else ()

    def _lost(self) -> tuple[Trouble, ...]:
        if self._lock is not None and self._lock.is_lost:
            return (trouble(LockLost()),)
        if (left := self._connector.left) is not None:
            return (trouble(left),)
        if (entry := self.left_entry) is not None:
            return (trouble(KeychainEntryStays(entry)),)
        is_lost = self._connector.is_lost and self._database.unreadable is None
        return (trouble(errors.EnrolmentLost()),) if is_lost else ()

    def _damage(self) -> tuple[Trouble, ...]:
        fault = self._database.unreadable or damage.told(self._folders.data, self._clock.now())
        return (trouble(fault),) if fault is not None else ()

    def _paused_until(self) -> datetime | None:
        until = self._settings.get_time(service.PAUSED_UNTIL)
        return (
            until
            if until is not None and display_limits.is_plausible_future(self._clock.now(), until)
            else None
        )


def _read(question: Callable[[], T], otherwise: T, faults: list[Trouble]) -> T:
    """What the store says. A disk that fails for now must not hide the rest."""
    try:
        return question()
    except (errors.DiskFault, errors.StoreDamaged) as error:
        log.info("Not known now: %s", error.detail)
        faults.append(trouble(error))
        return otherwise
