"""Asking the running agent, from the command line or by a second start: its store is locked to it, and “off” must hold in it.

One question and one answer a connection. The agent begins, with a word of its own: a process that is stopped is connected to
all the same, and would do much later what somebody had asked for and given up.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from agent.domain import errors, limits
from agent.ipc import calls, running_instance
from agent.ipc.instance_lock import InstanceLock, NobodyCanAsk
from agent.system.dirs import Folders

if sys.platform == "win32":
    from agent.ipc.named_pipe import Line, Listener, connect
else:
    from agent.ipc.local_socket import Line, Listener, connect

log = logging.getLogger(__name__)

READY = b"ready"
"""The agent's first word: it runs, and takes a question."""

Answering = Callable[[bytes, Callable[[], bool]], bytes]
"""Answers a question, given how to find out whether who asked is still there."""


class ControlListener:
    """Answers, each question on a thread of its own, until ``close``. Raises DiskFault where nobody can ask.

    Those who only hold a line keep nobody from asking: the one that has said nothing whole for the longest time makes way.
    What may take long is answered a few at a time, what a person chose at once.
    """

    def __init__(self, folder: Path, answer: Answering) -> None:
        self._answer = answer
        self._closed = threading.Event()
        self._deaf = False
        self._lock = threading.Lock()
        self._lines = 0
        self._silent: dict[Line, None] = {}
        """Those that have not asked yet, the oldest first."""
        self._queue = threading.BoundedSemaphore(limits.CONTROL_WAITING)
        self._room = threading.BoundedSemaphore(limits.CONTROL_AT_ONCE)
        try:
            self._listener = Listener(folder)
        except OSError as error:
            raise errors.DiskFault(f"no socket in {folder}: {error}") from error
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def is_found(self) -> bool:
        """Whether those who ask find it: nobody removed or replaced its socket."""
        return self._listener.is_found()

    def close(self) -> None:
        """Hear nobody any more. What is being answered goes on."""
        if not self._closed.is_set():
            self._closed.set()
            self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                line = self._listener.accept()
            except OSError as error:
                if not self._closed.is_set():
                    self._wait(error)
                continue
            self._deaf = False
            if line is None:
                log.warning("Another user asked the agent; refused.")
            elif self._take(line):
                self._start(line)

    def _take(self, line: Line) -> bool:
        """Make room for one more: for whom an older one that said nothing makes way."""
        with self._lock:
            if self._lines >= limits.CONTROL_LINES and not self._hang_up_oldest():
                log.warning("Too many ask the agent at the same time.")
                with line:
                    return False
            self._lines += 1
            self._silent[line] = None
        return True

    def _hang_up_oldest(self) -> bool:
        """Whether there was one that had not asked yet; its thread ends then."""
        oldest = next(iter(self._silent), None)
        if oldest is None:
            return False
        del self._silent[oldest]
        oldest.hang_up()
        return True

    def _start(self, line: Line) -> None:
        try:
            threading.Thread(target=self._serve, args=(line,), name="control-answer", daemon=True).start()
        except RuntimeError as error:  # no thread can be started now (Python documentation, Thread.start)
            with line:
                self._let_go(line)
            self._wait(error)

    def _wait(self, error: Exception) -> None:
        """No descriptor, memory or thread is left for now: whoever asks then is heard later, or gives up."""
        if not self._deaf:
            self._deaf = True
            log.warning("Nobody can ask the agent for now: %s", error)
        with self._lock:
            self._hang_up_oldest()
        self._closed.wait(limits.CONTROL_RETRY_S)

    def _let_go(self, line: Line) -> None:
        with self._lock:
            self._lines -= 1
            self._silent.pop(line, None)

    def _serve(self, line: Line) -> None:
        try:
            with line:
                line.send(READY, limits.CONTROL_QUESTION_S)
                question = line.receive(limits.CONTROL_QUESTION_S, limits.CONTROL_QUESTION_MAX_BYTES)
                with self._lock:
                    self._silent.pop(line, None)
                with self._turn(question):
                    is_wanted = partial(_is_there, line)
                    if not is_wanted():  # Nothing is done for somebody who has gone meanwhile.
                        raise EOFError("the other end closed before anything was done")
                    line.send(self._answer(question, is_wanted), limits.CONTROL_TAKEN_S)
        except (OSError, EOFError) as error:
            log.info("Who asked the agent went away: %s", error)
        finally:
            self._let_go(line)

    @contextmanager
    def _turn(self, question: bytes) -> Iterator[None]:
        """Wait for a turn, unless it is soon answered. Raises OSError where too many wait already."""
        if calls.is_soon_answered(question):
            yield
            return
        if not self._queue.acquire(blocking=False):
            raise OSError("too many wait for an answer")
        try:
            with self._room:
                yield
        finally:
            self._queue.release()


class Channel:
    """Lets those who ask find the running agent, until ``close``; anew where its socket was taken away.

    While nobody can find it, the lock says so (``InstanceLock.deaf``).
    """

    def __init__(self, lock: InstanceLock, answer: Answering) -> None:
        self._lock = lock
        self._answer = answer
        self._changing = threading.Lock()
        self._closed = False
        self._listener: ControlListener | None = None
        lock.each_beat = self.look
        self.look()

    def look(self) -> None:
        """Where nobody finds it any more, listen again: at the same place, or at another one."""
        with self._changing:
            if self._closed or (self._listener is not None and self._listener.is_found()):
                return
            if self._listener is not None:
                log.warning("The socket for commands was taken away by somebody; there is a new one.")
                self._listener.close()
                self._listener = None
            try:
                self._listener = self._listening()
            except errors.DiskFault as error:
                self._lock.deaf = NobodyCanAsk(error.detail)
                log.error("Commands cannot ask this agent: %s", error.detail)
            else:
                self._lock.deaf = None

    def _listening(self) -> ControlListener:
        try:
            return ControlListener(self._lock.sockets, self._answer)
        except errors.DiskFault as error:
            log.warning("Commands find this agent at another place: %s", error.detail)
        self._lock.move_sockets()
        return ControlListener(self._lock.sockets, self._answer)

    def close(self) -> None:
        """Hear nobody any more. What is being answered goes on."""
        with self._changing:
            self._closed = True
            if self._listener is not None:
                self._listener.close()


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
    is_elsewhere = place is not None and place.is_elsewhere
    try:
        return _asked(_meeting_places(folders), question, limits.CONTROL_NEAR_S if is_elsewhere else ready_s)
    except errors.AlreadyRunning as error:
        detail = "it runs on another computer" if is_elsewhere else error.detail
        raise running_instance.already_running(place, detail) from error


def is_answering(folders: Folders, ready_s: float) -> bool:
    """Whether the agent of this data takes questions: one that ends does so no more, though it still has the lock."""
    for line in _ready(_meeting_places(folders), ready_s):
        with line:
            return True
    log.info("The running agent takes no question.")
    return False


def ask(folder: Path, question: bytes, ready_s: float | None = None) -> bytes:
    """Ask the agent whose socket is in this folder. Raises as `ask_agent`."""
    return _asked([folder], question, ready_s)


def _meeting_places(folders: Folders) -> list[Path]:
    """Where the agent that runs over this data may be asked: the folders of its socket, on Windows its pipe.

    Where it says that it is need not be true: the usual places count too. An agent of other data says so.
    """
    place = running_instance.read(folders.data)
    told = place.socket_folder if place is not None and not place.is_elsewhere else None
    usual = () if sys.platform == "win32" else (folders.runtime, *folders.other_runtimes)
    return list(dict.fromkeys([*([told] if told is not None else []), *usual]))


def _asked(folders: Sequence[Path], question: bytes, ready_s: float | None) -> bytes:
    """The answer of the first that is ready, and is the right one. Raises AlreadyRunning, NoAnswer."""
    answer: bytes | None = None
    for line in _ready(folders, limits.CONTROL_READY_S if ready_s is None else ready_s):
        with line:
            try:
                line.send(question, limits.CONTROL_QUESTION_S)
                answer = line.receive(limits.CONTROL_PATIENCE_S, limits.CONTROL_ANSWER_MAX_BYTES)
            except (OSError, EOFError) as error:
                raise errors.NoAnswer(
                    f"the running agent took a question and did not answer: {error}"
                ) from error
        if not calls.is_of_another(answer):
            return answer
    if answer is None:
        raise errors.AlreadyRunning("the running agent did not answer")
    return answer


def _ready(folders: Sequence[Path], seconds: float) -> Iterator[Line]:
    """Each that says that it takes a question, as they come: one that does not keeps nobody from the others."""
    lines: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
    is_over = threading.Event()

    def greet(folder: Path) -> None:
        lines.put(_greeted(folder, seconds))
        if is_over.is_set():
            _close_all(lines)

    for folder in folders:
        threading.Thread(target=greet, args=(folder,), name="ask", daemon=True).start()
    deadline = time.monotonic() + seconds
    try:
        for _ in folders:
            with suppress(queue.Empty):
                if (line := lines.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
                    yield line
    finally:
        is_over.set()
        _close_all(lines)


def _is_there(line: Line) -> bool:
    try:
        return line.is_quiet()
    except (OSError, EOFError):
        return False


def _close_all(lines: queue.SimpleQueue[Line | None]) -> None:
    with suppress(queue.Empty):
        while True:
            if (line := lines.get_nowait()) is not None:
                with line:
                    pass


def _greeted(folder: Path, seconds: float) -> Line | None:
    deadline = time.monotonic() + seconds
    try:
        line = connect(folder, seconds)
    except OSError as error:
        log.info("Nobody can be asked there: %s", error)
        return None
    try:
        if line.receive(max(0.0, deadline - time.monotonic()), len(READY)) == READY:
            return line
        log.info("Something else than an agent is there.")
    except (OSError, EOFError) as error:
        log.info("The running agent takes no question: %s", error)
    with line:
        return None
