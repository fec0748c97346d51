"""Runs `tidings-render`: one process at a time for the whole server, ended when it takes too long."""

import contextlib
import fcntl
import logging
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from server.core import private_files
from server.core.errors import EnvironmentFault

CANNOT_DRAW_HERE, OVER_LIMIT = 3, 4
"""Exit codes (docs/protocol/rendering.md)."""
MOST_WAITING = 8
"""In one process of the server; who comes then is told at once."""
LOOK_EVERY_S = 0.05
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""The program gets nothing else of the server's environment, which holds its secrets."""

_log = logging.getLogger(__name__)
_places = threading.BoundedSemaphore(MOST_WAITING)


@dataclass(frozen=True)
class Limits:
    """How long a page waits for its turn, and then for its pictures."""

    wait_s: float
    draw_s: float


LIMITS = Limits(wait_s=15, draw_s=40)


class Unavailable(EnvironmentFault):
    """There are no true pictures now: `title` and `message` say why. The drawing of the page (its twin) stands."""


def program() -> str:
    """What tells one version of the program from the next: where it lies, and when it was installed."""
    command = settings.RENDER_COMMAND
    try:
        about = Path(command[0]).stat()
    except OSError:
        return str(command)
    return f"{command} {about.st_mtime_ns} {about.st_size}"


@contextlib.contextmanager
def place() -> Iterator[None]:
    """One of the `MOST_WAITING` places in this process, for the length of a block. Raises `Unavailable` when none is free."""
    if not _places.acquire(blocking=False):
        raise _busy()
    try:
        yield
    finally:
        _places.release()


@contextlib.contextmanager
def turn(limits: Limits) -> Iterator[None]:
    """Nobody else of this server draws for the length of a block. Raises `Unavailable` when too many wait, or too long."""
    with place():
        try:
            private_files.make_folder(settings.PREVIEW_FOLDER)
            descriptor = os.open(
                settings.PREVIEW_FOLDER / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private_files.MODE
            )
            try:
                _lock(descriptor, time.monotonic() + limits.wait_s)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _failed(f"the folder of previews: {error}") from error


def _lock(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise _busy() from None
            time.sleep(LOOK_EVERY_S)
        else:
            return


def draw(request: bytes, count: int, limits: Limits) -> list[bytes]:
    """The pictures of a request, in its order. Call it within a `turn`. Raises `Unavailable`, `OSError`."""
    for left in settings.PREVIEW_FOLDER.glob(".drawing-*"):  # by a server that was ended
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".drawing-", dir=settings.PREVIEW_FOLDER) as name:
        _run(request, Path(name), limits)
        try:
            return [(Path(name) / f"{number}.png").read_bytes() for number in range(1, count + 1)]
        except OSError as error:
            raise _failed(f"a picture is missing: {error}") from error


def _run(request: bytes, folder: Path, limits: Limits) -> None:
    environment = {key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ}
    try:
        done = subprocess.run(
            [*settings.RENDER_COMMAND, str(folder)],
            input=request,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
            timeout=limits.draw_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_long() from error
    except OSError as error:
        raise _not_here(f"{settings.RENDER_COMMAND[0]}: {error.strerror}") from error
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == CANNOT_DRAW_HERE:
        raise _not_here(said)
    if done.returncode == OVER_LIMIT or done.returncode < 0:
        _log.warning("Pictures were given up (%s): %s", done.returncode, said)
        raise _too_long()
    if done.returncode:
        raise _failed(f"{done.returncode}: {said}")


def _busy() -> Unavailable:
    return Unavailable(
        _("Other pictures are being drawn"),
        _("Load the page again in a moment. Until then a drawing stands here."),
    )


def _too_long() -> Unavailable:
    return Unavailable(
        _("The pictures took too long"),
        _("A drawing stands here. Load the page again; if that does not help, make the picture smaller."),
    )


def _not_here(why: str) -> Unavailable:
    _log.warning("tidings-render: %s", why)
    return Unavailable(
        _("This server cannot draw the program's own windows"),
        _(
            "What you see is a drawing, which is near but not the program. Whoever runs the server can install what is "
            "missing: “True pictures” in docs/administration.md."
        ),
    )


def _failed(why: str) -> Unavailable:
    _log.error("tidings-render: %s", why)
    return Unavailable(
        _("The pictures could not be drawn"),
        _("A drawing stands here. The server's log says why; whoever runs the server can read it."),
    )
