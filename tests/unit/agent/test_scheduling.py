"""Tasks on real worker threads: never two runs at once, and no wake-up is lost, whatever the clock does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from agent.background.scheduler import Scheduler
from agent.domain import limits
from tests.support.agent.parts import SettableClock
from tests.support.threads import Threads
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def scheduler(clock: SettableClock) -> Iterator[Scheduler]:
    made = Scheduler(clock)
    yield made
    made.stop()


class Counted:
    """A job that counts its runs and how many are at work at once; it can be held."""

    def __init__(self, delay: float | None = None) -> None:
        self.runs = 0
        self.most_at_once = 0
        self.delay = delay
        self.free = threading.Event()
        self.free.set()
        self._at_work = 0
        self._lock = threading.Lock()

    def __call__(self) -> float | None:
        with self._lock:
            self._at_work += 1
            self.most_at_once = max(self.most_at_once, self._at_work)
        self.free.wait(PATIENCE_S)
        with self._lock:
            self._at_work -= 1
            self.runs += 1
        return self.delay


def test_a_task_that_is_woken_runs_once_on_a_worker(scheduler: Scheduler) -> None:
    threads: list[str] = []
    task = scheduler.task("poll", lambda: threads.append(threading.current_thread().name))
    scheduler.start()
    task.wake()
    until(lambda: threads, "the run")
    assert threads != [threading.main_thread().name]


def test_a_wake_up_before_the_start_is_kept(scheduler: Scheduler) -> None:
    job = Counted()
    scheduler.task("poll", job).wake()
    scheduler.start()
    until(lambda: job.runs == 1, "the run")


def test_a_wake_up_during_a_run_makes_one_more_run_and_never_two_at_once(scheduler: Scheduler) -> None:
    job = Counted()
    task = scheduler.task("poll", job)
    scheduler.start()
    job.free.clear()
    task.wake()
    until(lambda: job._at_work, "the run")
    for _ in range(20):
        task.wake()
    job.free.set()
    until(lambda: job.runs == 2, "the second run")
    assert job.most_at_once == 1


def test_no_wake_up_is_lost_and_no_runs_overlap_under_a_storm(scheduler: Scheduler) -> None:
    """Each run must see all that was asked for before its wake-up, as the sending of events does."""
    asked, seen = Counted(), Counted()

    def look() -> None:
        wanted = asked.runs
        seen()
        seen.runs = wanted

    task = scheduler.task("send", look)
    scheduler.start()
    for _ in range(500):
        asked.runs += 1
        task.wake()
        until(lambda: seen.runs == asked.runs, "the run after a wake-up", every=0.0001)
    assert seen.most_at_once == 1


def test_stopping_while_jobs_are_handed_out_is_quiet(clock: SettableClock) -> None:
    for _ in range(200):
        hurried, ran = Scheduler(clock), threading.Event()
        hurried.task("poll", ran.set).wake()
        hurried.start()
        ran.wait(PATIENCE_S)
        hurried.stop()


def test_many_threads_may_wake_a_task(scheduler: Scheduler) -> None:
    job = Counted()
    task = scheduler.task("send", job)
    scheduler.start()
    threads = [threading.Thread(target=lambda: [task.wake() for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = job.runs
    task.wake()
    until(lambda: job.runs > done, "the last run")
    assert job.most_at_once == 1


def test_a_task_runs_again_when_it_says_so(scheduler: Scheduler) -> None:
    job = Counted(delay=0.01)
    task = scheduler.task("poll", job)
    scheduler.start()
    task.wake()
    until(lambda: job.runs >= 3, "three runs")


@pytest.mark.expected_logs("The task poll failed; it runs again later")
def test_a_bug_in_a_run_does_not_end_its_task(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BACKOFF_MAX_S", 0.01)
    runs: list[int] = []

    def fails_once() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("a bug")

    scheduler.task("poll", fails_once).wake()
    scheduler.start()
    until(lambda: len(runs) == 2, "the run after the bug")


@pytest.mark.expected_logs("waits for a thread")
def test_a_task_for_which_no_thread_could_be_started_runs_once_there_is_one(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLOCK_WATCH_S", 0.01)
    threads, job = Threads("poll", monkeypatch), Counted(delay=0.01)
    task = scheduler.task("poll", job)
    scheduler.start()
    task.wake()
    until(lambda: threads.refused > 3, "some tries")
    assert job.runs == 0
    threads.left = 1
    until(lambda: job.runs > 3, "the runs, as often as the task asks for")
    assert job.most_at_once == 1


def test_after_a_stop_nothing_runs_and_waking_does_no_harm(scheduler: Scheduler) -> None:
    job = Counted(delay=0.0)
    task = scheduler.task("poll", job)
    scheduler.start()
    job.free.clear()
    task.wake()
    until(lambda: job._at_work, "the run")
    scheduler.stop()
    task.wake()
    job.free.set()
    until(lambda: job.runs == 1, "the end of the run under way")
    task.wake()
    assert not [thread for thread in threading.enumerate() if thread.name == "poll" and not thread.daemon]
    assert job.runs == 1


@pytest.mark.parametrize("jump_s", [-10 * 365 * 86_400, -3_600, 3_600, 10 * 365 * 86_400])
def test_a_clock_that_jumps_wakes_every_task(
    scheduler: Scheduler, clock: SettableClock, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    monkeypatch.setattr(limits, "CLOCK_WATCH_S", 0.02)
    jobs = [Counted(), Counted()]
    for number, job in enumerate(jobs):
        scheduler.task(f"task-{number}", job).wake(3_600)
    scheduler.start()
    until(lambda: scheduler._watch.is_alive(), "the watch")
    clock.jump(jump_s)
    until(lambda: all(job.runs for job in jobs), "both runs")


def test_a_clock_that_is_set_right_by_seconds_wakes_nobody(
    scheduler: Scheduler, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLOCK_WATCH_S", 0.01)
    looks = 0
    real = clock.monotonic

    def counted() -> float:
        nonlocal looks
        looks += 1
        return real()

    monkeypatch.setattr(clock, "monotonic", counted)
    job = Counted()
    scheduler.task("poll", job).wake(3_600)
    scheduler.start()
    clock.jump(limits.CLOCK_JUMP_S - 1)
    clock.advance(500)
    until(lambda: looks > 5, "a few looks at the clock")
    assert job.runs == 0
