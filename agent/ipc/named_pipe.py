r"""The channel's end on Windows: a named pipe that only the person's own programs find and may write to.

Its name has 122 random bits and is told in a file of the person's own, so that nobody can have made a pipe of that name
before. Who finds the name in the list of pipes may not write to it: by default nobody but the user who made it,
administrators and the system may (Microsoft, "Named Pipe Security and Access Rights").
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import contextlib
    import uuid
    from multiprocessing import connection
    from multiprocessing.connection import PipeConnection
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    class Line:
        """One connection, with whole messages under a deadline: a pipe's message comes whole or not at all.

        Methods raise OSError, and EOFError where nobody is there.
        """

        def __init__(self, connected: PipeConnection) -> None:
            self._pipe = connected

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            self._pipe.close()

        def send(self, message: bytes, _seconds: float) -> None:
            """All of it."""
            self._pipe.send_bytes(message)

        def receive(self, seconds: float, most_bytes: int) -> bytes:
            """The next message, within so long."""
            if not self._pipe.poll(seconds):
                raise TimeoutError("the message did not come in time")
            return self._pipe.recv_bytes(most_bytes)

        def is_quiet(self) -> bool:
            """Whether the other end is there, and has said nothing more."""
            return not self._pipe.poll()

        def hang_up(self) -> None:
            """What another thread waits for ends with its own deadline."""

    class Listener:
        """Hears whoever asks, until ``close``. Raises OSError where there can be no pipe."""

        def __init__(self, pipe: Path) -> None:
            self._pipe = str(pipe)
            self._listener = connection.Listener(self._pipe, "AF_PIPE")

        def accept(self) -> Line | None:
            """The next who asks. Raises OSError."""
            return Line(self._listener.accept())

        def is_found(self) -> bool:
            """Nobody can take away the name of a pipe."""
            return True

        def close(self) -> None:
            """Hear nobody any more; who waits in ``accept`` hears one more, which asks nothing."""
            with contextlib.suppress(OSError):
                connection.Client(self._pipe, "AF_PIPE").close()
            self._listener.close()

    def connect(pipe: Path, _seconds: float) -> Line:
        """The agent that made this pipe. Raises OSError."""
        return Line(connection.Client(str(pipe), "AF_PIPE"))

    def fresh() -> Path:
        """The name of a pipe that nobody can guess."""
        return Path(rf"\\.\pipe\tidings-{uuid.uuid4().hex}")
