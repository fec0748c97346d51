"""Captions: WebVTT, checked cue by cue, and written anew without styles and remarks."""

from pathlib import Path

from django.utils.translation import gettext as _
from webvtt import WebVTT
from webvtt.errors import MalformedCaptionError, MalformedFileError
from webvtt.models import Caption

from server.campaigns.media_checks import BadFile, CheckedFile, read_limited
from server.campaigns.models import Media

MAX_BYTES = 256 * 1024


def check_captions(path: Path, video_ms: int) -> CheckedFile:
    """The captions as agents get them. `video_ms`: the length of their video. Raises `BadFile`."""
    content = read_limited(path, MAX_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(
            _("“{file}” is not in UTF-8").format(file=path.name), _("save it with that encoding")
        ) from error
    try:
        captions = WebVTT.from_string(text, strict=True)
    except MalformedFileError as error:
        raise BadFile(
            _("“{file}” is no WebVTT file: it does not begin with WEBVTT").format(file=path.name),
            _("convert SubRip captions with: ffmpeg -i captions.srt captions.vtt"),
        ) from error
    except MalformedCaptionError as error:
        raise BadFile(
            _("“{file}” has a caption that cannot be read ({reason})").format(file=path.name, reason=error),
            _("write its times as 00:00:01.000 --> 00:00:04.000"),
        ) from error
    _check_times(path, captions, video_ms)
    clean = WebVTT(captions=[_without_remarks(caption) for caption in captions.captions])
    return CheckedFile(clean.content.encode(), Media.Type.VTT)


def _check_times(path: Path, captions: WebVTT, video_ms: int) -> None:
    if not len(captions):
        raise BadFile(
            _("“{file}” has no caption").format(file=path.name), _("write some, or leave the file out")
        )
    for caption in captions.captions:
        if caption.start_in_seconds * 1000 >= video_ms:
            raise BadFile(
                _("“{file}” has a caption at {start}, after the end of the video").format(
                    file=path.name, start=caption.start
                ),
                _("check that it belongs to this video"),
            )
        if caption.end_in_seconds <= caption.start_in_seconds:
            raise BadFile(
                _("“{file}” has a caption at {start} that ends before it begins").format(
                    file=path.name, start=caption.start
                ),
                _("correct its times"),
            )


def _without_remarks(caption: Caption) -> Caption:
    return Caption(caption.start, caption.end, caption.raw_text, settings=caption.settings)
