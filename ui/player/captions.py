"""Captions from WebVTT: which text is due at a moment."""

from __future__ import annotations

import bisect
import html
import logging
from pathlib import Path

import webvtt
from webvtt.errors import MalformedFileError
from webvtt.models import Timestamp

log = logging.getLogger(__name__)

MOST_AT_ONCE = 4
"""Cues that may overlap."""


class Captions:
    """One language's cues. A file that is no WebVTT has none, and the log says so."""

    def __init__(self, path: Path) -> None:
        self._cues: list[tuple[int, int, str]] = []
        try:
            cues = webvtt.from_string(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, MalformedFileError) as error:
            log.warning("Captions that cannot be read: %s", type(error).__name__)
        else:
            self._cues = sorted(
                (_milliseconds(cue.start_time), _milliseconds(cue.end_time), html.unescape(cue.text))
                for cue in cues.captions
            )
        self._starts = [start for start, _end, _text in self._cues]

    def text(self, position_ms: int) -> str:
        """What is said at this moment, in one line or several; empty between cues."""
        begun = bisect.bisect_right(self._starts, position_ms)
        due = self._cues[max(begun - MOST_AT_ONCE, 0) : begun]
        return "\n".join(text for _start, end, text in due if position_ms < end)


def _milliseconds(stamp: Timestamp) -> int:
    hours, minutes, seconds, milliseconds = stamp.to_tuple()
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
