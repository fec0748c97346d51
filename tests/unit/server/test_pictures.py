"""Pictures of every kind are published as they look, or refused with a reason that is true."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from resources.sample.drawing import gradient
from server.campaigns.models import Media
from server.media.checks import BadFile
from server.media.images import check_image
from tests.support import pictures
from tests.support.pictures import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, png, write

SIZE = (33, 19)
"""Pixels; no multiple of eight, so that lines end within a byte and passes within a block."""


def published(path: Path) -> Image.Image:
    image = Image.open(io.BytesIO(check_image(path).content))
    assert not image.info.get("icc_profile")
    return image.convert("RGBA")


def step(column: int, row: int, steps: int) -> int:
    """A value that differs between neighbours, and takes all values from 0 to ``steps``."""
    return (column * 7 + row * 3) * (steps + 1) // 64 % (steps + 1)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_of_every_depth_looks_as_it_did(tmp_path: Path, depth: int, interlaced: bool) -> None:
    most = 2**depth - 1
    content = png(SIZE, depth, GREY, lambda x, y: [step(x, y, most)], interlaced=interlaced)
    image = published(write(tmp_path / "p.png", content))
    for x, y in ((x, y) for x in range(SIZE[0]) for y in range(SIZE[1])):
        grey = round(step(x, y, most) * 255 / most)
        assert image.getpixel((x, y)) == (grey, grey, grey, 255)


@pytest.mark.parametrize("colour_type", [RGB, RGBA, GREY_ALPHA])
@pytest.mark.parametrize("interlaced", [False, True])
def test_16_bit_colours_look_as_they_did(tmp_path: Path, colour_type: int, interlaced: bool) -> None:
    channels = pictures.CHANNELS[colour_type]

    def sample(x: int, y: int) -> list[int]:
        return [step(x + 5 * channel, y, 65_535) for channel in range(channels)]

    image = published(write(tmp_path / "p.png", png(SIZE, 16, colour_type, sample, interlaced=interlaced)))
    for x, y in ((x, y) for x in range(SIZE[0]) for y in range(SIZE[1])):
        values = [value / 257 for value in sample(x, y)]
        if colour_type == GREY_ALPHA:
            values = [values[0]] * 3 + values[1:]
        got = image.getpixel((x, y))
        assert isinstance(got, tuple)
        assert all(abs(was - now) <= 1 for was, now in zip(values, got, strict=False))


@pytest.mark.parametrize("transparent", [0, 3, -1])
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_picture_stays_transparent(
    tmp_path: Path, depth: int, interlaced: bool, transparent: int
) -> None:
    most = 2**depth - 1
    mark = transparent % (most + 1)
    content = png(
        SIZE,
        depth,
        GREY,
        lambda x, y: [mark if x == y else step(x, y, most)],
        chunks=[(b"tRNS", struct.pack(">H", mark))],
        interlaced=interlaced,
    )
    image = published(write(tmp_path / "p.png", content))
    for x, y in ((x, y) for x in range(SIZE[0]) for y in range(SIZE[1])):
        hidden = x == y or step(x, y, most) == mark
        pixel = image.getpixel((x, y))
        assert isinstance(pixel, tuple)
        assert pixel[3] == (0 if hidden else 255), (x, y)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_of_a_picture_stays_transparent_and_no_other_does(
    tmp_path: Path, depth: int, interlaced: bool
) -> None:
    top = 2**depth - 1
    mark, nearly = [top, top // 2, 17], [top, top // 2, 16]
    content = png(
        SIZE,
        depth,
        RGB,
        lambda x, y: mark if x == y else nearly,
        chunks=[(b"tRNS", struct.pack(">3H", *mark))],
        interlaced=interlaced,
    )
    image = published(write(tmp_path / "p.png", content))
    opaque = [(x, y) for x in range(SIZE[0]) for y in range(SIZE[1]) if image.getpixel((x, y))[3] == 255]  # type: ignore[index]
    assert opaque == [(x, y) for x in range(SIZE[0]) for y in range(SIZE[1]) if x != y]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palette_keeps_its_colours_and_how_transparent_each_is(tmp_path: Path, depth: int) -> None:
    colours = [(number * 80 % 256, 255 - number, number) for number in range(2**depth)]
    opacity = bytes(255 - number * 60 % 256 for number in range(2**depth))
    content = png(
        SIZE,
        depth,
        PALETTE,
        lambda x, y: [step(x, y, 2**depth - 1)],
        chunks=[(b"PLTE", bytes(value for colour in colours for value in colour)), (b"tRNS", opacity)],
    )
    image = published(write(tmp_path / "p.png", content))
    for x, y in ((x, y) for x in range(SIZE[0]) for y in range(SIZE[1])):
        number = step(x, y, 2**depth - 1)
        pixel = image.getpixel((x, y))
        assert isinstance(pixel, tuple)
        assert pixel[3] == opacity[number]
        assert pixel[3] == 0 or pixel[:3] == colours[number]


def test_a_gamma_chunk_changes_nothing_as_in_the_viewers_of_desktops(tmp_path: Path) -> None:
    content = png(SIZE, 8, GREY, lambda _x, _y: [100], chunks=[(b"gAMA", struct.pack(">I", 100_000))])
    assert published(write(tmp_path / "p.png", content)).getpixel((4, 4)) == (100, 100, 100, 255)


def test_a_photograph_with_a_second_picture_behind_it_is_the_first_one(tmp_path: Path) -> None:
    path = tmp_path / "camera.jpg"
    first, second = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (64, 48), "blue")
    first.save(path, "MPO", save_all=True, append_images=[second])
    file = check_image(path)
    assert (file.type, file.width, file.height) == (Media.Type.JPEG, 64, 48)
    assert len(file.content) < path.stat().st_size
    with Image.open(io.BytesIO(file.content)) as image:
        assert image.format == "JPEG"
        red, _green, blue = image.getpixel((20, 20))  # type: ignore[misc]
        assert red > 240
        assert blue < 20


def near(image: Image.Image, wanted: tuple[int, ...], most: int = 6) -> bool:
    pixel = image.convert("RGB").getpixel((5, 5))
    assert isinstance(pixel, tuple)
    return all(abs(was - now) <= most for was, now in zip(wanted, pixel, strict=True))


def test_print_colours_look_as_they_did(tmp_path: Path) -> None:
    Image.new("CMYK", (40, 30), (0, 255, 255, 0)).save(tmp_path / "p.jpg")
    assert near(published(tmp_path / "p.jpg"), (255, 0, 0))


def test_a_picture_in_one_strong_colour_beside_another_keeps_its_edge(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 30), "white")
    picture.paste((255, 0, 0), (20, 0, 21, 30))
    picture.save(tmp_path / "p.jpg", quality=100, subsampling=0)
    line = published(tmp_path / "p.jpg").getpixel((20, 15))
    assert isinstance(line, tuple)
    assert line[0] > 200
    assert line[1] < 70


def test_a_grey_picture_with_a_profile_of_its_own_is_turned_into_srgb(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(grey_profile(gamma=1.0))).tobytes()
    Image.new("L", (40, 30), 55).save(tmp_path / "p.png", icc_profile=profile)
    assert near(published(tmp_path / "p.png"), (128, 128, 128), most=3)
    Image.new("LA", (40, 30), (55, 90)).save(tmp_path / "a.png", icc_profile=profile)
    image = published(tmp_path / "a.png")
    assert near(image, (128, 128, 128), most=3)
    assert image.getpixel((5, 5))[3] == 90  # type: ignore[index]


def grey_profile(gamma: float) -> bytes:
    """A monitor's profile for grey (ICC.1:2001-04, section 6.3.3.3: a white point and one curve)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(part * 65_536) for part in (0.9642, 1.0, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = [(b"wtpt", white), (b"kTRC", curve)]
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags:
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    header = bytearray(128)
    struct.pack_into(">I", header, 0, start + len(body))
    header[8:12] = b"\x02\x40\0\0"
    header[12:24] = b"mntrGRAYXYZ "
    header[36:40] = b"acsp"
    header[68:80] = white[8:]
    return bytes(header) + table + body


def test_a_webp_without_loss_stays_without_loss(tmp_path: Path) -> None:
    picture = gradient(64, 48).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((64, 48)))
    picture.save(tmp_path / "p.webp", lossless=True, exact=True)
    again = Image.open(io.BytesIO(check_image(tmp_path / "p.webp").content))
    assert again.format == "WEBP"
    assert again.getpixel((30, 40)) == picture.getpixel((30, 40))


def test_notes_that_cannot_be_read_do_not_keep_a_picture_back(tmp_path: Path) -> None:
    for exif in (
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03",
    ):
        gradient(40, 30).save(tmp_path / "p.jpg", exif=exif)
        assert check_image(tmp_path / "p.jpg").width == 40


def bad_checksum(path: Path) -> None:
    content = bytearray(png(SIZE, 8, GREY, lambda x, y: [x]))
    content[content.index(b"IEND") - 5] ^= 1
    path.write_bytes(content)


def without_pixels(path: Path) -> None:
    content = png(SIZE, 8, GREY, lambda x, y: [x])
    start = content.index(b"IDAT") - 4
    path.write_bytes(content[:start] + pictures.chunk(b"IEND", b""))


def changed_line_ends(path: Path) -> None:
    path.write_bytes(png(SIZE, 8, GREY, lambda x, y: [x]).replace(b"\r\n", b"\n"))


def unknown_colours(path: Path) -> None:
    path.write_bytes(png(SIZE, 8, 1, lambda x, y: [x]))


def twelve_bits(path: Path) -> None:
    gradient(40, 30).save(path)
    content = bytearray(path.read_bytes())
    content[content.index(b"\xff\xc0") + 4] = 12
    path.write_bytes(content)


def long_text(path: Path) -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(64 * 1024 * 1024))
    path.write_bytes(png(SIZE, 8, GREY, lambda x, y: [x], chunks=[(b"zTXt", text)]))


@pytest.mark.parametrize(
    ("name", "make", "what"),
    [
        ("checksum.png", bad_checksum, "damaged"),
        ("empty.png", without_pixels, "damaged"),
        ("as-text.png", changed_line_ends, "damaged"),
        ("unknown.png", unknown_colours, "damaged"),
        ("twelve.jpg", twelve_bits, "12 bits"),
        ("text.png", long_text, "unpacks to more than 1 MB"),
    ],
)
def test_a_picture_that_cannot_be_published_is_refused_with_the_true_reason(
    tmp_path: Path, name: str, make: Callable[[Path], None], what: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(BadFile) as refused:
        check_image(tmp_path / name)
    assert what in refused.value.what
    assert refused.value.what_to_do
