"""Gives each file of a folder to everything that reads media, as server and agent do: for S5, under strace.

Prints a line of JSON: how many there were, how many became published copies, how many of these name the needle, how many
the player decoded, and the most memory in MB. With `--as-ffmpeg` the files are opened as a program would that trusts them.
"""

from tests.support.memory import peak_mb
from tests.support.server import django_ready  # noqa: F401

# isort: split
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import av
from PySide6.QtCore import QEventLoop, QSize, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtMultimedia import QVideoFrame

from server.media.captions import check_captions
from server.media.checks import BadFile, CheckedFile
from server.media.images import check_image
from server.media.video import check_video
from tests.support.hostile_media import NEEDLE
from tests.support.waiting import PATIENCE_S
from ui.player.captions import Captions
from ui.player.media_player import MediaPlayer
from ui.widgets.picture import read_picture


def published(path: Path) -> list[CheckedFile]:
    """What the server would publish of it, taken for each kind."""
    checks: list[Callable[[], list[CheckedFile]]] = [
        lambda: [(video := check_video(path)).file, video.poster],
        lambda: [check_image(path)],
        lambda: [check_captions(path, 60_000)],
    ]
    copies = []
    for check in checks:
        try:
            copies += check()
        except BadFile:
            continue
    return copies


def played(path: Path) -> bool:
    """Whether the player shows a frame of it. It is the file that the company signed."""
    player, loop = MediaPlayer(), QEventLoop()
    frames: list[QVideoFrame] = []
    player.frame.connect(frames.append)
    player.frame.connect(loop.quit)
    player.failed.connect(loop.quit)
    QTimer.singleShot(round(1000 * PATIENCE_S), loop.quit)
    player.open(str(path), hashlib.sha256(path.read_bytes()).hexdigest())
    loop.exec()
    player.stop()
    return bool(frames)


def trusted(path: Path) -> None:
    """As a program reads it that lets FFmpeg find out what it is."""
    try:
        with av.open(str(path), options={"allowed_extensions": "ALL", "safe": "0"}) as container:
            next(container.decode(video=0), None)
    except (av.error.FFmpegError, IndexError):
        return


def main(folder: Path, *words: str) -> None:
    """Every file, one after the other."""
    _application = QGuiApplication([])
    found = {"files": 0, "copies": 0, "needles": 0, "frames": 0}
    for path in sorted(folder.iterdir()):
        found["files"] += 1
        if words:
            trusted(path)
            continue
        copies = published(path)
        found["copies"] += len(copies)
        found["needles"] += sum(NEEDLE.encode() in copy.content for copy in copies)
        found["frames"] += played(path)
        read_picture(path, QSize(100, 100))
        Captions(path).text(500)
    found["peak_mb"] = peak_mb()
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
