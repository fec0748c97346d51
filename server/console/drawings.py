"""Pictures of figures, drawn here as SVG: no script, no inline style. Each has its numbers beside it as text."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, FOOT, HEAD = 620, 200, 22, 18
"""Of a chart, in its own units: as a whole, and what lies below and above the highest bar."""
MOST_BARS = 31
WIDEST = 60
ROOM_OF_TEXT = 56


def meter(percent: int) -> SafeString:
    """A share of 100, as a bar. It repeats what is written beside it."""
    return format_html(
        '<svg class="meter" aria-hidden="true" focusable="false"><rect width="100%" height="8" rx="4"/>'
        '<rect class="part" width="{}%" height="8" rx="4"/></svg>',
        max(0, min(percent, 100)),
    )


def bars(values: Sequence[tuple[str, int]], title: str) -> SafeString:
    """A bar for each of the last `MOST_BARS` days, with its number and its name where there is room."""
    shown = values[-MOST_BARS:]
    highest = max((value for _day, value in shown), default=0) or 1
    room = WIDTH / max(len(shown), 1)
    width = min(WIDEST, 0.7 * room)
    parts = []
    for place, (day, value) in enumerate(shown):
        height = (HEIGHT - FOOT - HEAD) * value / highest
        x, y = place * room + (room - width) / 2, HEIGHT - FOOT - height
        parts.append(
            (
                f"{x:.1f}",
                f"{y:.1f}",
                f"{width:.1f}",
                f"{height:.1f}",
                *_texts(x + width / 2, y, day, value, room),
            )
        )
    drawn = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" rx="3"/><text x="{}" y="{}" class="value">{}</text>'
        '<text x="{}" y="{}">{}</text>',
        parts,
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><path d="M0 {}H{}"/>{}</svg>',
        WIDTH, HEIGHT, title, HEIGHT - FOOT, WIDTH, drawn,
    )  # fmt: skip


def _texts(middle: float, top: float, day: str, value: int, room: float) -> tuple[str, ...]:
    """The number above a bar and the day below it; left out where they would cover each other."""
    x = f"{middle:.1f}"
    fits = room >= ROOM_OF_TEXT
    return x, f"{top - 5:.1f}", str(value) if fits else "", x, f"{HEIGHT - 6}", day if fits else ""
