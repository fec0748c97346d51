"""The way out."""

import os
import signal
import sys
import threading

import pytest
from pytestqt.qtbot import QtBot

from ui.app.shutdown import Shutdown, SignalWatch
from ui.core.bridge import Bridge


def test_windows_close_in_reverse_order_then_the_agent_stops_then_the_loop_ends(qtbot: QtBot) -> None:
    bridge, order = Bridge(), []
    shutdown = Shutdown(bridge)
    shutdown.first(lambda: order.append("tray"))
    shutdown.first(lambda: order.append("window"))
    shutdown.then(
        lambda: order.append("agent" if threading.current_thread() is not threading.main_thread() else "?")
    )
    shutdown.finished.connect(lambda: order.append("loop"))
    with qtbot.waitSignal(shutdown.finished):
        shutdown.request("a test")
    assert order == ["window", "tray", "agent", "loop"]


def test_it_happens_once_whoever_asks(qtbot: QtBot) -> None:
    shutdown, closed = Shutdown(Bridge()), []
    shutdown.first(lambda: closed.append(1))
    shutdown.then(lambda: None)
    with qtbot.waitSignal(shutdown.finished):
        shutdown.request("menu")
        shutdown.request("signal")
    assert closed == [1]


@pytest.mark.expected_logs("Closing failed")
def test_a_part_that_cannot_close_does_not_keep_the_others_open(qtbot: QtBot) -> None:
    shutdown, closed = Shutdown(Bridge()), []
    shutdown.first(lambda: closed.append("tray"))
    shutdown.first(lambda: [].pop())
    with qtbot.waitSignal(shutdown.finished):
        shutdown.request("a test")
    assert closed == ["tray"]


@pytest.mark.expected_logs("did not stop within")
def test_an_agent_that_does_not_stop_does_not_hold_the_program_up(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.app.shutdown.STOP_DEADLINE_MS", 50)
    shutdown, stuck = Shutdown(Bridge()), threading.Event()
    shutdown.then(lambda: stuck.wait() and None)
    try:
        with qtbot.waitSignal(shutdown.finished):
            shutdown.request("a test")
    finally:
        stuck.set()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_heard_while_qt_waits_and_handlers_are_put_back(
    qtbot: QtBot, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    watch = SignalWatch()
    with qtbot.waitSignal(watch.caught) as heard:
        os.kill(os.getpid(), number)
    assert heard.args == [number.name]
    watch.close()
    assert signal.getsignal(number) is before
