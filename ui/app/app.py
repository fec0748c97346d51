"""The composition root: what is made when, and who is connected to whom.

Start order, each step logged: log, single instance, Qt, tray icon; only then, on a worker, the agent with its network and
database libraries; then the presenter and whatever window the state asks for.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from time import sleep as wait
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, QTimer
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QApplication

from agent.domain import errors, limits
from agent.ipc import calls, channel, running_instance
from agent.ipc.instance_lock import InstanceLock
from agent.system import garbage_collection, log_setup
from agent.system.dirs import Folders
from resources import i18n
from ui.app.shutdown import Shutdown, SignalWatch
from ui.core import qt_logging
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.core.desktop_errors import NoScreen
from ui.desktop import screen, single_instance
from ui.desktop.single_instance import InboxRequests
from ui.tray.availability import TrayWatch
from ui.tray.menu import Tray

if TYPE_CHECKING:
    from ui.app.session import Session
    from ui.windowing.message_window import MessageWindow

log = logging.getLogger(__name__)

LEAVE_DEADLINE_S = 2.0
"""How long the process may still wait for threads of the agent after everything is written and closed."""


def run(options: argparse.Namespace) -> int:
    """Run in the tray until asked to end. Returns the exit code."""
    try:
        folders = Folders.standard()
    except errors.NoHome as error:
        return _say(error)
    log_setup.set_up(options.log_level, folders.logs)
    qt_logging.install()
    log.info("Start, 1 of 5: single instance.")
    minimized = bool(getattr(options, "minimized", False))
    try:
        lock = single_instance.lock_or_show(folders, show=not minimized)
        if lock is None:
            return 0
        if not screen.has_screen():
            lock.release()
            return _say(NoScreen(single_instance.display()))
        log.info("Start, 2 of 5: Qt.")
        application = _make_application()
    except errors.AlreadyRunning as error:
        return _say_where(error, minimized=minimized)
    except (errors.DiskFault, OSError) as error:
        log.error("The runtime folder: %s", error)
        return _say(error if isinstance(error, errors.DiskFault) else errors.DiskFault(str(error)))
    app = App(application, folders, lock, minimized=minimized)
    code = application.exec()
    app.finish()
    _leave(code)
    lock.release()  # not sooner: another agent would work with the data while this one stops
    return code


def _say(fault: errors.TidingsError) -> int:
    """On standard error. Returns the exit code."""
    sys.stderr.write(f"{fault.title}. {fault.message}\n")
    return 1


def _say_where(fault: errors.AlreadyRunning, *, minimized: bool) -> int:
    """It runs already, on another display or without windows. Returns the exit code."""
    _say(fault)
    if minimized:
        return 0
    if single_instance.display() and not sys.stderr.isatty() and screen.has_screen():
        _show_for_a_while(fault)
    return 1


def _show_for_a_while(fault: errors.TidingsError) -> None:
    """Who started this from a menu sees no standard error."""
    application = _make_application()
    from ui.style.apply import apply_theme
    from ui.style.theme import Theme
    from ui.windowing.message_window import MessageWindow

    theme = Theme.of_system()
    apply_theme(application, theme)
    window = MessageWindow(theme, fault.title, fault.message)
    window.closed.connect(application.quit)
    QTimer.singleShot(limits.POPUP_TIMEOUT_MS, application.quit)
    window.show()
    application.exec()


def _make_application() -> QApplication:
    if sys.platform == "linux":
        # Nothing is drawn by OpenGL here; not loading it saves memory.
        os.environ.setdefault("QT_XCB_GL_INTEGRATION", "none")
        if os.environ.get("WAYLAND_DISPLAY") and screen.has_x_server():
            # A Wayland window cannot say where it wants to be; one of XWayland can.
            os.environ.setdefault("QT_QPA_PLATFORM", "xcb")
    QApplication.setQuitLockEnabled(False)
    application = QApplication([sys.argv[0] if sys.argv else "tidings"])
    application.setQuitOnLastWindowClosed(False)
    application.setApplicationName("tidings")
    application.setApplicationDisplayName("Tidings")
    application.setDesktopFileName("tidings")
    if sys.platform in ("win32", "darwin") and "TIDINGS_LANGUAGE" not in os.environ:
        i18n.use_language(QLocale.system().name().split("_")[0])
    return application


def _leave(code: int) -> None:
    """End now if a thread of the agent still waits for the network: all is closed, nothing can be lost any more."""
    others = [
        thread
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.daemon
    ]
    for thread in others:
        thread.join(LEAVE_DEADLINE_S / len(others))
    if any(thread.is_alive() for thread in others):
        log.warning("Left while a request was still waiting for its answer.")
        logging.shutdown()
        os._exit(code)


class App(QObject):
    """Everything that lives as long as the program."""

    def __init__(
        self,
        application: QApplication,
        folders: Folders,
        lock: InstanceLock,
        *,
        minimized: bool,
    ) -> None:
        super().__init__()
        self._application = application
        self._folders = folders
        self._lock = lock
        self._minimized = minimized
        self._session: Session | None = None
        self._message: MessageWindow | None = None
        self._show_when_ready = False
        self._bridge = Bridge(self)
        self._signals = SignalWatch(self)
        self._shutdown = Shutdown(self._bridge, self)
        self._shutdown.finished.connect(application.quit)
        self._signals.caught.connect(lambda name: self._shutdown.request(name))
        application.commitDataRequest.connect(self._session_ends)
        self._opened: Future[Agent] = Future()
        self._inbox_requests = InboxRequests(self)
        self._inbox_requests.received.connect(lambda: self._show_inbox())
        self._shutdown.first(self._answer_commands())
        log.info("Start, 3 of 5: tray icon.")
        self._tray = Tray(parent=self)
        self._tray.open_inbox.connect(lambda: self._show_inbox())
        self._tray.quit_wanted.connect(lambda: self._shutdown.request("menu"))
        self._shutdown.first(self._tray.close)
        self._tray_watch = TrayWatch(self._tray.show, self)
        self._tray_watch.missing.connect(lambda: self._show_inbox(activate=False))
        self._tray_watch.start()
        QTimer.singleShot(0, self._open_agent)

    def finish(self) -> None:
        """After the event loop: put signals back, and free Qt's objects before the interpreter goes."""
        self._signals.close()
        self._session = None

    def _open_agent(self) -> None:
        log.info("Start, 4 of 5: the agent, on a worker.")
        self._bridge.run_in_worker(
            lambda: open_agent(self._folders, self._lock), self._agent_opened, self._agent_failed, "open"
        )

    def _agent_opened(self, agent: Agent) -> None:
        if self._shutdown.requested:
            self._bridge.run_in_worker(agent.stop, lambda _none: None, lambda _error: None, "stop")
            return
        log.info("Start, 5 of 5: presenter and windows.")
        from ui.app.session import Session

        self._session = Session(self._application, agent, self._bridge, self._tray, parent=self)
        self._shutdown.first(self._session.close)
        self._shutdown.then(agent.stop)
        self._opened.set_result(agent)
        agent.start()
        self._session.begin(open_windows=not self._minimized)
        if self._show_when_ready:
            self._session.show_inbox()
        garbage_collection.settle()
        log.info("Started.")

    def _answer_commands(self) -> Callable[[], None]:
        """What commands ask waits until the agent is open. Returns how to end that."""
        return channel.Channel(
            self._lock,
            partial(
                calls.answer,
                self._open,
                data=running_instance.data_mark(self._folders.data),
                show_inbox=self._inbox_requests.ask,
            ),
        ).close

    def _open(self) -> Agent:
        """The agent, on a thread of the channel. Raises the error that it did not open with, AlreadyRunning."""
        try:
            return self._opened.result(limits.CONTROL_READY_S)
        except TimeoutError as error:
            raise errors.AlreadyRunning("it is not open yet") from error

    def _agent_failed(self, error: errors.TidingsError) -> None:
        """The store cannot be opened: say so, and leave when that was read."""
        log.error("The agent did not open: %s: %s", type(error).__name__, error.detail)
        self._opened.set_exception(error)
        from ui.style.apply import apply_theme
        from ui.style.theme import Theme
        from ui.windowing.message_window import MessageWindow

        theme = Theme.of_system()
        apply_theme(self._application, theme)
        self._message = MessageWindow(theme, error.title, error.message)
        self._message.closed.connect(lambda: self._shutdown.request("the store cannot be opened"))
        self._message.show()

    def _show_inbox(self, *, activate: bool = True) -> None:
        if self._session is not None:
            self._session.show_inbox(activate=activate)
        else:
            self._show_when_ready = True

    def _session_ends(self, manager: QSessionManager) -> None:
        manager.setRestartHint(QSessionManager.RestartHint.RestartNever)
        self._shutdown.request("the desktop session ends")


STORE_AGAIN_AFTER_S = (1.0, 4.0)
"""A fault of a moment, as when folders are only being mounted, must not cost the announcements of a whole session."""


def open_agent(folders: Folders, lock: InstanceLock) -> Agent:
    """Import the agent and open its store: on a worker, after the tray icon is shown. Raises StoreTooNew.

    Without a store that can be read it runs all the same, so that a person can take back what they shared.
    """
    from agent.runtime import Runtime

    for wait_s in (*STORE_AGAIN_AFTER_S, None):
        try:
            return Runtime.open(folders, lock=lock)
        except errors.DiskFault as error:
            log.warning("The store could not be opened: %s", error.detail)
        if wait_s is not None:
            wait(wait_s)
    log.warning("It runs without its store.")
    return Runtime.open(folders, lock=lock, store_needed=False)
