"""Captions from WebVTT: which languages there are, which one is on, and which text is due at a moment."""

from __future__ import annotations

import bisect
import html
import logging
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ui.player.messages import CaptionFile, path_of

if TYPE_CHECKING:
    from webvtt.models import Timestamp

log = logging.getLogger(__name__)

MOST_AT_ONCE = 12
"""Cues that are shown together; of more, which a server of ours refuses, those that began last."""


class Captions:
    """One language's cues. A file that is no WebVTT has none, and the log says so."""

    def __init__(self, path: Path) -> None:
        # Only now: until the first caption is due, nobody shall wait for it.
        import webvtt
        from webvtt.errors import MalformedFileError

        self._cues: list[tuple[int, int, str]] = []
        try:
            cues = webvtt.from_string(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, MalformedFileError) as error:
            log.warning("Captions that cannot be read: %s", type(error).__name__)
        else:
            self._cues = sorted(
                (
                    (_milliseconds(cue.start_time), _milliseconds(cue.end_time), html.unescape(cue.text))
                    for cue in cues.captions
                ),
                key=lambda cue: (cue[0], -cue[1]),
            )
        self._starts = [start for start, _end, _text in self._cues]

    def text(self, position_ms: int) -> str:
        """What is said at this moment, in one line or several; empty between cues."""
        begun = bisect.bisect_right(self._starts, position_ms)
        due = [text for _start, end, text in self._cues[:begun] if position_ms < end]
        return "\n".join(due[-MOST_AT_ONCE:])


OFF = -1
"""The index of "no captions"."""


class CaptionTrack:
    """All languages of a video, the person's own first; a file is read when it is wanted first."""

    def __init__(self, files: Sequence[CaptionFile], language: str, chosen: str | None) -> None:
        """``chosen``: the language of an earlier choice, empty for none, None where there was no choice."""
        self._files = sorted(
            files, key=lambda file: (_main(file.language) != _main(language), _plain(file.label))
        )
        self._read: dict[int, Captions] = {}
        self.index = self._first(chosen)

    @property
    def labels(self) -> list[str]:
        """The languages' names, each in its own words."""
        return [file.label for file in self._files]

    @property
    def language(self) -> str:
        """The one that is on, empty for none."""
        return "" if self.index == OFF else self._files[self.index].language

    def next(self) -> int:
        """The index that comes after the present one; ``OFF`` after the last."""
        return self.index + 1 if self.index + 1 < len(self._files) else OFF

    def text(self, position_ms: int) -> str:
        """What is said at this moment in the language that is on."""
        if self.index == OFF:
            return ""
        if self.index not in self._read:
            self._read[self.index] = Captions(path_of(self._files[self.index].path))
        return self._read[self.index].text(position_ms)

    def _first(self, chosen: str | None) -> int:
        """On from the start, for a video starts muted."""
        if chosen == "" or not self._files:
            return OFF
        for index, file in enumerate(self._files):
            if chosen and _main(file.language) == _main(chosen):
                return index
        return 0


def _plain(label: str) -> str:
    """Without accents, so that Čeština stands before Dansk."""
    return unicodedata.normalize("NFKD", label).casefold()


def _main(language: str) -> str:
    return language.split("-")[0].lower()


def _milliseconds(stamp: Timestamp) -> int:
    hours, minutes, seconds, milliseconds = stamp.to_tuple()
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
