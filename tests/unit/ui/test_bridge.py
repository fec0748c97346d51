"""From the agent's threads to the main thread."""

import threading

import pytest
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import Change
from tests.support.threads import Threads
from ui.core.bridge import Bridge


def test_what_a_worker_answers_is_told_on_the_main_thread(qtbot: QtBot) -> None:
    bridge, told = Bridge(), []
    bridge.run_in_worker(
        threading.current_thread,
        lambda worker: told.append((worker, threading.current_thread())),
        told.append,
    )
    qtbot.waitUntil(lambda: bool(told))
    worker, teller = told[0]
    assert worker is not threading.main_thread()
    assert teller is threading.main_thread()


def test_a_fault_of_a_worker_is_told_with_its_sentence(qtbot: QtBot) -> None:
    bridge, told = Bridge(), []

    def work() -> None:
        raise errors.CodeRefused("404")

    bridge.run_in_worker(work, told.append, told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told[0], errors.CodeRefused)


@pytest.mark.expected_logs("failed")
def test_a_bug_in_a_worker_is_logged_and_still_answered(qtbot: QtBot) -> None:
    bridge, told = Bridge(), []
    bridge.run_in_worker(lambda: 1 // 0, told.append, told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert type(told[0]) is errors.TidingsError
    assert told[0].title


@pytest.mark.expected_logs("did not begin")
def test_work_for_which_there_is_no_thread_is_answered_too(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge, told, threads = Bridge(), [], Threads("inbox", monkeypatch)
    bridge.run_in_worker(lambda: 1, told.append, told.append, "inbox")
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told[0], errors.EnvironmentFault)
    threads.left = 1
    bridge.run_in_worker(lambda: 1, told.append, told.append, "inbox")
    qtbot.waitUntil(lambda: told[1:] == [1])


def test_many_changes_from_many_threads_arrive_as_one_on_the_main_thread(qtbot: QtBot) -> None:
    bridge, told = Bridge(), []
    bridge.changed.connect(lambda changes: told.append((changes, threading.current_thread())))
    threads = [threading.Thread(target=bridge.listen, args=(change,)) for change in [*Change] * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    qtbot.waitUntil(lambda: bool(told))
    assert told == [(frozenset(Change), threading.main_thread())]


def test_nothing_is_told_after_closing(qtbot: QtBot) -> None:
    bridge, told = Bridge(), []
    bridge.changed.connect(told.append)
    bridge.listen(Change.STATUS)
    bridge.close()
    bridge.listen(Change.CAMPAIGNS)
    bridge.post(lambda: told.append("posted"))
    qtbot.wait(20)
    assert told == []
