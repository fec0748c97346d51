"""The drawings of the sample company: the video about the Lyon studio, and the open-days picture.

Everything is drawn from geometry, at twice the size and then reduced, so that no font or file is needed.
"""

import math
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from resources.sample.drawing import Canvas, Colour, Point, ease, first_part, gradient

WIDTH, HEIGHT = 960, 540
SCENE_CHANGE_S = 3.2
"""Seconds into the video at which the city gives way to the floor plan."""
CROSS_FADE_S = 0.8

_INK = (11, 61, 58)
_CORAL = (226, 149, 120)
_PEACH = (255, 221, 210)
_WHITE = (255, 255, 255)


def video_frame(seconds: float) -> Image.Image:
    """The video's picture at this time."""
    fade = ease((seconds - SCENE_CHANGE_S) / CROSS_FADE_S)
    if fade == 0:
        return _city(seconds)
    if fade == 1:
        return _floor_plan(seconds)
    return Image.blend(_city(seconds), _floor_plan(seconds), fade)


@cache
def _backdrop(step: int) -> Image.Image:
    return gradient(WIDTH, HEIGHT, shift=step / 10)


@cache
def _glow(radius: int) -> Image.Image:
    mask = Image.new("L", (radius * 4, radius * 4))
    ImageDraw.Draw(mask).circle((radius * 2, radius * 2), radius, fill=120)
    return mask.filter(ImageFilter.GaussianBlur(radius / 2))


def _city(seconds: float) -> Image.Image:
    sky = ImageOps.mirror(_backdrop(0))
    rise = ease(seconds / 2.6)
    sun = (250.0, 330 - 150 * rise)
    glow = _glow(90)
    sky.paste((255, 246, 240), (round(sun[0]) - 180, round(sun[1]) - 180), glow)
    canvas = Canvas(sky)
    canvas.circle(sun, 58, (255, 244, 238, 235))
    for index, (top, start, speed) in enumerate(((92, 520, 16), (148, 760, 10), (70, 60, 12))):
        _cloud(canvas, (start + speed * seconds, top), 1 - 0.18 * index)
    hill = [
        (x, 372 - 62 * math.exp(-(((x - 300) / 210) ** 2)) - 20 * math.sin(x / 150))
        for x in range(0, 961, 16)
    ]
    canvas.polygon([(0, 540), *hill, (960, 540)], (15, 118, 110, 110))
    _basilica(canvas, (300, 300), ease((seconds - 0.2) / 1.2))
    _houses(canvas, seconds)
    canvas.box((0, 486), (960, 54), (*_INK, 150))
    for index in range(9):
        left = (index * 131 + 22 * seconds) % 1060 - 80
        canvas.stroke(
            [(left, 500 + index % 3 * 13), (left + 58, 500 + index % 3 * 13)], (255, 255, 255, 60), 2
        )
    return canvas.finished()


def _cloud(canvas: Canvas, at: Point, size: float) -> None:
    x, y = at
    for shift, lift, radius in ((-34, 6, 20), (0, -6, 28), (34, 4, 22)):
        canvas.circle((x + shift * size, y + lift * size), radius * size, (255, 255, 255, 70))


def _basilica(canvas: Canvas, foot: Point, grown: float) -> None:
    x, y = foot
    pale = (224, 239, 236)
    canvas.box((x - 30, y - 34 * grown), (60, 40 * grown), pale, 2)
    for side in (-30, 30):
        canvas.box((x + side - 6, y - 52 * grown), (12, 58 * grown), pale, 2)
    canvas.polygon([(x - 32, y - 33 * grown), (x, y - 56 * grown), (x + 32, y - 33 * grown)], pale)


_HOUSES: tuple[tuple[int, int, int, Colour], ...] = (
    (24, 96, 150, (20, 108, 102)), (112, 84, 108, (131, 197, 190)), (190, 106, 176, (13, 92, 87)),
    (290, 78, 122, (226, 149, 120)), (362, 92, 160, (20, 108, 102)), (448, 76, 118, (255, 221, 210)),
    (518, 112, 226, (240, 250, 248)), (624, 84, 132, (13, 92, 87)), (702, 92, 172, (131, 197, 190)),
    (788, 78, 126, (226, 149, 120)), (860, 92, 158, (20, 108, 102)),
)  # fmt: skip


def _houses(canvas: Canvas, seconds: float) -> None:
    for index, (left, width, height, colour) in enumerate(_HOUSES):
        grown = ease((seconds - 0.25 - 0.07 * index) / 0.9)
        top = 490 - height * grown
        canvas.box((left, top), (width, height * grown), colour, 4)
        is_studio = height == 226
        if is_studio:
            canvas.box((left, top), (width, 10 * grown), _CORAL, 4)
        lights = (15, 118, 110) if is_studio or colour == _PEACH else (255, 236, 200)
        for row in range(int((height * grown - 34) / 30)):
            for column in range(int((width - 18) / 22)):
                when = 1.1 + 0.09 * ((row * 5 + column * 3 + index * 7) % 13)
                alpha = round(225 * ease((seconds - when) / 0.4))
                canvas.box((left + 13 + 22 * column, top + 22 + 30 * row), (12, 16), (*lights, alpha), 2)


_WALLS: tuple[tuple[Point, ...], ...] = (
    ((250, 440), (170, 440), (170, 100), (790, 100), (790, 440), (330, 440)),
    ((430, 100), (430, 200)),
    ((430, 250), (430, 290), (170, 290)),
    ((610, 440), (610, 330), (680, 330)),
    ((730, 330), (790, 330)),
)
_ROUTE: tuple[Point, ...] = ((290, 470), (290, 365), (462, 365), (462, 226), (402, 226), (330, 226))
_DESKS: tuple[Point, ...] = tuple((x, y) for y in (136, 196) for x in (500, 574, 648))


def _floor_plan(seconds: float) -> Image.Image:
    canvas = Canvas(_backdrop(round(10 * math.sin(seconds * 0.55))))
    elapsed = seconds - SCENE_CHANGE_S
    for index in range(5):
        angle = seconds * 0.35 + index * 1.3
        centre = (480 + 440 * math.cos(angle), 270 + 220 * math.sin(angle * 0.8))
        canvas.circle(centre, 40 + 14 * index, (255, 255, 255, 22))
    canvas.box((130, 66), (700, 416), (*_INK, 96), 26)
    for index, wall in enumerate(_WALLS):
        canvas.stroke(wall, (255, 255, 255, 245), 5, ease((elapsed - 0.2 * index) / 1.3))
    for index, (x, y) in enumerate(_DESKS):
        _desk(canvas, (x, y), _pop(elapsed - 1.0 - 0.09 * index))
    _meeting_table(canvas, (270, 180), _pop(elapsed - 1.2))
    _plants(canvas, elapsed)
    _cup(canvas, (705, 388), _pop(elapsed - 1.7))
    _bicycle(canvas, (230, 366), _pop(elapsed - 1.9), seconds)
    walked = ease((elapsed - 1.6) / 2.4)
    canvas.stroke(_ROUTE, (255, 221, 210, 150), 4, walked)
    if walked > 0:
        here = first_part(_ROUTE, walked)[-1]
        canvas.circle(here, 15 + 4 * math.sin(seconds * 6), (255, 221, 210, 70))
        canvas.circle(here, 9, _PEACH)
    return canvas.finished()


def _pop(elapsed: float) -> float:
    """Grow from 0 to 1 within half a second, overshooting a little."""
    progress = max(0.0, min(1.0, elapsed / 0.5))
    return 0.0 if progress == 0 else 1 + 2.2 * (progress - 1) ** 3 + 1.2 * (progress - 1) ** 2


def _desk(canvas: Canvas, centre: Point, size: float) -> None:
    x, y = centre
    canvas.box((x - 26 * size, y - 14 * size), (52 * size, 28 * size), (131, 197, 190, 235), 6 * size)
    canvas.box((x - 11 * size, y - 8 * size), (22 * size, 9 * size), (*_INK, 220), 2 * size)
    canvas.circle((x, y + 22 * size), 7 * size, (255, 255, 255, 220))


def _meeting_table(canvas: Canvas, centre: Point, size: float) -> None:
    x, y = centre
    canvas.circle(centre, 34 * size, (255, 221, 210, 240))
    for index in range(6):
        angle = index * math.pi / 3
        canvas.circle((x + 50 * size * math.cos(angle), y + 50 * size * math.sin(angle)), 9 * size, _WHITE)


def _plants(canvas: Canvas, elapsed: float) -> None:
    for index, (x, y) in enumerate(((196, 126), (764, 126), (586, 414), (404, 264))):
        size = _pop(elapsed - 1.3 - 0.15 * index)
        for leaf in range(5):
            angle = leaf * math.tau / 5 + 0.15 * math.sin(elapsed * 2 + index)
            canvas.circle(
                (x + 8 * size * math.cos(angle), y + 8 * size * math.sin(angle)), 6 * size, (64, 168, 132)
            )
        canvas.circle((x, y), 5 * size, (*_CORAL, 255))


def _cup(canvas: Canvas, centre: Point, size: float) -> None:
    x, y = centre
    canvas.ring((x + 22 * size, y), 11 * size, _WHITE, 4)
    canvas.box((x - 22 * size, y - 16 * size), (44 * size, 36 * size), _WHITE, 9 * size)
    canvas.box((x - 16 * size, y - 10 * size), (32 * size, 9 * size), (*_CORAL, 255), 4 * size)


def _bicycle(canvas: Canvas, centre: Point, size: float, seconds: float) -> None:
    if size <= 0:
        return
    x, y = centre
    rear, front = (x - 24 * size, y + 14 * size), (x + 24 * size, y + 14 * size)
    for wheel in (rear, front):
        canvas.ring(wheel, 15 * size, _WHITE, 3)
        turn = seconds * 1.5
        spoke = (wheel[0] + 12 * size * math.cos(turn), wheel[1] + 12 * size * math.sin(turn))
        canvas.stroke([wheel, spoke], (255, 255, 255, 150), 1.5)
    pedal, seat, bars = (
        (x - 2 * size, y + 14 * size),
        (x - 10 * size, y - 10 * size),
        (x + 16 * size, y - 12 * size),
    )
    canvas.stroke([rear, seat, pedal, rear], _PEACH, 3)
    canvas.stroke([pedal, (x + 17 * size, y - 6 * size), seat], _PEACH, 3)
    canvas.stroke([front, bars, (bars[0] + 8 * size, bars[1] - 2)], _PEACH, 3)
    canvas.stroke([(seat[0] - 7 * size, seat[1] - 3), (seat[0] + 6 * size, seat[1] - 3)], _WHITE, 4)


def open_days_picture() -> Image.Image:
    """A door that stands open, bunting, and two people on their way in: 1200 x 675."""
    canvas = Canvas(gradient(1200, 675, shift=0.4))
    canvas.box((0, 560), (1200, 115), (*_INK, 120))
    canvas.box((330, 120), (540, 440), (250, 246, 242), 18)
    for left in (372, 742):
        canvas.box((left, 190), (86, 130), (131, 197, 190), 10)
        canvas.stroke([(left + 43, 190), (left + 43, 320)], (250, 246, 242), 6)
        canvas.box((left - 8, 322), (102, 14), _CORAL, 6)
    canvas.box((506, 176), (188, 384), (13, 92, 87), 14)
    canvas.polygon([(522, 192), (678, 192), (678, 560), (522, 560)], (255, 236, 200))
    canvas.polygon([(522, 560), (678, 560), (826, 675), (374, 675)], (255, 236, 200, 130))
    canvas.polygon([(522, 192), (586, 222), (586, 548), (522, 560)], (15, 118, 110))
    canvas.circle((572, 390), 6, _PEACH)
    _bunting(canvas)
    _visitor(canvas, (452, 604), (15, 118, 110), (244, 204, 180), waving=-1)
    _visitor(canvas, (782, 612), _CORAL, (141, 94, 70), waving=1)
    for x, y, size in ((250, 552, 1.5), (956, 552, 1.7)):
        _pot(canvas, (x, y), size)
    return canvas.finished()


def _bunting(canvas: Canvas) -> None:
    rope = [(x, 62 + 46 * math.sin(math.pi * (x % 400) / 400)) for x in range(0, 1201, 20)]
    canvas.stroke(rope, (255, 255, 255, 220), 3)
    colours = (_CORAL, _WHITE, (15, 118, 110), _PEACH)
    for index, (x, y) in enumerate(rope[1::3]):
        canvas.polygon([(x - 20, y), (x + 20, y), (x, y + 40)], colours[index % 4])


def _visitor(canvas: Canvas, foot: Point, coat: Colour, skin: Colour, waving: int) -> None:
    """A person seen from behind; `waving` is the side of the raised arm, -1 or 1."""
    x, y = foot
    for step in (-17, 17):
        canvas.stroke([(x + step * 0.8, y - 96), (x + step, y - 4)], _INK, 22)
    canvas.stroke(
        [(x + 28 * waving, y - 184), (x + 62 * waving, y - 214), (x + 70 * waving, y - 262)], coat, 20
    )
    canvas.circle((x + 71 * waving, y - 274), 13, skin)
    canvas.stroke([(x - 30 * waving, y - 184), (x - 46 * waving, y - 116)], coat, 20)
    canvas.circle((x - 47 * waving, y - 106), 12, skin)
    canvas.box((x - 42, y - 210), (84, 132), coat, 36)
    canvas.box((x - 13, y - 232), (26, 34), skin, 10)
    canvas.circle((x, y - 256), 36, _INK)
    for side in (-36, 36):
        canvas.circle((x + side, y - 252), 7, skin)


def _pot(canvas: Canvas, foot: Point, size: float) -> None:
    x, y = foot
    root = (x, y - 34 * size)
    for leaf in range(7):
        angle = math.pi * (leaf + 0.5) / 7
        along, across = (-math.cos(angle), -math.sin(angle)), (math.sin(angle), -math.cos(angle))
        length = (62 + 26 * math.sin(angle)) * size
        middle = (root[0] + along[0] * length * 0.55, root[1] + along[1] * length * 0.55)
        tip = (root[0] + along[0] * length, root[1] + along[1] * length)
        sides = [
            (middle[0] + across[0] * side * size, middle[1] + across[1] * side * size) for side in (-11, 11)
        ]
        canvas.polygon([root, sides[0], tip, sides[1]], ((20, 108, 102), (64, 150, 128))[leaf % 2])
    canvas.polygon(
        [
            (x - 28 * size, y - 44 * size),
            (x + 28 * size, y - 44 * size),
            (x + 20 * size, y),
            (x - 20 * size, y),
        ],
        _CORAL,
    )
