"""Asking the running agent, from the command line or by a second start: its store is locked to it, and “off” must hold in it.

One question and one answer a connection (`multiprocessing.connection`). The agent begins, with a word of its own: a process
that is stopped is connected to all the same, and would do much later what somebody had asked for and given up.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.domain import errors, limits
from agent.ipc import running_instance
from agent.system.dirs import Folders

if sys.platform == "win32":
    from agent.ipc.named_pipe import Listener, connect
else:
    from agent.ipc.local_socket import Listener, connect

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

log = logging.getLogger(__name__)

READY = b"ready"
"""The agent's first word: it runs, and takes a question."""

Answering = Callable[[bytes], bytes]


class ControlListener:
    """Answers, each question on a thread of its own, until ``close``. Raises DiskFault where nobody can ask."""

    def __init__(self, folder: Path, answer: Answering) -> None:
        self._answer = answer
        self._closed = threading.Event()
        self._deaf = False
        self._room = threading.BoundedSemaphore(limits.CONTROL_AT_ONCE)
        try:
            self._listener = Listener(folder)
        except OSError as error:
            raise errors.DiskFault(f"no socket in the runtime folder: {error}") from error
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Hear nobody any more. What is being answered goes on."""
        if not self._closed.is_set():
            self._closed.set()
            self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection = self._listener.accept()
            except OSError as error:
                if not self._closed.is_set():
                    self._wait(error)
                continue
            self._deaf = False
            if connection is None:
                log.warning("Another user asked the agent; refused.")
                continue
            self._room.acquire()
            try:
                threading.Thread(
                    target=self._serve, args=(connection,), name="control-answer", daemon=True
                ).start()
            except RuntimeError as error:  # no thread can be started now (Python documentation, Thread.start)
                connection.close()
                self._room.release()
                self._wait(error)

    def _wait(self, error: Exception) -> None:
        """No descriptor, memory or thread is left for now: whoever asks then is heard later, or gives up."""
        if not self._deaf:
            self._deaf = True
            log.warning("Nobody can ask the agent for now: %s", error)
        self._closed.wait(limits.CONTROL_RETRY_S)

    def _serve(self, connection: Connection) -> None:
        try:
            with connection:
                connection.send_bytes(READY)
                question = _received(connection, limits.CONTROL_TIMEOUT_S, limits.CONTROL_QUESTION_MAX_BYTES)
                if (
                    connection.poll()
                ):  # The question was all: nothing is done for somebody who has gone meanwhile.
                    raise EOFError("the other end closed before anything was done")
                connection.send_bytes(self._answer(question))
        except (OSError, EOFError) as error:
            log.info("Who asked the agent went away: %s", error)
        finally:
            self._room.release()


def listen(folder: Path, answer: Answering) -> Callable[[], None]:
    """Answer from now on. Returns how to end that. Where nobody can ask, commands say that the agent runs."""
    try:
        return ControlListener(folder, answer).close
    except errors.DiskFault as fault:
        log.error("Commands cannot ask this agent: %s", fault.detail)
        return lambda: None


def ask_agent(folders: Folders, question: bytes, ready_s: float | None = None) -> bytes:
    """Ask the agent of this data, of whatever login.

    Args:
        folders: whose `data` it works on.
        question: an encoded `Call`.
        ready_s: how long it may take, in seconds, until it takes a question; None for `limits.CONTROL_READY_S`.

    Raises:
        AlreadyRunning: it takes no question; says where it is.
        NoAnswer: it took this one.
    """
    place = running_instance.read(folders.data)
    if place is not None and place.is_elsewhere:
        raise running_instance.already_running(place, "it runs on another computer")
    try:
        return ask(socket_folder(folders), question, ready_s)
    except errors.AlreadyRunning as fault:
        raise running_instance.already_running(place, fault.detail) from fault


def is_answering(folders: Folders, ready_s: float) -> bool:
    """Whether the agent of this data takes questions: one that ends does so no more, though it still has the lock."""
    try:
        with connect(socket_folder(folders), ready_s) as connection:
            _received(connection, ready_s, len(READY))
    except (OSError, EOFError) as error:
        log.info("The running agent takes no question: %s", error)
        return False
    return True


def socket_folder(folders: Folders) -> Path:
    """Where the agent that runs over this data is asked: the folder of its socket, on Windows its pipe."""
    place = running_instance.read(folders.data)
    return (place.socket_folder if place is not None else None) or folders.runtime


def ask(folder: Path, question: bytes, ready_s: float | None = None) -> bytes:
    """Ask the agent whose socket is in this folder. Raises as `ask_agent`."""
    ready_s = limits.CONTROL_READY_S if ready_s is None else ready_s
    try:
        connection = connect(folder, ready_s)
    except OSError as error:
        raise errors.AlreadyRunning(f"the running agent did not answer: {error}") from error
    with connection:
        try:
            _received(connection, ready_s, len(READY))
        except (OSError, EOFError) as error:
            raise errors.AlreadyRunning(f"the running agent did not answer: {error}") from error
        try:
            connection.send_bytes(question)
            return _received(connection, limits.CONTROL_PATIENCE_S, limits.CONTROL_ANSWER_MAX_BYTES)
        except (OSError, EOFError) as error:
            raise errors.NoAnswer(f"the running agent took a question and did not answer: {error}") from error


def _received(connection: Connection, seconds: float, most_bytes: int) -> bytes:
    """The next message. Raises OSError where it does not begin in time or is longer, EOFError where nobody is there."""
    if not connection.poll(seconds):
        raise TimeoutError(f"nothing within {seconds:g} s")
    return connection.recv_bytes(most_bytes)
