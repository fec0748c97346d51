"""What the agent does by itself: poll, fetch media, send. One task each, every fault told apart."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing

from agent import errors, policy, scheduling
from agent.api_client import ApiClient
from agent.connection import Connector
from agent.media import MediaCache, MediaFile, files_needed
from agent.model import Change, Connection, Trouble
from agent.outbox import Outbox
from agent.scheduling import Backoff, Scheduler
from agent.store.campaigns import CampaignStore
from agent.sync import Sync
from resources import i18n

log = logging.getLogger(__name__)

Job = Callable[[], float | None]


class Work:
    """Three tasks over one connection. ``notify`` is called on a worker."""

    def __init__(
        self,
        connector: Connector,
        sync: Sync,
        outbox: Outbox,
        cache: MediaCache,
        campaigns: CampaignStore,
        scheduler: Scheduler,
        notify: Callable[[Change], None],
    ) -> None:
        self._connector = connector
        self._sync = sync
        self._outbox = outbox
        self._cache = cache
        self._campaigns = campaigns
        self._notify = notify
        self._busy = threading.Semaphore(3)
        self._poll_client: ApiClient | None = None
        self._refused_media: set[str] = set()
        self._refused_documents = 0
        self._fault: errors.TidingsError | None = None
        self._checked = False
        self._revocation: errors.TokenRefused | None = None
        self.poll = scheduler.task("poll", self._guarded("poll", self._poll))
        self.fetch = scheduler.task("fetch", self._guarded("fetch", self._fetch))
        self.send = scheduler.task("send", self._guarded("send", self._send))

    def wake_all(self) -> None:
        for task in (self.poll, self.send, self.fetch):
            task.wake()

    def connected(self) -> None:
        """The enrolment is another one now."""
        self._revocation, self._fault = None, None
        self._checked, self._refused_documents = False, 0
        self._close_poll_client()
        self._refused_media.clear()
        self.wake_all()

    def once(self) -> None:
        """Poll, fetch and send, on this thread. Raises the first error."""
        self._poll()
        self._fetch()
        self._send()

    def wait_until_idle(self, seconds: float) -> None:
        """Wait for runs under way, up to a time."""
        deadline = time.monotonic() + seconds
        for _ in range(3):
            self._busy.acquire(timeout=max(0.0, deadline - time.monotonic()))
        self._close_poll_client()

    @property
    def revoked(self) -> bool:
        return self._revocation is not None

    def connection(self) -> Connection:
        if self._connector.enrolment() is None:
            return Connection.NOT_CONNECTED
        if self.revoked:
            return Connection.REVOKED
        if self._fault is not None:
            return Connection.OFFLINE
        return Connection.CONNECTED if self._checked else Connection.CONNECTING

    def troubles(self) -> tuple[Trouble, ...]:
        """What people should know, in their language."""
        found: list[errors.TidingsError] = []
        if self._revocation is not None:
            found.append(self._revocation)
        elif self._fault is not None:
            found.append(self._fault)
        keychain = self._connector.keychain_fault
        if keychain is not None and keychain is not self._fault:
            found.append(keychain)
        if self._refused_documents:
            found.append(errors.DocumentRefused())
        return tuple(Trouble(type(each).__name__, each.title, each.message) for each in found)

    # The three tasks

    def _poll(self) -> float | None:
        client = self._poll_client or self._connector.client()
        self._poll_client = client
        outcome = self._sync.step(client)
        was_offline = self._fault is not None
        self._fault, self._checked = None, True
        if outcome.changed:
            self._refused_documents = outcome.refused
            self._refused_media.clear()
            if self._connector.reload():
                self._notify(Change.CONSENT)
            self._notify(Change.CAMPAIGNS)
        if outcome.changed or was_offline:
            self.fetch.wake()
            self.send.wake()
        self._notify(Change.STATUS)
        return scheduling.jittered(outcome.poll_interval_s)

    def _fetch(self) -> float | None:
        needed = files_needed((item.campaign for item in self._campaigns.candidates()), i18n.language())
        missing = [
            file
            for file in needed
            if self._cache.path(file.sha256) is None and file.sha256 not in self._refused_media
        ]
        if missing:
            with closing(self._connector.client()) as client:
                for file in missing:
                    self._fetch_one(client, file)
        kept = files_needed((item.campaign for item in self._campaigns.inbox()), i18n.language())
        self._cache.evict(kept)
        return None

    def _fetch_one(self, client: ApiClient, file: MediaFile) -> None:
        try:
            self._cache.fetch(client, file)
        except (errors.MediaRefused, errors.Refused) as error:
            if isinstance(error, errors.TokenRefused):
                raise
            log.warning("A file was refused: %s", error.detail)
            self._refused_media.add(file.sha256)
            return
        self._notify(Change.CAMPAIGNS)

    def _send(self) -> float | None:
        if not self._outbox.waiting():
            return None
        with closing(self._connector.client()) as client:
            self._outbox.send(client)
        self._notify(Change.STATUS)
        return None

    # Faults

    def _guarded(self, name: str, job: Job) -> Job:
        """Run a job, and turn each fault into a state and a time for the next try."""
        backoff = Backoff()

        def run() -> float | None:
            if self.revoked:
                return None
            with self._busy:
                try:
                    delay = job()
                except errors.NotConnected:
                    return None
                except errors.TokenRefused as refusal:
                    self._token_refused(refusal)
                    return None
                except errors.ServerBusy as busy:
                    return self._failed(name, busy, self._after(busy, backoff))
                except (errors.EnvironmentFault, errors.Refused) as fault:
                    return self._failed(name, fault, backoff.failed())
            backoff.succeeded()
            return delay

        return run

    def _after(self, busy: errors.ServerBusy, backoff: Backoff) -> float:
        """At least as long as the server says, and not all at the same time."""
        wait = backoff.failed()
        if busy.retry_after_s is None:
            return wait
        return busy.retry_after_s + random.uniform(0, max(1.0, busy.retry_after_s * policy.POLL_JITTER_SHARE))

    def _failed(self, name: str, fault: errors.TidingsError, delay: float) -> float:
        log.warning("%s: %s (%s); next try in %.0f s.", name, type(fault).__name__, fault.detail, delay)
        if name == "poll":
            self._fault = fault
            self._close_poll_client()
            self._notify(Change.STATUS)
        return delay

    def _token_refused(self, refusal: errors.TokenRefused) -> None:
        log.warning("This computer must be connected again: %s", refusal.detail)
        self._revocation = refusal
        self._connector.forget_token()
        self._close_poll_client()
        self._notify(Change.STATUS)

    def _close_poll_client(self) -> None:
        client, self._poll_client = self._poll_client, None
        if client is not None:
            client.close()
