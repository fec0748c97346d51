"""Plays videos one after the other with the agent's own `Playback` and real players: `… FOLDER COUNT [EVERY]`.

Prints a line of JSON before the first, after every so many, and at the end: what this process, which stands for the
resident one, then has. Each video is closed a moment after its first frame, as a person does who has seen enough.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import cast

import psutil
from PySide6.QtCore import QCoreApplication, QTimer

from agent.domain import errors
from agent.domain.model import Interaction, InteractionKind
from tests.support.videos import VideoAgent
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.core.timers import QtTimers
from ui.player.controller import Playback
from ui.player.messages import Look

LONG_ENOUGH_MS = 150
SETTLE_MS = 500
EVERY = 20
VIDEO_S = 0.5


class Marathon:
    """So many videos in a row."""

    def __init__(self, application: QCoreApplication, videos: list[Path], count: int, every: int) -> None:
        self._application = application
        self._videos = len(videos)
        self._count = count
        self._every = every
        self._played = 0
        self._bridge = Bridge()
        self._playback = Playback(
            cast(Agent, VideoAgent(videos, VIDEO_S, self._recorded)),
            self._bridge,
            self._told,
            look=Look,
            follow=lambda _campaign_id, _link_id: None,
            change=lambda: None,
            timers=QtTimers(self._bridge),
        )
        self._playback.prepare()
        QTimer.singleShot(SETTLE_MS, self._begin)

    def _begin(self) -> None:
        self._report()
        self._next()

    def _next(self) -> None:
        self._playback.play(f"c-{self._played % self._videos}")

    def _recorded(self, interaction: Interaction) -> None:
        if interaction.act is InteractionKind.CLICKED:
            QTimer.singleShot(LONG_ENOUGH_MS, self._seen)

    def _seen(self) -> None:
        self._played += 1
        if self._played % self._every == 0:
            self._report()
        if self._played < self._count:
            self._next()
        else:
            self._playback.close()
            QTimer.singleShot(SETTLE_MS, self._end)

    def _end(self) -> None:
        self._report()
        self._bridge.close()
        self._application.quit()

    def _told(self, fault: errors.TidingsError) -> None:
        raise AssertionError(f"{type(fault).__name__}: {fault.detail}")

    def _report(self) -> None:
        process = psutil.Process()
        memory = process.memory_full_info()
        report = {
            "played": self._played,
            "uss": memory.uss,
            "pss": memory.pss,
            "threads": process.num_threads(),
            "descriptors": process.num_fds(),
            "children": len(process.children(recursive=True)),
            "files": len(list(Path(tempfile.gettempdir()).iterdir())),
        }
        print(json.dumps(report), flush=True)


def main() -> int:
    folder, count, *every = sys.argv[1:]
    application = QCoreApplication([])
    marathon = Marathon(
        application, sorted(Path(folder).glob("*.mp4")), int(count), int(every[0]) if every else EVERY
    )
    code = application.exec()
    del marathon
    return code


if __name__ == "__main__":
    sys.exit(main())
