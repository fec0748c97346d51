"""What the sample pictures are drawn with: a canvas with smooth edges, a gradient, and two helpers."""

import itertools
import math
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw, ImageOps

_TEAL, _MINT, _PEACH = "#0f766e", "#83c5be", "#ffddd2"
_SCALE = 2

Colour = tuple[int, int, int] | tuple[int, int, int, int]
Point = tuple[float, float]


def gradient(width: int, height: int, shift: float = 0.0) -> Image.Image:
    """A diagonal from teal over mint to peach; `shift` in -1…1 moves the middle of it."""
    small_width, small_height = 96, max(1, round(96 * height / width))
    grey = Image.new("L", (small_width, small_height))
    span = small_width + small_height - 2
    grey.putdata([round(255 * (x + y) / span) for y in range(small_height) for x in range(small_width)])
    smooth = grey.resize((width, height), Image.Resampling.BICUBIC)
    midpoint = max(1, min(254, round(140 + 60 * shift)))
    return ImageOps.colorize(smooth, black=_TEAL, white=_PEACH, mid=_MINT, midpoint=midpoint)


def ease(value: float) -> float:
    """0…1 to 0…1, slow at both ends; values outside are clamped."""
    clamped = max(0.0, min(1.0, value))
    return clamped * clamped * (3 - 2 * clamped)


class Canvas:
    """Draws in picture points on an image of twice the size, with alpha."""

    def __init__(self, background: Image.Image) -> None:
        size = (background.width * _SCALE, background.height * _SCALE)
        self._image = background.resize(size, Image.Resampling.NEAREST)
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def finished(self) -> Image.Image:
        """The picture at its final size."""
        return self._image.reduce(_SCALE)

    def circle(self, centre: Point, radius: float, fill: Colour) -> None:
        if radius > 0:
            self._draw.circle(_scaled(centre), radius * _SCALE, fill=fill)

    def ring(self, centre: Point, radius: float, colour: Colour, width: float) -> None:
        if radius > 0:
            self._draw.circle(_scaled(centre), radius * _SCALE, outline=colour, width=round(width * _SCALE))

    def box(self, corner: Point, size: Point, fill: Colour, radius: float = 0) -> None:
        (left, top), (width, height) = corner, size
        if width > 0 and height > 0:
            ends = (*_scaled(corner), *_scaled((left + width, top + height)))
            self._draw.rounded_rectangle(ends, radius * _SCALE, fill=fill)

    def polygon(self, points: Iterable[Point], fill: Colour) -> None:
        self._draw.polygon([_scaled(point) for point in points], fill=fill)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float, part: float = 1.0) -> None:
        """Draw the first `part` (0…1) of a line through the points, with round ends."""
        drawn = first_part(points, part)
        if len(drawn) < 2:
            return
        scaled = [_scaled(point) for point in drawn]
        self._draw.line(scaled, fill=colour, width=round(width * _SCALE), joint="curve")
        for end in (scaled[0], scaled[-1]):
            self._draw.circle(end, width * _SCALE / 2, fill=colour)


def first_part(points: Sequence[Point], part: float) -> list[Point]:
    """The beginning of a line, cut where `part` (0…1) of its length is reached."""
    if part <= 0:
        return []
    left = part * sum(math.dist(a, b) for a, b in itertools.pairwise(points))
    drawn = [points[0]]
    for start, end in itertools.pairwise(points):
        length = math.dist(start, end)
        if length >= left:
            share = left / length
            drawn.append((start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
            return drawn
        drawn.append(end)
        left -= length
    return drawn


def _scaled(point: Point) -> Point:
    return (point[0] * _SCALE, point[1] * _SCALE)
