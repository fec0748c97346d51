"""What the agent does by itself: poll, fetch media, send. One task each, every fault told apart."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.background.connections import Connections, TaskName
from agent.background.faults import Faults
from agent.background.media_fetcher import MediaFetcher
from agent.background.pacing import Pace
from agent.background.poller import Poller
from agent.background.scheduler import Scheduler, Task
from agent.background.sender import Sender
from agent.campaigns.feed_sync import Sync
from agent.campaigns.media_cache import MediaCache
from agent.campaigns.trials import Trials
from agent.domain import errors, limits
from agent.domain.model import Change, ConnectionState, Trouble
from agent.domain.ports import Clock
from agent.enrolment.service import EnrolmentService
from agent.enrolment.token_rotation import TokenRotation
from agent.ipc.instance_lock import LockLost
from agent.outbox.acknowledgements import AcknowledgementSender
from agent.outbox.signals import Outbox
from agent.privacy.choices import ConsentService
from agent.store.campaigns import CampaignStore

log = logging.getLogger(__name__)

Job = Callable[[], float | None]


class Background:
    """The three tasks. ``notify`` is called on a worker, ``before_each`` before each run of a task.

    ``leave`` ends a disconnection that an earlier process began.
    """

    def __init__(
        self,
        connector: EnrolmentService,
        sync: Sync,
        rotation: TokenRotation,
        outbox: Outbox,
        acknowledgement_sender: AcknowledgementSender,
        consents: ConsentService,
        cache: MediaCache,
        campaigns: CampaignStore,
        trials: Trials,
        scheduler: Scheduler,
        notify: Callable[[Change], None],
        before_each: Callable[[], None],
        leave: Callable[[], object],
        clock: Clock,
    ) -> None:
        self._connector = connector
        self._clock = clock
        self._acknowledgement_sender = acknowledgement_sender
        self._consents = consents
        self._notify = notify
        self._before_each = before_each
        self._connections = Connections(connector.client)
        self._poller = Poller(connector, sync, rotation, consents, self._connections, notify, leave)
        self._fetcher = MediaFetcher(connector, campaigns, trials, cache, self._connections, notify)
        self._sender = Sender(
            outbox, acknowledgement_sender, consents, self._connections, notify, lambda: self.poll.wake()
        )
        self._busy = threading.Semaphore(len(TaskName))
        self._quiet = threading.Lock()
        self._not_before = self._refused_until = 0.0
        self._faults = Faults()
        self._pace = {name: Pace() for name in TaskName}
        self.poll = self._task(scheduler, TaskName.POLL, self._poll)
        self.fetch = self._task(scheduler, TaskName.FETCH, self._fetcher.fetch)
        self.send = self._task(scheduler, TaskName.SEND, lambda: self._sender.send(self._faults))

    def _task(self, scheduler: Scheduler, name: TaskName, job: Job) -> Task:
        return scheduler.task(
            name, self._guarded(name, job), lambda: self._pace[name].woken(self._interval_s())
        )

    def _interval_s(self) -> float:
        """The company's poll interval."""
        enrolment = self._connector.enrolment()
        return enrolment.poll_interval_s if enrolment else limits.POLL_INTERVAL_S

    def wake_all(self) -> None:
        """Run each task soon."""
        for task in (self.poll, self.send, self.fetch):
            task.wake()

    def keychain_answered(self) -> None:
        """Late, when nobody waited any more."""
        self.wake_all()
        self._notify(Change.STATUS)

    def connected(self) -> None:
        """The enrolment is another one now."""
        self._faults = Faults()
        self._acknowledgement_sender.fault = None
        self._not_before = 0.0
        self._fetcher.try_refused_again()
        self.wake_all()

    def put_off(self, fault: errors.TidingsError) -> None:
        """What was to be done at once failed: it is tried again after a back-off, whoever wakes a task meanwhile."""
        self._not_before = time.monotonic() + self._failed(
            TaskName.POLL, fault, self._pace[TaskName.POLL].failed(self._interval_s())
        )

    def once(self) -> None:
        """Poll, fetch and send, on this thread. Raises the first error."""
        self._before_each()
        self.poll_once()
        self._fetcher.fetch()
        self._sender.send(self._faults)

    def poll_once(self) -> float:
        """Poll, on this thread, and wake the others if there is something for them. Returns the wait in seconds.

        Raises the first error.
        """
        polled = self._poller.poll(self._faults)
        if polled.changed:
            self._fetcher.try_refused_again()
        if polled.changed or polled.is_back:
            self.fetch.wake()
            self.send.wake()
        return self._pace[TaskName.POLL].succeeded(polled.interval_s)

    def _poll(self) -> float:
        """Poll. A server that did not know this computer is told first what is owed: that cannot wait for a new code."""
        if not self.revoked:
            return self.poll_once()
        self._sender.send(self._faults)
        delay = self.poll_once()
        log.info("The server knows this computer again.")
        self._faults.revocation = None
        self.send.wake()
        self.fetch.wake()
        self._notify(Change.STATUS)
        return delay

    def send_once(self) -> None:
        """Send, on this thread. Raises the first error."""
        self._before_each()
        self._sender.send(self._faults)

    @contextmanager
    def quiet(self, patience_s: float = limits.REQUEST_DEADLINE_S) -> Iterator[None]:
        """Within, no task runs: what is under way is ended, what cannot be is awaited so long, and what is due waits."""
        with self._quiet:
            self._connections.pause()
            held = self._settle(patience_s)
            self._connections.resume()
            try:
                yield
            finally:
                self._busy.release(held) if held else None
                self.wake_all()

    def stop(self) -> None:
        """End what is under way, for good, and wait a little for it."""
        self._connections.end()
        held = self._settle(limits.STOP_TIMEOUT_S)
        self._busy.release(held) if held else None

    def _settle(self, patience_s: float) -> int:
        """Wait for what was under way. Returns how many tasks are held: all, unless patience ended."""
        deadline = time.monotonic() + patience_s
        held = sum(self._busy.acquire(timeout=max(0.0, deadline - time.monotonic())) for _ in TaskName)
        self._connections.drop(TaskName.POLL)
        return held

    def interrupt_sending(self) -> None:
        """A consent was withdrawn: what is on its way is cut off. The rest is sent again."""
        self._connections.interrupt(TaskName.SEND)

    @property
    def revoked(self) -> bool:
        """Whether this computer must be connected again."""
        return self._faults.revocation is not None

    def halted(self) -> errors.TidingsError | None:
        """The fault of this computer for which the server is not asked, or its answer not taken."""
        fault = self._faults.of_poll
        is_here = isinstance(fault, (errors.DiskFault, errors.StoreDamaged))
        return fault if is_here and not self.revoked and self._connector.enrolment() is not None else None

    def connection(self) -> ConnectionState:
        """How it stands with the server."""
        fault = self._faults.of_poll
        if self._connector.enrolment() is None:
            return ConnectionState.NOT_CONNECTED
        if self.revoked:
            return ConnectionState.REVOKED
        if fault is not None and not isinstance(fault, errors.KeychainWaiting):
            return ConnectionState.OFFLINE
        return ConnectionState.CONNECTED if self._faults.answered else ConnectionState.CONNECTING

    def troubles(self) -> tuple[Trouble, ...]:
        """What people should know, in their language."""
        faults = self._faults
        found: list[errors.TidingsError | None] = [faults.revocation or faults.of_poll, self._stale()]
        keychain = self._connector.token.fault
        if keychain is not faults.of_poll:
            found.append(keychain)
        if faults.refused_documents:
            found.append(errors.DocumentRefused())
        found += [faults.of_receipt, self._acknowledgement_sender.fault, *self._consents.faults]
        return tuple(trouble(each) for each in found if each is not None)

    def _stale(self) -> errors.TidingsError | None:
        """What is to be said of the server's statements. While it does not answer, that is what is said."""
        enrolment, fault = self._connector.enrolment(), self._faults.of_poll
        if enrolment is None or self.revoked or isinstance(fault, errors.ClockDiffers):
            return None
        if fault is not None and not isinstance(fault, errors.FeedRefused):
            return None
        return enrolment.freshness.trouble()

    def _guarded(self, name: TaskName, job: Job) -> Job:
        """Run a job, and turn each fault into a state and a time for the next try."""
        pace = self._pace[name]

        def run() -> float | None:
            with self._busy:
                try:
                    self._before_each()
                except LockLost:
                    self._notify(Change.STATUS)
                    return None
                if self._connections.refused or (self.revoked and name is not TaskName.POLL):
                    return None
                if (wait := self._wait_s(pace)) > 0:
                    return wait
                try:
                    delay = job()
                except (errors.NotConnected, errors.Interrupted):
                    return None
                except errors.TokenRefused as refusal:
                    return self._token_refused(name, refusal)
                except errors.ServerBusy as busy:
                    return self._failed(name, busy, self._after(busy, pace))
                except (errors.EnvironmentFault, errors.Refused) as error:
                    return self._failed(name, error, pace.failed(self._interval_s()))
                except OSError as error:
                    disk = errors.DiskFault(str(error))
                    return self._failed(name, disk, pace.failed(self._interval_s()))
            pace.succeeded(self._interval_s())
            return delay

        return run

    def _wait_s(self, pace: Pace) -> float:
        """How long a server that sent this computer away is not asked yet, whoever wakes a task; 0 or less: it may be."""
        if (wait := self._not_before - time.monotonic()) > 0:
            return wait + pace.woken(self._interval_s())
        return self._refused_until - self._clock.elapsed() if self.revoked else 0.0

    def _after(self, busy: errors.ServerBusy, pace: Pace) -> float:
        """At least as long as the server says, whoever wakes a task meanwhile, and not all at the same time."""
        if busy.retry_after_s is None:
            return pace.failed(self._interval_s())
        self._not_before = time.monotonic() + busy.retry_after_s
        return pace.busy(busy.retry_after_s, self._interval_s())

    def _failed(self, name: TaskName, fault: errors.TidingsError, delay: float) -> float:
        log.warning("%s: %s (%s); next try in %.0f s.", name, type(fault).__name__, fault.detail, delay)
        if name == TaskName.POLL:
            self._faults.of_poll = fault
            self._connections.drop(TaskName.POLL)
            self._notify(Change.STATUS)
        return delay

    def _token_refused(self, name: TaskName, refusal: errors.TokenRefused) -> float | None:
        """Only the poll asks again, after hours: anybody in the server's place can refuse, as that is not signed."""
        log.warning("This computer must be connected again: %s", refusal.detail)
        delay = self._pace[TaskName.POLL].refused()
        self._refused_until = self._clock.elapsed() + delay
        self._faults.revocation = refusal
        self._connector.token.forget()
        self._connections.drop(TaskName.POLL)
        self._notify(Change.STATUS)
        if name is TaskName.POLL:
            return delay
        self.poll.wake(delay)
        return None


def trouble(fault: errors.TidingsError) -> Trouble:
    """A fault, for people."""
    return Trouble(type(fault).__name__, fault.title, fault.message)
