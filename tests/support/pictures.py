"""PNG files of every kind, written pixel by pixel, as no library of ours writes them."""

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}

AT_ONCE = ((0, 0, 1, 1),)
ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column and row, and the steps, of each pass (PNG third edition, section 8.1)."""

Sample = Callable[[int, int], Sequence[int]]
"""The channels' values of the pixel at a column and a row."""


def png(
    size: tuple[int, int],
    depth: int,
    colour_type: int,
    sample: Sample,
    *,
    chunks: Sequence[tuple[bytes, bytes]] = (),
    interlaced: bool = False,
) -> bytes:
    """A file of these pixels. ``chunks`` come before the pixels."""
    width, height = size
    lines = bytearray()
    for left, top, across, down in ADAM7 if interlaced else AT_ONCE:
        columns = range(left, width, across)
        for row in range(top, height, down) if columns else ():
            values = [value for column in columns for value in sample(column, row)]
            lines += b"\0" + _packed(values, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(bytes(lines))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, content) for name, content in parts)


def chunk(name: bytes, content: bytes) -> bytes:
    """One part of a file, with its length and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _packed(values: Sequence[int], depth: int) -> bytes:
    bits = "".join(f"{value:0{depth}b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def write(path: Path, content: bytes) -> Path:
    """The path, once the content is there."""
    path.write_bytes(content)
    return path
