"""When things run. The only file that imports apscheduler.

A ``Task`` is woken, runs on a worker thread, and says itself in how many seconds it wants to run again. Waking it while
it runs makes it run once more: no wake-up is lost, and no two runs overlap. (APScheduler alone would drop the second.)
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from agent.domain import limits
from agent.domain.ports import Clock
from agent.system import threads

log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.WARNING)


_UNBOUNDED = 1_000_000
"""A task guards itself against overlap. APScheduler's own limit would drop a wake-up that comes as a run ends."""


class _DaemonThreads(BaseExecutor):  # type: ignore[misc]
    """A thread for each run, which ends with it. A pool's threads would keep a process from ending until they are idle.

    APScheduler forgets a job that it has handed over: what no thread could be started for waits until ``try_again``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: queue.SimpleQueue[tuple[str, Callable[[], None]]] = queue.SimpleQueue()

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        def run() -> None:
            self._run_job_success(job.id, run_job(job, job._jobstore_alias, run_times, self._logger.name))

        self._begin(job.id, run)

    def _begin(self, name: str, run: Callable[[], None]) -> None:
        try:
            threads.start(name, run)
        except OSError as error:
            log.warning("%s waits for a thread: %s", name, error)
            self._waiting.put((name, run))

    def try_again(self) -> None:
        """Begin what waits for a thread, as far as there are any now."""
        for _ in range(self._waiting.qsize()):
            self._begin(*self._waiting.get())


class Scheduler:
    """Worker threads, and a watch over the clock: after sleep or a changed clock every task is woken."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._threads = _DaemonThreads()
        self._scheduler = BackgroundScheduler(
            executors={"default": self._threads},
            job_defaults={"coalesce": True, "max_instances": _UNBOUNDED, "misfire_grace_time": None},
            timezone=UTC,
            daemon=True,
        )
        self._tasks: list[Task] = []
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_clock, name="clock-watch", daemon=True)

    def task(
        self, name: str, run: Callable[[], float | None], after_sleep: Callable[[], float] = lambda: 0.0
    ) -> Task:
        """``run`` returns the seconds until it wants to run again, None for "when woken".

        ``after_sleep``: how many seconds it waits after the computer slept.
        """
        task = Task(name, run, self._scheduler, self._stopping, after_sleep)
        self._tasks.append(task)
        return task

    def start(self) -> None:
        self._scheduler.start()
        self._watch.start()

    def stop(self) -> None:
        """No task starts any more. One that runs ends by itself, bounded by its requests' timeouts."""
        self._stopping.set()
        if self._scheduler.running:
            # APScheduler's thread fails when it is shut down while it hands out a job: let it finish first.
            self._scheduler.pause()
            self._scheduler.remove_all_jobs()
            self._scheduler.shutdown(wait=False)

    @property
    def stopping(self) -> threading.Event:
        return self._stopping

    def _watch_clock(self) -> None:
        offset = self._offset()
        while not self._stopping.wait(limits.CLOCK_WATCH_S):
            self._threads.try_again()
            now = self._offset()
            if abs(now - offset) > limits.CLOCK_JUMP_S:
                log.info("The computer slept, or its clock was set: %+.0f s.", now - offset)
                for task in self._tasks:
                    task.wake(task.after_sleep())
            offset = now

    def _offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()


class Task:
    """A repeated run, which names the seconds until its next one."""

    def __init__(
        self,
        name: str,
        run: Callable[[], float | None],
        scheduler: BackgroundScheduler,
        stopping: threading.Event,
        after_sleep: Callable[[], float],
    ) -> None:
        self.after_sleep = after_sleep
        self._name = name
        self._run = run
        self._scheduler = scheduler
        self._stopping = stopping
        self._lock = threading.Lock()
        self._running = False
        self._again = False

    def wake(self, delay_s: float = 0.0) -> None:
        """Run soon, on a worker. From any thread."""
        with self._lock:
            if self._running:
                self._again = True
            elif not self._stopping.is_set():
                self._schedule(delay_s)

    def _schedule(self, delay_s: float) -> None:
        moment = datetime.now(UTC) + timedelta(seconds=delay_s)
        self._scheduler.add_job(self._work, DateTrigger(moment), id=self._name, replace_existing=True)

    def _work(self) -> None:
        with self._lock:
            if self._running:
                self._again = True
                return
            self._running = True
        delay: float | None = None
        try:
            if not self._stopping.is_set():
                delay = self._run()
        except Exception:  # the outermost door of a worker thread
            log.exception("The task %s failed; it runs again later.", self._name)
            delay = limits.BACKOFF_MAX_S
        finally:
            with self._lock:
                self._running = False
                again, self._again = self._again, False
                if not self._stopping.is_set():
                    if again:
                        self._schedule(0.0)
                    elif delay is not None:
                        self._schedule(delay)
