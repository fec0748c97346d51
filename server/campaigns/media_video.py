"""Videos: only what every agent plays, and nothing of what a camera or an editor wrote beside it."""

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from django.utils.translation import gettext as _
from PIL import Image

from server.campaigns.media_checks import MEGABYTE, BadFile, CheckedFile, conversion, read_limited
from server.campaigns.media_images import encode
from server.campaigns.media_mp4 import check_structure
from server.campaigns.models import Media

MAX_BYTES = 200 * MEGABYTE
MAX_DURATION_S = 600
MAX_SIDE, MIN_SIDE = 1_920, 16
"""Pixels."""
MAX_FRAMES_PER_SECOND = 60
MAX_POSTER_SIDE = 1_280
TAIL_S = 3
"""Of the end of a video that is decoded, so that a file that was cut short is noticed."""

_PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_CODEC_NAMES = {"av1": "AV1", "hevc": "H.265 / HEVC", "vp9": "VP9", "vp8": "VP8", "mpeg4": "MPEG-4 Part 2"}


@dataclass(frozen=True)
class CheckedVideo:
    """A video as agents get it, and a picture out of it."""

    file: CheckedFile
    poster: CheckedFile


def check_video(path: Path) -> CheckedVideo:
    """The video as agents get it: one H.264 picture and at most one AAC sound, in an MP4 that starts at once.

    Raises `BadFile`, with the command that makes a good file of it where there is one.
    """
    content = read_limited(path, MAX_BYTES)
    check_structure(path, content)
    try:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "copy.mp4"
            with _opened(content) as container:
                _copy(path, container, _checked_streams(path, container), target)
            copy = target.read_bytes()
        with _opened(copy) as container:
            return _described(path, copy, container)
    except (av.error.FFmpegError, EOFError) as error:
        raise BadFile(
            _("“{file}” is damaged ({reason})").format(file=path.name, reason=error), _("export it again")
        ) from error


def _opened(content: bytes) -> av.container.InputContainer:
    """Read from memory, as MP4 and as nothing else: a playlist cannot make the reader open other files."""
    return av.open(io.BytesIO(content), "r", format="mp4", metadata_errors="replace")


def _checked_streams(
    path: Path, container: av.container.InputContainer
) -> tuple[VideoStream, AudioStream | None]:
    videos = [video for video in container.streams.video if not video.disposition & Disposition.attached_pic]
    sounds = list(container.streams.audio)
    if len(videos) != 1 or len(sounds) > 1:
        what = _("“{file}” has {pictures} pictures and {sounds} sound tracks").format(
            file=path.name, pictures=len(videos), sounds=len(sounds)
        )
        raise BadFile(what, conversion(path) if videos else _("publish a video"))
    _check_picture(path, videos[0])
    _check_length(path, container, videos[0])
    if sounds and _codec(sounds[0]) != "aac":
        name = _codec(sounds[0])
        raise BadFile(
            _("the sound of “{file}” is {codec}, not AAC").format(file=path.name, codec=name),
            conversion(path),
        )
    return videos[0], sounds[0] if sounds else None


def _codec(stream: VideoStream | AudioStream) -> str:
    """The codec's name; PyAV has no context for one that it does not know."""
    return stream.codec_context.codec.canonical_name if stream.codec_context else _("an unknown codec")


def _check_picture(path: Path, video: VideoStream) -> None:
    context = video.codec_context
    codec = _codec(video)
    if codec != "h264":
        name = _CODEC_NAMES.get(codec, codec)
        raise BadFile(
            _("“{file}” is {codec} video, which many computers cannot play").format(
                file=path.name, codec=name
            ),
            conversion(path),
        )
    if context.pix_fmt not in _PIXEL_FORMATS:
        raise BadFile(
            _("“{file}” has the pixel format {name}, which many computers cannot play").format(
                file=path.name, name=context.pix_fmt
            ),
            conversion(path),
        )
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (context.width, context.height)):
        raise BadFile(
            _("“{file}” has {width} × {height} pixels").format(
                file=path.name, width=context.width, height=context.height
            ),
            conversion(path, shrink_to=MAX_SIDE),
        )
    rate = video.average_rate
    if rate is None or not 0 < rate <= MAX_FRAMES_PER_SECOND:
        raise BadFile(
            _("“{file}” has more than {limit} pictures a second, or none").format(
                file=path.name, limit=MAX_FRAMES_PER_SECOND
            ),
            _("export it with 25 or 30 pictures a second"),
        )


def _check_length(path: Path, container: av.container.InputContainer, video: VideoStream) -> None:
    if not video.frames:
        raise BadFile(
            _("“{file}” is in fragments, as for streaming").format(file=path.name), conversion(path)
        )
    seconds = (container.duration or 0) / av.time_base
    if not 0 < seconds <= MAX_DURATION_S:
        raise BadFile(
            _("“{file}” is {seconds} seconds long").format(file=path.name, seconds=round(seconds)),
            _("publish one that is at most {limit} seconds long").format(limit=MAX_DURATION_S),
        )


def _copy(
    path: Path,
    source: av.container.InputContainer,
    streams: tuple[VideoStream, AudioStream | None],
    target: Path,
) -> None:
    """The same picture and sound in a new container: places, names and further tracks stay behind."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(target), "w", format="mp4", options=options) as container:
        copies = {
            stream.index: container.add_stream_from_template(stream)
            for stream in streams
            if stream is not None
        }
        packets = dict.fromkeys(copies, 0)
        for packet in source.demux([stream for stream in streams if stream is not None]):
            if packet.dts is None:
                continue
            if packet.is_corrupt:
                raise _cut_short(path)
            packets[packet.stream.index] += 1
            packet.stream = copies[packet.stream.index]
            container.mux(packet)
    for stream in streams:
        if stream is not None and packets[stream.index] < stream.frames:
            raise _cut_short(path)


def _described(path: Path, content: bytes, container: av.container.InputContainer) -> CheckedVideo:
    """Decode the beginning, the end and a picture for the poster."""
    video = container.streams.video[0]
    video.codec_context.options = {"err_detect": "explode"}
    duration_ms = round((container.duration or 0) * 1000 / av.time_base)
    first = next(_frames(container, video), None)
    poster = _frame_from(container, video, duration_ms / 3)
    tail = list(_frames(container, video, from_ms=max(0, duration_ms - TAIL_S * 1000)))
    if (
        first is None
        or poster is None
        or not tail
        or any(frame.is_corrupt for frame in (first, poster, *tail))
    ):
        raise _cut_short(path)
    last_ms = round(1000 * (tail[-1].time or 0))
    if last_ms < duration_ms - TAIL_S * 1000:
        raise _cut_short(path)
    sideways = first.rotation % 180 != 0
    width, height = (first.height, first.width) if sideways else (first.width, first.height)
    return CheckedVideo(
        CheckedFile(content, Media.Type.MP4, width, height, duration_ms), encode(_picture(poster), "JPEG")
    )


def _frames(
    container: av.container.InputContainer, video: VideoStream, from_ms: float = 0
) -> Iterator[VideoFrame]:
    container.seek(round(from_ms * av.time_base / 1000))
    yield from container.decode(video)


def _frame_from(
    container: av.container.InputContainer, video: VideoStream, wanted_ms: float
) -> VideoFrame | None:
    """The first frame at this time or later; the last one if there is none."""
    found = None
    for found in _frames(container, video, from_ms=wanted_ms):
        if (found.time or 0) * 1000 >= wanted_ms:
            break
    return found


def _picture(frame: VideoFrame) -> Image.Image:
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    upright = picture.rotate(frame.rotation, expand=True) if frame.rotation else picture
    upright.thumbnail((MAX_POSTER_SIDE, MAX_POSTER_SIDE), Image.Resampling.LANCZOS)
    return upright


def _cut_short(path: Path) -> BadFile:
    return BadFile(_("“{file}” is damaged or cut short").format(file=path.name), _("copy or export it again"))
