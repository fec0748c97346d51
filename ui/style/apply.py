"""Sets the theme of the whole application: font, palette, style sheet."""

from __future__ import annotations

import sys

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from ui.style.style_sheet import style_sheet
from ui.style.theme import Theme

BASE_TEXT_PX = 14


def base_font(theme: Theme) -> QFont:
    """Inter where it is installed, else DejaVu Sans on Linux, else the system's."""
    font = QFont()
    if QFontDatabase.hasFamily("Inter"):
        font.setFamilies(["Inter"])
    elif sys.platform == "linux" and QFontDatabase.hasFamily("DejaVu Sans"):
        font.setFamilies(["DejaVu Sans"])
    font.setPixelSize(theme.px(BASE_TEXT_PX))
    return font


def palette(theme: Theme) -> QPalette:
    """The theme for what Qt draws itself."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.paper,
        role.WindowText: theme.ink,
        role.Base: theme.card,
        role.AlternateBase: theme.paper,
        role.Text: theme.ink,
        role.PlaceholderText: theme.ink2,
        role.Button: theme.card,
        role.ButtonText: theme.ink,
        role.BrightText: theme.red,
        role.ToolTipBase: theme.card,
        role.ToolTipText: theme.ink,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_ink,
        role.Accent: theme.accent,
        role.Light: theme.card,
        role.Midlight: theme.line,
        role.Mid: theme.line,
        role.Dark: theme.edge,
        role.Shadow: theme.edge,
    }
    result = QPalette()
    for each, colour in colours.items():
        result.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, each, QColor(theme.edge))
    return result


_applied: Theme | None = None


def applied_theme() -> Theme | None:
    """The theme applied last, None before the first."""
    return _applied


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Sets style, font, palette and style sheet of the whole application. Open windows follow in colour."""
    global _applied
    _applied = theme
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    app.setFont(base_font(theme))
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme))
