"""What the agent does by itself: poll, fetch media, send. One task each, every fault told apart."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.background.pacing import Pace
from agent.background.scheduler import Scheduler, Task
from agent.campaigns.feed_sync import Sync
from agent.campaigns.media_cache import MediaCache, MediaFile, files_needed
from agent.consent.choice_errors import ReceiptRefused
from agent.domain import errors, limits
from agent.domain.model import Change, Connection, Trouble
from agent.enrolment.service import EnrolmentService
from agent.enrolment.token_rotation import TokenRotation
from agent.ipc.instance_lock import LockLost
from agent.outbox.acknowledgements import Acknowledging
from agent.outbox.signals import Outbox
from agent.privacy.choices import ConsentService
from agent.store.campaigns import CampaignStore
from agent.transport import send_all
from agent.transport.http_client import ApiClient
from resources import i18n

log = logging.getLogger(__name__)

Job = Callable[[], float | None]

_POLL, _FETCH, _SEND = _NAMES = ("poll", "fetch", "send")
_TASKS = len(_NAMES)


class Work:
    """Three tasks over one connection. ``notify`` is called on a worker, ``before_each`` before each run of a task.

    ``leave`` ends a disconnection that an earlier process began.
    """

    def __init__(
        self,
        connector: EnrolmentService,
        sync: Sync,
        rotation: TokenRotation,
        outbox: Outbox,
        acknowledging: Acknowledging,
        consents: ConsentService,
        cache: MediaCache,
        campaigns: CampaignStore,
        scheduler: Scheduler,
        notify: Callable[[Change], None],
        before_each: Callable[[], None],
        leave: Callable[[], object],
    ) -> None:
        self._connector = connector
        self._sync = sync
        self._rotation = rotation
        self._outbox = outbox
        self._acknowledging = acknowledging
        self._consents = consents
        self._cache = cache
        self._campaigns = campaigns
        self._notify = notify
        self._before_each = before_each
        self._leave = leave
        self._busy = threading.Semaphore(_TASKS)
        self._quiet = threading.Lock()
        self._ending = self._stopped = False
        self._clients: dict[str, ApiClient] = {}
        self._clients_lock = threading.Lock()
        self._not_before = 0.0
        self._refused_media: dict[str, float] = {}
        self._unlucky_media: Counter[str] = Counter()
        self._refused_documents = 0
        self._fault: errors.TidingsError | None = None
        self._receipt_fault: ReceiptRefused | None = None
        self._checked = False
        self._revocation: errors.TokenRefused | None = None
        self._pace = {name: Pace() for name in _NAMES}
        self.poll = self._task(scheduler, _POLL, self._poll)
        self.fetch = self._task(scheduler, _FETCH, self._fetch)
        self.send = self._task(scheduler, _SEND, self._send)

    def _task(self, scheduler: Scheduler, name: str, job: Job) -> Task:
        return scheduler.task(
            name, self._guarded(name, job), lambda: self._pace[name].woken(self._interval_s())
        )

    def _interval_s(self) -> float:
        """The company's poll interval."""
        enrolment = self._connector.enrolment()
        return enrolment.poll_interval_s if enrolment else limits.POLL_INTERVAL_S

    def wake_all(self) -> None:
        for task in (self.poll, self.send, self.fetch):
            task.wake()

    def keychain_answered(self) -> None:
        """Late, when nobody waited any more."""
        self.wake_all()
        self._notify(Change.STATUS)

    def connected(self) -> None:
        """The enrolment is another one now."""
        self._revocation, self._fault, self._receipt_fault = None, None, None
        self._acknowledging.fault = None
        self._checked, self._refused_documents = False, 0
        self._not_before = 0.0
        self._refused_media.clear()
        self.wake_all()

    def once(self) -> None:
        """Poll, fetch and send, on this thread. Raises the first error."""
        self._before_each()
        self._poll()
        self._fetch()
        self._send()

    def send_once(self) -> None:
        """Send, on this thread. Raises the first error."""
        self._before_each()
        self._send()

    @contextmanager
    def quiet(self, patience_s: float = limits.REQUEST_DEADLINE_S) -> Iterator[None]:
        """Within, no task runs: what is under way is ended, what cannot be is awaited so long, and what is due waits."""
        with self._quiet:
            self._ending = True
            held = self._settle(patience_s)
            self._ending = False
            try:
                yield
            finally:
                self._busy.release(held) if held else None
                self.wake_all()

    def stop(self) -> None:
        """End what is under way, for good, and wait a little for it."""
        self._stopped = True
        held = self._settle(limits.STOP_TIMEOUT_S)
        self._busy.release(held) if held else None

    def _settle(self, patience_s: float) -> int:
        """End what is under way. Returns how many tasks are held: all, unless patience ended."""
        self._interrupt(*_NAMES)
        deadline = time.monotonic() + patience_s
        held = sum(self._busy.acquire(timeout=max(0.0, deadline - time.monotonic())) for _ in range(_TASKS))
        self._drop_client(_POLL)
        return held

    def interrupt_sending(self) -> None:
        """A consent was withdrawn: what is on its way is cut off. The rest is sent again."""
        self._interrupt(_SEND)

    @property
    def revoked(self) -> bool:
        return self._revocation is not None

    def connection(self) -> Connection:
        if self._connector.enrolment() is None:
            return Connection.NOT_CONNECTED
        if self.revoked:
            return Connection.REVOKED
        if self._fault is not None and not isinstance(self._fault, errors.KeychainWaiting):
            return Connection.OFFLINE
        return Connection.CONNECTED if self._checked else Connection.CONNECTING

    def troubles(self) -> tuple[Trouble, ...]:
        """What people should know, in their language."""
        found: list[errors.TidingsError] = []
        if self._revocation is not None:
            found.append(self._revocation)
        elif self._fault is not None:
            found.append(self._fault)
        stale = self._stale()
        if stale is not None:
            found.append(stale)
        keychain = self._connector.token.fault
        if keychain is not None and keychain is not self._fault:
            found.append(keychain)
        if self._refused_documents:
            found.append(errors.DocumentRefused())
        if self._receipt_fault is not None:
            found.append(self._receipt_fault)
        if self._acknowledging.fault is not None:
            found.append(self._acknowledging.fault)
        found.extend(self._consents.faults)
        return tuple(trouble(each) for each in found)

    def _stale(self) -> errors.TidingsError | None:
        """What is to be said of the server's statements. While it does not answer, that is what is said."""
        enrolment = self._connector.enrolment()
        if enrolment is None or self.revoked or isinstance(self._fault, errors.ClockDiffers):
            return None
        if self._fault is not None and not isinstance(self._fault, errors.FeedRefused):
            return None
        return enrolment.freshness.trouble()

    # The three tasks

    def _poll(self) -> float | None:
        if self._connector.is_leaving:
            self._leave()
            self._notify(Change.STATUS)
        client = self._client(_POLL)
        try:
            outcome = self._sync.step(client)
        except (errors.FeedRefused, errors.ClockDiffers):
            self._connector.reload()
            raise
        self._rotation.step(client)
        was_offline = self._fault is not None
        self._fault, self._checked = None, True
        if self._connector.reload():
            self._consents.catch_up()
            self._notify(Change.CONSENT)
        if outcome.changed:
            self._refused_documents = outcome.refused
            self._refused_media.clear()
            self._notify(Change.CAMPAIGNS)
        if outcome.changed or was_offline:
            self.fetch.wake()
            self.send.wake()
        self._notify(Change.STATUS)
        return self._pace[_POLL].succeeded(outcome.poll_interval_s)

    def _fetch(self) -> float | None:
        needed = self._logo()
        needed += files_needed((item.campaign for item in self._campaigns.candidates()), i18n.language())
        missing = [file for file in needed if self._cache.path(file.sha256) is None and self._may_fetch(file)]
        if missing:
            with self._own_client(_FETCH) as client:
                for file in sorted(missing, key=lambda file: self._unlucky_media[file.sha256]):
                    self._fetch_one(client, file)
        kept = files_needed((item.campaign for item in self._campaigns.inbox()), i18n.language())
        self._cache.evict(self._logo() + kept)
        return limits.MEDIA_RETRY_S if self._refused_media else None

    def _logo(self) -> list[MediaFile]:
        enrolment = self._connector.enrolment()
        logo = enrolment.company.logo if enrolment else None
        return [MediaFile(logo.sha256, logo.size, limits.LOGO_MAX_BYTES)] if logo else []

    def _may_fetch(self, file: MediaFile) -> bool:
        return self._refused_media.get(file.sha256, 0.0) <= time.monotonic()

    def _fetch_one(self, client: ApiClient, file: MediaFile) -> None:
        try:
            self._cache.fetch(client, file)
        except (errors.MediaRefused, errors.Refused) as error:
            if isinstance(error, errors.TokenRefused):
                raise
            log.warning("A file was refused: %s", error.detail)
            self._refused_media[file.sha256] = time.monotonic() + limits.MEDIA_RETRY_S
            return
        except errors.EnvironmentFault:
            self._unlucky_media[file.sha256] += 1
            raise
        self._refused_media.pop(file.sha256, None)
        self._notify(Change.CAMPAIGNS)

    def _send(self) -> float | None:
        done = self._consents.catch_up()
        if self._anything_waits():
            try:
                with self._own_client(_SEND) as client:
                    send_all.all_of(client, (self._outbox.send, self._acknowledging.send))
                self._receipt_fault = None
            except ReceiptRefused as fault:
                self._receipt_fault = fault
                self._notify(Change.STATUS)
                raise
            finally:
                if self._outbox.consent_changed():
                    self.poll.wake()
                    self._notify(Change.CONSENT)
            self._notify(Change.STATUS)
        return None if done else limits.CATCH_UP_S

    def _anything_waits(self) -> bool:
        """What cannot be counted may wait; a disk that fails must keep no withdrawal back."""
        try:
            return bool(self._outbox.waiting() or self._acknowledging.waiting())
        except (errors.DiskFault, errors.StoreDamaged):
            return True

    # Faults

    def _guarded(self, name: str, job: Job) -> Job:
        """Run a job, and turn each fault into a state and a time for the next try."""
        pace = self._pace[name]

        def run() -> float | None:
            with self._busy:
                try:
                    self._before_each()
                except LockLost:
                    self._notify(Change.STATUS)
                    return None
                if self.revoked or self._ending or self._stopped:
                    return None
                if (wait := self._not_before - time.monotonic()) > 0:
                    return wait + pace.woken(self._interval_s())
                try:
                    delay = job()
                except (errors.NotConnected, errors.Interrupted):
                    return None
                except errors.TokenRefused as refusal:
                    self._token_refused(refusal)
                    return None
                except errors.ServerBusy as busy:
                    return self._failed(name, busy, self._after(busy, pace))
                except (errors.EnvironmentFault, errors.Refused) as fault:
                    return self._failed(name, fault, pace.failed(self._interval_s()))
            pace.succeeded(self._interval_s())
            return delay

        return run

    def _after(self, busy: errors.ServerBusy, pace: Pace) -> float:
        """At least as long as the server says, whoever wakes a task meanwhile, and not all at the same time."""
        if busy.retry_after_s is None:
            return pace.failed(self._interval_s())
        self._not_before = time.monotonic() + busy.retry_after_s
        return pace.busy(busy.retry_after_s, self._interval_s())

    def _failed(self, name: str, fault: errors.TidingsError, delay: float) -> float:
        log.warning("%s: %s (%s); next try in %.0f s.", name, type(fault).__name__, fault.detail, delay)
        if name == _POLL:
            self._fault = fault
            self._drop_client(_POLL)
            self._notify(Change.STATUS)
        return delay

    def _token_refused(self, refusal: errors.TokenRefused) -> None:
        log.warning("This computer must be connected again: %s", refusal.detail)
        self._revocation = refusal
        self._connector.token.forget()
        self._drop_client(_POLL)
        self._notify(Change.STATUS)

    # Ways to the server, one a task. That of the poll stays open.

    def _client(self, name: str) -> ApiClient:
        client = self._clients.get(name) or self._connector.client()
        with self._clients_lock:
            self._clients[name] = client
            if self._ending or self._stopped:
                raise errors.Interrupted("about to end")
        return client

    @contextmanager
    def _own_client(self, name: str) -> Iterator[ApiClient]:
        try:
            yield self._client(name)
        finally:
            self._drop_client(name)

    def _drop_client(self, name: str) -> None:
        with self._clients_lock:
            client = self._clients.pop(name, None)
        if client is not None:
            client.close()

    def _interrupt(self, *names: str) -> None:
        with self._clients_lock:
            for name in names:
                if name in self._clients:
                    self._clients[name].abort()


def trouble(fault: errors.TidingsError) -> Trouble:
    """A fault, for people."""
    return Trouble(type(fault).__name__, fault.title, fault.message)
