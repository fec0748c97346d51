"""Colours, fonts and metrics: light, dark, high contrast.

Contrast follows WCAG 2.2: 4.5:1 for text (criterion 1.4.3), 3:1 for what a control is recognised by (1.4.11), 7:1 for text
in high contrast (1.4.6). A company's accent is kept in hue and moved in lightness until it holds.
"""

from __future__ import annotations

import colorsys
import sys
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QApplication, QStyle

DEFAULT_ACCENT = "#0F766E"
WHITE = "#FFFFFF"
BLACK = "#000000"
MAX_TEXT_SCALE = 2.0
NORMAL_FONT_POINTS = {"win32": 9.0, "darwin": 13.0}
NORMAL_FONT_POINTS_ELSEWHERE = 11.0


class Scheme(StrEnum):
    """A set of colours."""

    LIGHT = "light"
    DARK = "dark"
    HIGH_CONTRAST = "high_contrast"


@dataclass(frozen=True)
class Theme:
    """The colours of one scheme, as ``#RRGGBB``, and how text is set.

    ``line`` separates, ``edge`` is the outline that a control is recognised by. ``soft`` lies under accent text.
    ``text_scale`` is 1.0 to 2.0.
    """

    scheme: Scheme
    paper: str
    card: str
    ink: str
    ink2: str
    line: str
    edge: str
    accent: str
    accent_ink: str
    soft: str
    warn: str
    warn_soft: str
    red: str
    shadow_alpha: int
    text_scale: float = 1.0
    reduced_motion: bool = False

    @staticmethod
    def of(
        scheme: Scheme, accent: str = DEFAULT_ACCENT, *, text_scale: float = 1.0, reduced_motion: bool = False
    ) -> Theme:
        """The theme of a scheme with a company's accent (``#RRGGBB``; anything else means our own)."""
        ground = _GROUNDS[scheme]
        legible = _legible_accent(accent, ground)
        return Theme(
            scheme=scheme,
            paper=ground.paper,
            card=ground.card,
            ink=ground.ink,
            ink2=ground.ink2,
            line=ground.line,
            edge=ground.edge,
            accent=legible,
            accent_ink=_ink_on(legible, ground),
            soft=_soft(legible, ground),
            warn=ground.warn,
            warn_soft=ground.warn_soft,
            red=ground.red,
            shadow_alpha=ground.shadow_alpha,
            text_scale=min(max(text_scale, 1.0), MAX_TEXT_SCALE),
            reduced_motion=reduced_motion,
        )

    @staticmethod
    def of_system(accent: str = DEFAULT_ACCENT) -> Theme:
        """The theme that the person's system asks for. Needs the application."""
        return Theme.of(
            system_scheme(), accent, text_scale=system_text_scale(), reduced_motion=system_reduced_motion()
        )

    @staticmethod
    def chosen(scheme: Scheme | None, text_share: float, accent: str = DEFAULT_ACCENT) -> Theme:
        """The system's theme with what the person chose: another scheme, and a factor for the system's text size."""
        return Theme.of(
            scheme or system_scheme(),
            accent,
            text_scale=system_text_scale() * text_share,
            reduced_motion=system_reduced_motion(),
        )

    @property
    def dark(self) -> bool:
        """Light text on a dark ground."""
        return luminance(self.card) < luminance(self.ink)

    @property
    def hover(self) -> str:
        """The ground of a plain button under the pointer."""
        return mix(self.accent, self.card, 0.06)

    @property
    def accent_hover(self) -> str:
        """The ground of a primary button under the pointer; its text keeps at least the contrast that it has."""
        return mix(WHITE if luminance(self.accent_ink) < luminance(self.accent) else BLACK, self.accent, 0.12)

    def px(self, design_pixels: float) -> int:
        """A length of the design, in device-independent pixels, with the person's text size."""
        return round(design_pixels * self.text_scale)


@dataclass(frozen=True)
class _Ground:
    paper: str
    card: str
    ink: str
    ink2: str
    line: str
    edge: str
    warn: str
    warn_soft: str
    red: str
    shadow_alpha: int
    soft_base: str
    soft_share: float
    text_contrast: float
    accent_contrast: float


_GROUNDS = {
    Scheme.LIGHT: _Ground(
        paper="#FAF9F6", card=WHITE, ink="#1C1B1A", ink2="#5F5B55", line="#E7E3DC", edge="#8A857C",
        warn="#A84B08", warn_soft="#FEF3E2", red="#BE123C", shadow_alpha=56,
        soft_base=WHITE, soft_share=0.10, text_contrast=4.5, accent_contrast=4.5,
    ),
    Scheme.DARK: _Ground(
        paper="#191817", card="#232120", ink="#F2EFEA", ink2="#A8A29A", line="#37332F", edge="#827C75",
        warn="#F0B35B", warn_soft="#3A2C17", red="#FB7185", shadow_alpha=150,
        soft_base="#121212", soft_share=0.20, text_contrast=4.5, accent_contrast=6.0,
    ),
    Scheme.HIGH_CONTRAST: _Ground(
        paper="#000000", card="#000000", ink=WHITE, ink2=WHITE, line=WHITE, edge=WHITE,
        warn="#FFD166", warn_soft="#000000", red="#FF9AA8", shadow_alpha=0,
        soft_base="#000000", soft_share=0.16, text_contrast=7.0, accent_contrast=9.0,
    ),
}  # fmt: skip


def luminance(colour: str) -> float:
    """Relative luminance, 0.0 to 1.0 (WCAG 2.2, "relative luminance")."""
    red, green, blue = (_linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, 1.0 to 21.0 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, ground: str, share: float) -> str:
    """``share`` of a colour (0.0 to 1.0) laid over a ground."""
    pairs = zip(_channels(colour), _channels(ground), strict=True)
    return _hex(*(over * share + under * (1 - share) for over, under in pairs))


def _channels(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)


def _hex(red: float, green: float, blue: float) -> str:
    return f"#{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}"


def _legible_accent(accent: str, ground: _Ground) -> str:
    """The accent in its own hue, light or dark enough for text on paper, on a card and on its own soft tint."""
    if not QColor.isValidColorName(accent) or len(accent) != 7:
        accent = DEFAULT_ACCENT
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(accent))
    step = -0.01 if luminance(ground.card) > luminance(ground.ink) else 0.01
    colour = _hex(*_channels(accent))
    while 0 <= lightness + step <= 1 and not _holds(colour, ground):
        lightness += step
        colour = _hex(*colorsys.hls_to_rgb(hue, lightness, saturation))
    return colour


def _holds(colour: str, ground: _Ground) -> bool:
    on_grounds = min(contrast(colour, ground.paper), contrast(colour, ground.card)) >= ground.accent_contrast
    return on_grounds and contrast(colour, _soft(colour, ground)) >= ground.text_contrast


def _soft(accent: str, ground: _Ground) -> str:
    """A tint that small texts are legible on: as much of the accent as they bear."""
    share = ground.soft_share
    while share > 0 and contrast(ground.ink2, mix(accent, ground.soft_base, share)) < ground.text_contrast:
        share = max(share - 0.01, 0.0)
    return mix(accent, ground.soft_base, share)


def _ink_on(accent: str, ground: _Ground) -> str:
    """Dark in the accent's own hue if that is legible, else black or white."""
    hue, _lightness, saturation = colorsys.rgb_to_hls(*_channels(accent))
    dark = _hex(*colorsys.hls_to_rgb(hue, 0.07, min(saturation, 0.7)))
    if contrast(WHITE, accent) < contrast(dark, accent) < ground.text_contrast:
        return BLACK
    return max(WHITE, dark, key=lambda ink: contrast(ink, accent))


def system_scheme() -> Scheme:
    """What the system asks for; light where it does not say. Needs the application."""
    hints = QGuiApplication.styleHints()
    if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
        return Scheme.HIGH_CONTRAST
    return Scheme.DARK if hints.colorScheme() == Qt.ColorScheme.Dark else Scheme.LIGHT


def system_text_scale() -> float:
    """The person's text size as a factor of the platform's normal one, 1.0 to 2.0. Qt itself scales for the screen."""
    points = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).pointSizeF()
    normal = NORMAL_FONT_POINTS.get(sys.platform, NORMAL_FONT_POINTS_ELSEWHERE)
    return min(max(points / normal, 1.0), MAX_TEXT_SCALE)


def system_reduced_motion() -> bool:
    """Whether the person asked for no animations, as far as Qt's style knows."""
    return QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) <= 0
