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

    class Listener:
        """Hears whoever asks, until ``close``. Raises OSError where there can be no pipe."""

        def __init__(self, pipe: Path) -> None:
            self._pipe = str(pipe)
            self._listener = connection.Listener(self._pipe, "AF_PIPE")

        def accept(self) -> PipeConnection:
            """The next who asks. Raises OSError."""
            return self._listener.accept()

        def close(self) -> None:
            """Hear nobody any more; who waits in ``accept`` hears one more, which asks nothing."""
            with contextlib.suppress(OSError):
                connection.Client(self._pipe, "AF_PIPE").close()
            self._listener.close()

    def connect(pipe: Path, _seconds: float) -> PipeConnection:
        """The agent that made this pipe. Raises OSError."""
        return connection.Client(str(pipe), "AF_PIPE")

    def fresh() -> Path:
        """The name of a pipe that nobody can guess."""
        return Path(rf"\\.\pipe\tidings-{uuid.uuid4().hex}")
