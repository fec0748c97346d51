"""Captions: WebVTT as many programs write it, read as browsers do, and written anew without styles and remarks."""

import heapq
from pathlib import Path

from django.utils.translation import gettext as _

from server.campaigns.models import Media
from server.media.checks import MEGABYTE, BadFile, CheckedFile, as_argument, enough_memory, read_limited
from server.media.webvtt import BadLine, Cue, is_subrip, is_webvtt, lines_of, read_cues, written

MAX_BYTES = MEGABYTE
"""Of the upload, and of what agents get."""
MOST_AT_ONCE = 12
"""Captions that the player shows together."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def check_captions(path: Path, video_ms: int) -> CheckedFile:
    """The captions as agents get them. `video_ms`: the length of their video. Raises `BadFile` and `EnvironmentFault`."""
    with enough_memory(path):
        text = _decoded(path, read_limited(path, MAX_BYTES))
        cues = _read(path, text)
        _check_times(path, cues, video_ms)
        _check_overlaps(path, cues)
        content = written(cues).encode()
    if len(content) > MAX_BYTES:
        raise BadFile(
            _("“{file}” has more than {limit} MB").format(file=path.name, limit=MAX_BYTES // MEGABYTE),
            _("make it smaller"),
        )
    return CheckedFile(content, Media.Type.VTT)


def _decoded(path: Path, content: bytes) -> str:
    save_anew = _("save it with that encoding")
    if content.startswith(_UTF_16):
        raise BadFile(_("“{file}” is in UTF-16, not in UTF-8").format(file=path.name), save_anew)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadFile(
            _("“{file}” is not in UTF-8 (line {line})").format(file=path.name, line=line), save_anew
        ) from error


def _read(path: Path, text: str) -> list[Cue]:
    lines = lines_of(text)
    if is_subrip(lines):
        source, target = as_argument(path.name), as_argument(f"{path.stem}-webvtt.vtt")
        raise BadFile(
            _("“{file}” holds SubRip captions: line 1 is not WEBVTT").format(file=path.name),
            _("convert it with: {command}").format(command=f"ffmpeg -f srt -i {source} {target}"),
        )
    if not is_webvtt(lines):
        raise BadFile(
            _("“{file}” is no WebVTT file: line 1 does not begin with WEBVTT").format(file=path.name),
            _("export the captions as WebVTT"),
        )
    try:
        return read_cues(lines)
    except BadLine as bad:
        raise BadFile(
            _("“{file}” has times in line {line} that cannot be read: {text}").format(
                file=path.name, line=bad.line, text=bad.text
            ),
            _("write them as 00:00:01.000 --> 00:00:04.000"),
        ) from bad


def _check_times(path: Path, cues: list[Cue], video_ms: int) -> None:
    if not cues:
        raise BadFile(
            _("“{file}” has no caption").format(file=path.name), _("write some, or leave the file out")
        )
    for cue in cues:
        if cue.end_ms < cue.start_ms:
            raise BadFile(
                _("“{file}” has a caption in line {line} that ends before it begins").format(
                    file=path.name, line=cue.line
                ),
                _("correct its times"),
            )
        if cue.start_ms >= video_ms:
            raise BadFile(
                _("“{file}” has a caption in line {line} that begins after the end of the video").format(
                    file=path.name, line=cue.line
                ),
                _("check that it belongs to this video"),
            )


def _check_overlaps(path: Path, cues: list[Cue]) -> None:
    ends: list[int] = []
    for cue in sorted(cues, key=lambda cue: cue.start_ms):
        while ends and ends[0] <= cue.start_ms:
            heapq.heappop(ends)
        heapq.heappush(ends, cue.end_ms)
        if len(ends) > MOST_AT_ONCE:
            raise BadFile(
                _("“{file}” has more than {limit} captions at once in line {line}").format(
                    file=path.name, limit=MOST_AT_ONCE, line=cue.line
                ),
                _("correct its times"),
            )


def last_begins_ms(content: bytes) -> int:
    """When the last caption of a file begins that was checked before. Raises `ValueError`, `BadLine`."""
    return max((cue.start_ms for cue in read_cues(lines_of(content.decode()))), default=0)
