"""Videos: only what every agent plays, and nothing of what a camera or an editor wrote beside it."""

import collections
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import av
import av.container
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from PIL import Image

from server.campaigns.models import Media
from server.media.checks import (
    FIT,
    MEGABYTE,
    BadFile,
    CheckedFile,
    Convertible,
    conversion,
    enough_memory,
    opened_limited,
)
from server.media.h264 import length_bytes, without_user_data
from server.media.images import encode
from server.media.mp4 import check_structure

MAX_BYTES = 200 * MEGABYTE
MAX_DURATION_S = 600
MAX_SIDE, MIN_SIDE = 1_920, 16
"""Pixels."""
MAX_FRAMES_PER_SECOND = 60
FRAMES_PER_SECOND_OVER = 2
"""Cameras that are set to 60 write a little more than that."""
MOST_SKEW = Fraction(1, 100)
"""Of a pixel's width to its height; editors that round write one nearly square."""
MAX_POSTER_SIDE = 1_280
TAIL_S = 3
"""Of the end of a video that is decoded, so that a file that was cut short is noticed."""
MOST_SEARCHED = 600
"""Pictures that are decoded to find one: encoders write a whole one every 250, unless they are told otherwise."""
MEMORY_BYTES = 256 * MEGABYTE
"""What looking at a video may take."""

_PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_FIT = FIT.format(side=MAX_SIDE)
_CODEC_NAMES = {"av1": "AV1", "hevc": "H.265 / HEVC", "vp9": "VP9", "vp8": "VP8", "mpeg4": "MPEG-4 Part 2"}


_PQ, _HLG, _BT2020 = 16, 18, 9
"""As ITU-T H.273 numbers transfer characteristics (table 3) and colour primaries (table 2)."""
_TRANSFERS = {_PQ: "smpte2084", _HLG: "arib-std-b67"}
_MATRICES = {1: "bt709", 10: "bt2020c"}
_CONTAINERS = ((4, b"ftyp", "mp4"), (0, b"\x1aE\xdf\xa3", "matroska"))


@dataclass(frozen=True)
class CheckedVideo:
    """A video as agents get it, and a picture out of it."""

    file: CheckedFile
    poster: CheckedFile


@dataclass(frozen=True)
class _Seen:
    """What decoding showed: the upright size in pixels, and a frame for the poster."""

    width: int
    height: int
    poster: Image.Image


class _Unsound(Exception):
    """A frame that cannot be decoded."""


def check_video(path: Path) -> CheckedVideo:
    """The video as agents get it: one H.264 picture and at most one AAC sound, in an MP4 that starts at once.

    Memory does not grow with its length, but for the copy that is answered. Raises `BadFile`, with the command that makes
    a good file of it where there is one, and `EnvironmentFault`.
    """
    with enough_memory(path), opened_limited(path, MAX_BYTES) as (file, size):
        check_structure(path, file, size, lambda: _advice(path, file))
        try:
            return _checked(path, file, size)
        except av.error.BlockingIOError:
            raise
        except (av.error.FFmpegError, EOFError) as error:
            # Raises MemoryError where there is no room to read a file, which FFmpeg may call invalid. Where there is, a file
            # for which it has too little asks for more than any video needs.
            bytearray(MEMORY_BYTES)
            raise _damaged(path) from error


def _checked(path: Path, file: BinaryIO, size: int) -> CheckedVideo:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "copy.mp4"
        _check_shown(path, file)
        with _opened(file) as container:
            video, sound = _checked_streams(path, container)
            _check_samples(path, size, video, sound)
            _copy(container, (video, sound), target)
        with target.open("rb") as copy:
            seen = _seen(path, copy, file)
            with _opened(copy) as container:
                duration_ms = round((container.duration or 0) * 1000 / av.time_base)
        content = target.read_bytes()
    checked = CheckedFile(content, Media.Type.MP4, seen.width, seen.height, duration_ms)
    return CheckedVideo(checked, encode(seen.poster, "JPEG"))


def _opened(file: BinaryIO, options: dict[str, str] | None = None) -> av.container.InputContainer:
    """Read from an open file, as MP4 and as nothing else: a playlist cannot make the reader open other files."""
    file.seek(0)
    return av.open(file, "r", format="mp4", options=options, metadata_errors="replace")


def _advice(path: Path, file: BinaryIO) -> str:
    """How to make a video of a file of another kind that can be published, its colours included."""
    file.seek(0)
    start = file.read(8)
    for at, mark, kind in _CONTAINERS:
        if start[at:].startswith(mark):
            file.seek(0)
            with (
                contextlib.suppress(av.error.FFmpegError, EOFError),
                av.open(file, "r", format=kind, metadata_errors="replace") as opened,
            ):
                return _conversion(path, _moving(opened), is_known=False)
    return _conversion(path, [], is_known=False)


def _conversion(path: Path, videos: list[VideoStream], *, is_known: bool = True, reading: str = "") -> str:
    """The command that puts right what is unusual. `is_known`: whether it may leave what needs no change."""
    fits = is_known and not any(_misfit(video) for video in videos)
    filters = next((_colour_filters(video) for video in videos if _has_unusual_colours(video)), [])
    if fits:
        return conversion(path, filters=filters, reading=reading)
    return conversion(path, filters=[*filters, _FIT], rate=MAX_FRAMES_PER_SECOND, reading=reading)


def _has_unusual_colours(video: VideoStream) -> bool:
    """Of high dynamic range, or of a wide gamut: on the usual screens both look washed out."""
    context = video.codec_context
    return context is not None and (context.color_trc in _TRANSFERS or context.color_primaries == _BT2020)


def _colour_filters(video: VideoStream) -> list[str]:
    context = video.codec_context
    return to_usual_colours(_TRANSFERS.get(context.color_trc), _MATRICES.get(context.colorspace, "bt2020nc"))


def to_usual_colours(transfer: str | None, matrix: str) -> list[str]:
    """Filters of ffmpeg that bring others to what screens show (ITU-R BT.709).

    `transfer`: of high dynamic range, as ffmpeg calls it; else None.
    """
    known = matrix if matrix in _MATRICES.values() else "bt2020nc"
    read = f"zscale=tin={transfer or 'bt709'}:pin=bt2020:min={known}:t=linear:npl=100"
    mapped = ["tonemap=hable:desat=0"] if transfer else []
    written = ["zscale=t=bt709:m=bt709:r=tv", "format=yuv420p"]
    return [read, "format=gbrpf32le", "zscale=p=bt709", *mapped, *written]


def _check_shown(path: Path, file: BinaryIO) -> None:
    """See that an edit list leaves something to be seen: FFmpeg shows nothing else, and Firefox does not begin to play."""
    with _opened(file) as container:
        if not _shows_nothing(container):
            return
        advice = _conversion(path, _moving(container), is_known=False, reading="-ignore_editlist 1 ")
    with _opened(file, {"ignore_editlist": "1"}) as container:
        if _shows_nothing(container):
            return
    raise Convertible(
        _("“{file}” shows no picture: its edit list hides all of them").format(file=path.name),
        advice,
    )


def _shows_nothing(container: av.container.InputContainer) -> bool:
    return any(
        video.frames and all(e.is_discard for e in video.index_entries) for video in _moving(container)
    )


def _checked_streams(
    path: Path, container: av.container.InputContainer
) -> tuple[VideoStream, AudioStream | None]:
    videos = _moving(container)
    sounds = list(container.streams.audio)
    advice = _conversion(path, videos)
    if len(videos) != 1 or len(sounds) > 1:
        what = _("“{file}” has {pictures} and {sounds}").format(
            file=path.name,
            pictures=ngettext("{count} picture", "{count} pictures", len(videos)).format(count=len(videos)),
            sounds=ngettext("{count} sound track", "{count} sound tracks", len(sounds)).format(
                count=len(sounds)
            ),
        )
        raise Convertible(what, advice) if videos else BadFile(what, _("publish a video"))
    _check_picture(path, videos[0], advice)
    _check_length(path, container, videos[0], advice)
    if sounds and _codec(sounds[0]) != "aac":
        name = _codec(sounds[0])
        raise Convertible(
            _("the sound of “{file}” is {codec}, not AAC").format(file=path.name, codec=name), advice
        )
    if any(entry.is_discard for entry in videos[0].index_entries):
        raise Convertible(
            _(
                "“{file}” was trimmed without being encoded anew: an edit list hides what was cut away, "
                "and it would travel with the video"
            ).format(file=path.name),
            advice,
        )
    return videos[0], sounds[0] if sounds else None


def _moving(container: av.container.InputContainer) -> list[VideoStream]:
    """Without the cover that music programs put beside a video."""
    return [video for video in container.streams.video if not video.disposition & Disposition.attached_pic]


def _misfit(video: VideoStream) -> bool:
    context = video.codec_context
    if context is None:
        return True
    is_odd = bool(context.width % 2 or context.height % 2)
    return is_odd or max(context.width, context.height) > MAX_SIDE or _is_skewed(video) or _is_too_fast(video)


def _is_skewed(video: VideoStream) -> bool:
    shape = video.sample_aspect_ratio
    return shape is not None and shape > 0 and abs(shape - 1) > MOST_SKEW


def _is_too_fast(video: VideoStream) -> bool:
    """A video of one picture has no rate."""
    rate = video.average_rate
    return rate is not None and rate > MAX_FRAMES_PER_SECOND + FRAMES_PER_SECOND_OVER


def _codec(stream: VideoStream | AudioStream) -> str:
    """The codec's name; PyAV has no context for one that it does not know."""
    return stream.codec_context.codec.canonical_name if stream.codec_context else _("an unknown codec")


def _check_picture(path: Path, video: VideoStream, advice: str) -> None:
    context = video.codec_context
    codec = _codec(video)
    if codec != "h264":
        name = _CODEC_NAMES.get(codec, codec)
        raise Convertible(
            _("“{file}” is {codec} video, which many computers cannot play").format(
                file=path.name, codec=name
            ),
            advice,
        )
    if context.pix_fmt not in _PIXEL_FORMATS:
        raise Convertible(
            _("“{file}” has the pixel format {name}, which many computers cannot play").format(
                file=path.name, name=context.pix_fmt
            ),
            advice,
        )
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (context.width, context.height)):
        what = _("“{file}” has {width} × {height} pixels").format(
            file=path.name, width=context.width, height=context.height
        )
        if min(context.width, context.height) < MIN_SIDE:
            raise BadFile(what, _("publish one with at least {limit} pixels a side").format(limit=MIN_SIDE))
        raise Convertible(what, advice)
    if _has_unusual_colours(video):
        raise Convertible(
            _("“{file}” has the colours of an HDR video, which look washed out on most screens").format(
                file=path.name
            ),
            advice,
        )
    if _is_skewed(video):
        raise Convertible(
            _("“{file}” has pixels that are not square").format(file=path.name),
            advice,
        )
    if _is_too_fast(video):
        raise Convertible(
            _("“{file}” has more than {limit} pictures a second").format(
                file=path.name, limit=MAX_FRAMES_PER_SECOND
            ),
            advice,
        )


def _check_length(
    path: Path, container: av.container.InputContainer, video: VideoStream, advice: str
) -> None:
    if not video.frames:
        raise Convertible(_("“{file}” is in fragments, as for streaming").format(file=path.name), advice)
    seconds = (container.duration or 0) / av.time_base
    if not 0 < seconds <= MAX_DURATION_S:
        raise BadFile(
            ngettext(
                "“{file}” is {seconds} second long", "“{file}” is {seconds} seconds long", round(seconds)
            ).format(file=path.name, seconds=round(seconds)),
            _("publish one that is at most {limit} seconds long").format(limit=MAX_DURATION_S),
        )


def _check_samples(path: Path, size: int, video: VideoStream, sound: AudioStream | None) -> None:
    """See that all pictures and sounds lie within the file."""
    for stream in (video, sound):
        if stream is not None and any(entry.pos + entry.size > size for entry in stream.index_entries):
            raise BadFile(_("“{file}” is cut short").format(file=path.name), _("copy or export it again"))


def _copy(
    source: av.container.InputContainer, streams: tuple[VideoStream, AudioStream | None], target: Path
) -> None:
    """The same picture and sound in a new container: places, names and further tracks stay behind.

    So does sound that an edit list hides.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(target), "w", format="mp4", options=options) as container:
        copies = {
            stream.index: container.add_stream_from_template(stream)
            for stream in streams
            if stream is not None
        }
        video = streams[0]
        prefix = length_bytes(video.codec_context.extradata)
        for packet in source.demux([stream for stream in streams if stream is not None]):
            if packet.dts is None or packet.is_discard:
                continue
            index = packet.stream_index
            bare = without_user_data(packet, prefix) if index == video.index else packet
            bare.stream = copies[index]
            container.mux(bare)


def _seen(path: Path, copy: BinaryIO, original: BinaryIO) -> _Seen:
    """Decode the beginning, a third and the end; where one of them fails, all of it, from the beginning, as FFmpeg does.

    A decoder that starts within a video may miss a picture that others refer to, and that is no damage.
    """
    try:
        return _looked_into(copy)
    except (_Unsound, av.error.InvalidDataError):
        pass
    try:
        return _looked_through(copy)
    except (_Unsound, av.error.InvalidDataError):
        pass
    try:
        _looked_through(original)
    except _Unsound as error:
        raise _damaged(path) from error
    raise Convertible(
        _("“{file}” has pictures that refer to others outside of it").format(file=path.name),
        conversion(path, filters=[_FIT], rate=MAX_FRAMES_PER_SECOND),
    )


def frame_at(path: Path, share: float) -> CheckedFile:
    """A picture out of a video that was checked, at this share of its length, or what comes near without a long search.

    Raises `BadFile` and `EnvironmentFault`.
    """
    with enough_memory(path), opened_limited(path, MAX_BYTES) as (file, _size):
        try:
            with _opened(file) as container:
                video = _moving(container)[0]
                wanted_ms = share * _end_ms(container, video)
                frames = islice(_frames(container, video, from_ms=wanted_ms), MOST_SEARCHED)
                return encode(_picture(_last_of(_until(wanted_ms, frames))), "JPEG")
        except (_Unsound, av.error.InvalidDataError, EOFError) as error:
            raise _damaged(path) from error


def _looked_into(file: BinaryIO) -> _Seen:
    with _opened(file) as container:
        video = _moving(container)[0]
        first = _last_of(frame for frame, _number in zip(_frames(container, video), range(1), strict=False))
        end_ms = _end_ms(container, video)
        poster = _last_of(_until(end_ms / 3, _frames(container, video, from_ms=end_ms / 3)))
        picture = _picture(poster)
        _last_of(_frames(container, video, from_ms=max(0, end_ms - TAIL_S * 1000)))
        return _Seen(*_upright_size(first), picture)


def _looked_through(file: BinaryIO) -> _Seen:
    with _opened(file) as container:
        video = _moving(container)[0]
        poster_ms = _end_ms(container, video) / 3
        picture, last = None, None
        for last in _sound(container.decode(video)):
            if picture is None and (last.time or 0) * 1000 >= poster_ms:
                picture = _picture(last)
        if last is None:
            raise _Unsound
        return _Seen(*_upright_size(last), picture or _picture(last))


def _end_ms(container: av.container.InputContainer, video: VideoStream) -> float:
    """Of the picture; the sound may be longer."""
    if video.duration is None or video.time_base is None:
        return (container.duration or 0) * 1000 / av.time_base
    return float(1000 * ((video.start_time or 0) + video.duration) * video.time_base)


def _frames(
    container: av.container.InputContainer, video: VideoStream, from_ms: float = 0
) -> Iterator[VideoFrame]:
    container.seek(round(from_ms * av.time_base / 1000))
    yield from _sound(container.decode(video))


def _sound(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    for frame in frames:
        if frame.is_corrupt:
            raise _Unsound
        yield frame


def _until(wanted_ms: float, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """Up to the first frame at this time or later."""
    for frame in frames:
        yield frame
        if (frame.time or 0) * 1000 >= wanted_ms:
            return


def _last_of(frames: Iterator[VideoFrame]) -> VideoFrame:
    """Keeps one frame at a time: a decoded one takes 3 MB. Raises `_Unsound` where there is none."""
    last = collections.deque(frames, maxlen=1)
    if not last:
        raise _Unsound
    return last[0]


def _upright_size(frame: VideoFrame) -> tuple[int, int]:
    return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)


def _picture(frame: VideoFrame) -> Image.Image:
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    upright = picture.rotate(frame.rotation, expand=True) if frame.rotation else picture
    upright.thumbnail((MAX_POSTER_SIDE, MAX_POSTER_SIDE), Image.Resampling.LANCZOS)
    return upright


def _damaged(path: Path) -> BadFile:
    return BadFile(_("“{file}” is damaged").format(file=path.name), _("copy or export it again"))
