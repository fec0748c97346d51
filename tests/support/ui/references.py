"""Small pictures of every screen that are kept, and how far a screen may be from its own."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

FOLDER = Path(__file__).parents[2] / "references"
SHRINK = 3
COLOURS = 32
MOST_BYTES = 1_500_000
CHANNEL_TOLERANCE = 40
"""Of 255: fewer colours and another version of the font renderer stay below it."""
SHARE_TOLERANCE = 0.001
"""Of a picture's pixels. A button of another colour, or one that moved, is more."""


@dataclass(frozen=True)
class Difference:
    """How a screen differs from what was kept. `share` is of the pixels, 0 to 1; `picture` marks them."""

    share: float
    picture: Image.Image

    @property
    def too_much(self) -> bool:
        return self.share > SHARE_TOLERANCE


def small(image: Image.Image) -> Image.Image:
    """A screen's picture at a fraction of its size."""
    size = (max(image.width // SHRINK, 1), max(image.height // SHRINK, 1))
    return image.convert("RGB").resize(size, Image.Resampling.BOX)


def write_small(source: Path, folder: Path) -> Path:
    """Keeps a screen's picture, small and with few colours."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    with Image.open(source) as image:
        reduced = small(image).quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(target, optimize=True)
    return target


def difference(now: Path, kept: Path) -> Difference:
    """Compares two small pictures. Another size is a difference in all pixels."""
    with Image.open(now) as first, Image.open(kept) as second:
        one, other = first.convert("RGB"), second.convert("RGB")
    if one.size != other.size:
        return Difference(1.0, _side_by_side(one, other))
    bands = ImageChops.difference(one, other).split()
    largest = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    mask = largest.point([0] * (CHANNEL_TOLERANCE + 1) + [255] * (255 - CHANNEL_TOLERANCE))
    share = mask.histogram()[255] / (mask.width * mask.height)
    marked = Image.composite(Image.new("RGB", one.size, (255, 0, 90)), one, mask)
    return Difference(share, _side_by_side(other, one, marked))


def total_bytes() -> int:
    """What all kept pictures take together."""
    return sum(path.stat().st_size for path in FOLDER.glob("*.png"))


def _side_by_side(*images: Image.Image) -> Image.Image:
    whole = Image.new("RGB", (sum(each.width for each in images), max(each.height for each in images)))
    left = 0
    for each in images:
        whole.paste(each, (left, 0))
        left += each.width
    return whole
