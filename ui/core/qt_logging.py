"""What Qt would swallow or print by itself goes to the log: exceptions in slots, and Qt's own messages."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

log = logging.getLogger(__name__)
qt_log = logging.getLogger("qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}

_ENVIRONMENT = (
    "pipewire-0.3",
    "org.freedesktop.portal",
    "QStandardPaths: ",
    "does not support raise()",
    "does not support propagateSizeHints()",
    "Could not open ALSA",
    "Failed to start audio",
    "PulseAudioService",
    "No audio device detected",
    "Couldn't load va",
    "No RHI backend",
)
"""Messages on what this computer lacks and the program does without: told at the level of information."""


def install() -> None:
    """Send uncaught exceptions of every thread and Qt's messages to the log. Neither ends the program."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    qInstallMessageHandler(_qt_message)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.error("Uncaught exception; the program goes on.", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else "unknown"
        log.error(
            "Uncaught exception in thread %s.",
            name,
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        )


def _qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    level = _LEVELS.get(kind, logging.WARNING)
    if any(known in text for known in _ENVIRONMENT):
        level = logging.INFO
    qt_log.log(level, "%s: %s", context.category or "default", text)
