"""The outer structure of an MP4 file (ISO/IEC 14496-12): boxes, from the first byte to the last."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from server.media.checks import BadFile, Convertible

_KNOWN_BOXES = frozenset(
    b"ftyp moov mdat free skip wide uuid udta meta pdin moof mfra sidx ssix styp emsg prft".split()
)
_MAX_PADDING_BYTES = 1024 * 1024
_PADDING = frozenset({b"free", b"skip", b"uuid", b"wide"})
_START_BYTES = 512
_QUICKTIME = b"qt  "
_IMAGE_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"})

_OTHERS = (
    (b"\x1aE\xdf\xa3", "Matroska / WebM", "matroska"),
    (b"RIFF", "AVI", "avi"),
    (b"OggS", "Ogg", "ogg"),
    (b"FLV\x01", "Flash Video", "flv"),
    (b"\x30\x26\xb2\x75", "Windows Media", "asf"),
    (b"\x00\x00\x01\xba", "MPEG", "mpeg"),
    (b"\x47\x40", "MPEG-TS", "mpegts"),
)
"""How a file of another kind begins, what people call that kind, and what reads it in FFmpeg."""


def check_structure(path: Path, file: BinaryIO, size: int, advice: Callable[[], str]) -> None:
    """See that the file is one whole MP4 and nothing else. `advice` makes the words that lead to one. Raises `BadFile`."""
    _check_start(path, file.read(_START_BYTES), advice)
    names = []
    padding = 0
    for name, length in _boxes(path, file, size, advice):
        names.append(name)
        padding += length if name in _PADDING else 0
    if b"moov" not in names or not {b"mdat", b"moof"} & set(names):
        raise _incomplete(path)
    if padding > _MAX_PADDING_BYTES:
        raise _two_in_one(path, advice)


def demuxer_of(file: BinaryIO) -> str | None:
    """What reads this file in FFmpeg, by its first bytes; None for a kind that is not known here."""
    file.seek(0)
    start = file.read(_START_BYTES)
    if start[4:8] == b"ftyp":
        return "mov"
    return next((demuxer for mark, _kind, demuxer in _OTHERS if start.startswith(mark)), None)


def _check_start(path: Path, content: bytes, advice: Callable[[], str]) -> None:
    name = path.name
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        if brand == _QUICKTIME:
            raise Convertible(_("“{file}” is a QuickTime video (MOV)").format(file=name), advice())
        if brand in _IMAGE_BRANDS:
            raise BadFile(
                _("“{file}” is a picture").format(file=name),
                _("publish it as an image, saved as JPEG or PNG"),
            )
        return
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(
        (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"<MPD")
    ):
        raise BadFile(
            _("“{file}” is a playlist: a list of other files").format(file=name),
            _("publish the video itself"),
        )
    for mark, kind, _demuxer in _OTHERS:
        if content.startswith(mark):
            raise Convertible(
                _("“{file}” is a video of the kind {kind}").format(file=name, kind=kind), advice()
            )
    raise BadFile(_("“{file}” is no MP4 video").format(file=name), _("publish an MP4 file"))


def _boxes(path: Path, file: BinaryIO, end: int, advice: Callable[[], str]) -> Iterator[tuple[bytes, int]]:
    """The name and size of each outermost box."""
    at = 0
    while at < end:
        file.seek(at)
        head = file.read(16)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:
            size = end - at
        if name not in _KNOWN_BOXES or size < 8:
            raise _two_in_one(path, advice)
        if at + size > end:
            raise _incomplete(path)
        yield name, size
        at += size


def _incomplete(path: Path) -> BadFile:
    return BadFile(_("“{file}” is cut short").format(file=path.name), _("copy or export it again"))


def _two_in_one(path: Path, advice: Callable[[], str]) -> Convertible:
    return Convertible(_("“{file}” holds something besides the video").format(file=path.name), advice())
