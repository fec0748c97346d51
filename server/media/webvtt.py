"""WebVTT (W3C Recommendation-track, "WebVTT: The Web Video Text Tracks Format", sections 4 and 6), read tolerantly.

The library that the player reads with says neither the line of a mistake nor what it leaves out, so that words would be lost
without a notice. What is written here is the plain core of the format, which every reader takes.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

ARROW = "-->"
MOMENT_MS = 1_000
"""How long a caption is shown whose end is its start, as some recognisers of speech write them."""

_STAMP = r"(?:(\d{1,6}):)?([0-5]?\d):([0-5]\d)\.(\d{3})"
_TIMES = re.compile(rf"\s*{_STAMP}\s*{ARROW}\s*{_STAMP}(?!\d)(.*)", re.ASCII)
_NEARLY = r"(?:\d+:)?\d+:\d+[.,]\d+"
_NEARLY_TIMES = re.compile(rf"\s*{_NEARLY}\s*(?:[-=—–]+>?|→)\s*{_NEARLY}.*", re.ASCII)
_SIGNATURE = re.compile(r"WEBVTT(?=[ \t]|$)")
_SUBRIP_TIMES = re.compile(r"\s*\d+:\d+:\d+,\d+\s*-->", re.ASCII)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<[\d:.]*>|</>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NO_CHARACTER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")
"""A reference to a number that no character has: Python reads no number of thousands of digits."""
_LINE_ENDS = "\n\v\f\r\x85\u2028\u2029"
"""Unicode Standard, section 5.8, table 5-1."""
_ASIDE = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
_SETTINGS = {
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(r"(-?\d+(\.\d+)?|\d+(\.\d+)?%)(,(start|center|end))?", re.ASCII),
    "position": re.compile(r"\d+(\.\d+)?%(,(line-left|center|line-right))?", re.ASCII),
    "size": re.compile(r"\d+(\.\d+)?%", re.ASCII),
    "align": re.compile(r"start|center|end|left|right"),
}


class BadLine(Exception):
    """A line, counted from 1, that should give times and does not."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line = line
        self.text = text


@dataclass(frozen=True)
class Cue:
    """One caption. `line`: where its times stand, counted from 1. `text` has no markup."""

    line: int
    start_ms: int
    end_ms: int
    settings: str
    text: str


def lines_of(text: str) -> list[str]:
    """The lines, whichever way they end (section 4.1)."""
    return (
        text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}").split("\n")
    )


def is_webvtt(lines: Sequence[str]) -> bool:
    """Whether the first line says so."""
    return bool(_SIGNATURE.match(lines[0]))


def is_subrip(lines: Sequence[str]) -> bool:
    """Whether these are SubRip's numbers and times, and no WebVTT."""
    return not is_webvtt(lines) and any(_SUBRIP_TIMES.match(line) for line in lines[:20])


def read_cues(lines: Sequence[str]) -> list[Cue]:
    """The captions that have words, in the order of the file. Raises `BadLine`.

    As browsers do (section 6.1), but that words after an empty line in a caption stay with it, and that times which cannot be
    read are a mistake.
    """
    cues: list[Cue] = []
    is_open = False
    for first, block in _blocks(lines):
        if ARROW in block[0] and not _ASIDE.match(block[0]):
            cues.append(_cue(first, block))
            is_open = True
        elif is_open and not _ASIDE.match(block[0]) and not _is_number(block):
            cues[-1] = _with_words(cues[-1], block)
        else:
            is_open = False
    return [cue for cue in cues if cue.text]


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """What stands between empty lines, with the number of its first line. A caption begins with its times.

    An identifier before the times is left out, and times begin a new block also where no empty line stands before them.
    """
    block: list[str] = []
    for number, line in enumerate(lines[1:], start=2):
        if ARROW not in line and _NEARLY_TIMES.fullmatch(line):
            raise BadLine(number, line.strip()[:80])
        if ARROW in line and (block or not _ASIDE.match(line)):
            if (
                block and ARROW in block[0]
            ):  # Otherwise it is the identifier, or words that belong to nothing.
                yield number - len(block), block
            block = [line]
        elif line:
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield len(lines) + 1 - len(block), block


def _is_number(block: Sequence[str]) -> bool:
    return len(block) == 1 and block[0].strip().isdigit()


def _cue(number: int, block: Sequence[str]) -> Cue:
    times = _TIMES.fullmatch(block[0])
    if times is None:
        raise BadLine(number, block[0].strip()[:80])
    parts = times.groups()
    start, end = _milliseconds(parts[:4]), _milliseconds(parts[4:8])
    return Cue(number, start, end + MOMENT_MS * (start == end), _settings(parts[8]), _words(block[1:]))


def _with_words(cue: Cue, block: Sequence[str]) -> Cue:
    text = "\n".join(part for part in (cue.text, _words(block)) if part)
    return Cue(cue.line, cue.start_ms, cue.end_ms, cue.settings, text)


def _milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def _settings(text: str) -> str:
    """Those of section 4.4 that have a value of theirs; browsers leave out the others."""
    found = {}
    for setting in text.split():
        name, _colon, value = setting.partition(":")
        if name in _SETTINGS and _SETTINGS[name].fullmatch(value):
            found[name] = setting
    return " ".join(found.values())


def _words(lines: Iterable[str]) -> str:
    """Without tags, times of single words, and what cannot be seen, in whose place words stay apart."""
    marked = _NO_CHARACTER.sub("\ufffd", _TAG.sub("", _BREAK.sub("\n", "\n".join(lines))))
    plain = html.unescape(marked)
    seen = "".join(
        "\n" if character in _LINE_ENDS else " " if unicodedata.category(character) == "Cc" else character
        for character in plain
    )
    return "\n".join(line.strip() for line in seen.split("\n") if line.strip())


def written(cues: Iterable[Cue]) -> str:
    """A file of these captions."""
    blocks = [f"{_timing(cue)}\n{html.escape(cue.text, quote=False)}" for cue in cues]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _timing(cue: Cue) -> str:
    times = f"{_stamp(cue.start_ms)} {ARROW} {_stamp(cue.end_ms)}"
    return f"{times} {cue.settings}" if cue.settings else times


def _stamp(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"
