"""Buttons: with text, with an icon, as a link, and the heart."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QToolButton, QWidget

from resources.i18n import _
from ui.style import text_format
from ui.style.apply import applied_theme
from ui.style.theme import Theme
from ui.widgets import icons
from ui.widgets.icons import Glyph
from ui.widgets.themed import Themed
from ui.widgets.tooltips import plain_tip

RING = 1.5
RING_RADIUS = 6.0


class Button(QPushButton):
    """A push button that shortens a text too long for it, and is pressed by Enter as well as by Space, once while held.

    ``kind`` is one of the style sheet's: "" (plain), "primary", "link", "like", "filter", "answer", "compact".
    Texts are shown as they are: an ampersand is no mnemonic.
    """

    def __init__(self, text: str = "", *, kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full_text = ""
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """The text; also the accessible name."""
        self._full_text = text
        self.setText(text_format.isolated(text).replace("&", "&&"))
        self.setAccessibleName(text)

    @property
    def full_text(self) -> str:
        """The text as it was set."""
        return self._full_text

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), 64), hint.height())

    def set_kind(self, kind: str) -> None:
        """Look otherwise than before."""
        if self.property("kind") != kind:
            self.setProperty("kind", kind)
            self.style().unpolish(self)
            self.style().polish(self)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click is one press: the second half would go to what has taken this button's place."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self.click()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.width() >= self.sizeHint().width():
            super().paintEvent(event)
        else:
            self._paint_shortened()
        theme = applied_theme()
        if theme is not None and self.hasFocus() and self._on_accent():
            self._paint_inner_ring(QColor(theme.accent_ink))

    def _on_accent(self) -> bool:
        kind = self.property("kind")
        return kind == "primary" or (kind == "filter" and self.isChecked())

    def _paint_inner_ring(self, colour: QColor) -> None:
        """An outline in the colour of the text is never too like a ground in the company's accent."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, RING))
        inset = 1 + RING
        ring = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        radius = min(RING_RADIUS, ring.height() / 2)
        painter.drawRoundedRect(ring, radius, radius)
        painter.end()

    def _paint_shortened(self) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        inside = self.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, self)
        shown = self.fontMetrics().elidedText(self._full_text, Qt.TextElideMode.ElideRight, inside.width())
        option.text = shown.replace("&", "&&")
        painter = QPainter(self)
        self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)
        painter.end()
        if self._full_text:
            self.setToolTip(plain_tip(self._full_text))


class IconButton(Themed, QToolButton):
    """A square button with an icon only; its name is said and shown as a tool tip.

    ``repeats``: a double click presses it twice, as for turning pages.
    """

    def __init__(
        self,
        glyph: Glyph,
        name: str,
        theme: Theme,
        *,
        side: int = 28,
        repeats: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._repeats = repeats
        self._theme = theme
        self.setProperty("kind", "icon")
        self._glyph = glyph
        self._side = side
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(icons.square(theme.px(side)))
        self.recolour()

    def recolour(self) -> None:
        inner = self._theme.px(self._side * 16 / 28)
        self.setIcon(icons.icon(self._glyph, self._theme.ink2, inner))
        self.setIconSize(icons.square(inner))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._repeats:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class LikeButton(Themed, Button):
    """The heart: outlined with "Like", filled with "Liked"."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(kind="like", parent=parent)
        self._theme = theme
        self.setCheckable(True)
        self.toggled.connect(self._show_state)
        self._show_state(False)

    def recolour(self) -> None:
        self._show_state(self.isChecked())

    def set_liked(self, liked: bool) -> None:
        """The state, without a signal to the outside."""
        self.blockSignals(True)
        self.setChecked(liked)
        self.blockSignals(False)
        self._show_state(liked)

    def _show_state(self, liked: bool) -> None:
        self.set_text(_("Liked") if liked else _("Like"))
        self.setText(f" {self.full_text}")
        side = self._theme.px(14)
        glyph, colour = (Glyph.HEART_FULL, self._theme.accent) if liked else (Glyph.HEART, self._theme.ink)
        self.setIcon(icons.icon(glyph, colour, side))
        self.setIconSize(icons.square(side))
