"""Files that look like media and lead elsewhere, or unpack to more than a computer holds: for S5."""

import itertools
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from resources.sample.drawing import gradient
from resources.sample.make_media import encode
from tests.support.pictures import chunk, png

NEEDLE = "tidings-needle"
PLACES = [
    "file://{folder}/{needle}.mp4",
    "{folder}/{needle}.mp4",
    "file:{folder}/{needle}.mp4",
    "http://127.0.0.1:{port}/{needle}.mp4",
    "https://127.0.0.1:{port}/{needle}.mp4",
    "tcp://127.0.0.1:{port}",
    "rtsp://127.0.0.1:{port}/{needle}",
    "ftp://127.0.0.1:{port}/{needle}.mp4",
    "concat:{folder}/{needle}.mp4|{folder}/{needle}.mp4",
    "subfile,,start,0,end,9,,:{folder}/{needle}.mp4",
    "crypto+file://{folder}/{needle}.mp4",
    "http://10.0.0.1/{needle}.mp4",
    "http://169.254.169.254/{needle}",
]
LISTS = [
    "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{place}\n#EXT-X-ENDLIST\n",
    "\ufeff#EXTM3U\r\n#EXT-X-STREAM-INF:BANDWIDTH=9\r\n{place}\r\n",
    '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{place}"\n#EXT-X-MAP:URI="{place}"\n#EXTINF:9,\n{place}\n',
    "\n\n#EXTM3U\n{place}\n",
    "ffconcat version 1.0\nfile '{place}'\nduration 1\n",
    "[playlist]\nFile1={place}\nNumberOfEntries=1\n",
    "{place}\n",
    '<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT9S"><Period><AdaptationSet><Representation id="1">'
    "<BaseURL>{place}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    '<?xml version="1.0"?><playlist><trackList><track><location>{place}</location></track></trackList></playlist>',
    '<asx version="3.0"><entry><ref href="{place}"/></entry></asx>',
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="{place}" width="9" height="9"/></svg>',
    "push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 9,9 '{place}'\npop graphic-context\n",
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\na=control:{place}\n",
    "WEBVTT\n\nSTYLE\n::cue {{ background: url({place}) }}\n\n00:00.000 --> 00:01.000\n<img src='{place}'>x\n",
]


def files(folder: Path, port: int) -> Iterator[bytes]:
    """Each disguise of each place. ``folder`` holds the file that nobody may open, ``port`` hears who connects."""
    video = encode(folder / "video.mp4", (gradient(64, 48, shift=at / 5) for at in range(5)), "libx264", {})
    content = video.read_bytes()
    places = [place.format(folder=folder, needle=NEEDLE, port=port) for place in PLACES]
    yield from (elsewhere(content, place.encode()) for place in places)
    for place, wrap, text in itertools.product(places, WRAPS, LISTS):
        yield wrap(text.format(place=place, port=port).encode(), content)


def plain(text: bytes, _video: bytes) -> bytes:
    return text


def named_mp4(text: bytes, _video: bytes) -> bytes:
    """A list behind a video's first box."""
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom") + text


def behind(text: bytes, video: bytes) -> bytes:
    """A video with a list behind it."""
    return video + text


def before(text: bytes, video: bytes) -> bytes:
    return text + video


def in_padding(text: bytes, video: bytes) -> bytes:
    """A video with a list in a box that players skip."""
    return video + struct.pack(">I4s", len(text) + 8, b"free") + text


def in_png(text: bytes, _video: bytes) -> bytes:
    return png((9, 9), 8, 0, lambda x, _y: [x], chunks=[(b"tEXt", b"Comment\0" + text)]) + text


def in_jpeg_start(text: bytes, _video: bytes) -> bytes:
    return b"\xff\xd8\xff\xfe" + struct.pack(">H", len(text) + 2) + text


WRAPS: list[Callable[[bytes, bytes], bytes]] = [
    plain,
    named_mp4,
    behind,
    before,
    in_padding,
    in_png,
    in_jpeg_start,
]


def elsewhere(video: bytes, place: bytes) -> bytes:
    """A video whose pictures are said to lie in another file (ISO/IEC 14496-12, section 8.7.2)."""
    entry = struct.pack(">I4sI", len(place) + 13, b"url ", 0) + place + b"\0"
    return b"".join(_rewritten(video, b"\0\0\0\0" + struct.pack(">I", 1) + entry))


def _rewritten(boxes: bytes, references: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(boxes):
        size, name = struct.unpack(">I4s", boxes[at : at + 8])
        content = boxes[at + 8 : at + size]
        if name == b"dref":
            content = references
        elif name in {b"moov", b"trak", b"mdia", b"minf", b"dinf"}:
            content = b"".join(_rewritten(content, references))
        yield struct.pack(">I4s", len(content) + 8, name) + content
        at += size


def bombs() -> Iterator[bytes]:
    """Pictures and videos of a few bytes that claim or unpack to very much."""
    for side in (20_000, 65_535, 2**31 - 1):
        for depth, colour_type in ((1, 0), (8, 2), (16, 6)):
            header = struct.pack(">IIBBBBB", side, side, depth, colour_type, 0, 0, 0)
            pixels = zlib.compress(bytes(32 * 1024 * 1024))
            yield b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    text = b"Comment\0\0" + zlib.compress(bytes(64 * 1024 * 1024))
    yield png((9, 9), 8, 0, lambda x, _y: [x], chunks=[(b"zTXt", text)])
    yield png((9, 9), 8, 0, lambda x, _y: [x], chunks=[(b"iCCP", text)])
    extended = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\x3f\0\xfe\x3f\0"
    yield b"RIFF" + struct.pack("<I", len(extended)) + extended
    yield b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0\xff\xd9"
    yield struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4sQ", 1, b"moov", 2**62)
    yield struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4s", 8, b"free") * 100_000
