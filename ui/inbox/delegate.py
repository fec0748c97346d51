"""How one announcement is drawn in the list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from agent.domain.model import InboxItem
from ui.inbox.model import ITEM_ROLE, AnyIndex, InboxModel, summary
from ui.inbox.search import variant_of
from ui.style import text_format
from ui.style.theme import Scheme, Theme
from ui.widgets import icons
from ui.widgets.icons import Glyph

HEIGHT = 60
PADDING = 12
RADIUS = 10
GAP = 8


class RowPainter(QStyledItemDelegate):
    """Title and time; below them video, sender and heart. New ones are bold and have a dot."""

    def __init__(self, model: InboxModel, view: QListView, current_theme: Callable[[], Theme]) -> None:
        super().__init__(view)
        self._current_theme = current_theme
        theme = current_theme()
        self._model = model
        self._view = view
        self._plain = _font(view, theme.px(14), QFont.Weight.Normal)
        self._bold = _font(view, theme.px(14), QFont.Weight.Bold)
        self._small = _font(view, theme.px(12), QFont.Weight.Normal)
        self._height = max(
            theme.px(HEIGHT), QFontMetrics(self._bold).height() + QFontMetrics(self._small).height() + 24
        )

    def sizeHint(self, _option: QStyleOptionViewItem, _index: AnyIndex) -> QSize:
        return QSize(100, self._height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        item = index.data(ITEM_ROLE)
        if not isinstance(item, InboxItem):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area: QRect = option.rect
        self._paint_ground(painter, option, area)
        inside = area.adjusted(PADDING, 0, -PADDING, 0)
        middle = area.center().y()
        self._paint_first_line(
            painter, item, QRect(inside.x(), area.y() + 8, inside.width(), middle - area.y() - 7)
        )
        below = QRect(inside.x(), middle + 1, inside.width(), area.bottom() - middle - 9)
        self._paint_second_line(painter, item, below)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, area: QRect) -> None:
        state: QStyle.StateFlag = option.state
        box = QRectF(area).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(self._current_theme().soft))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(self._current_theme().hover))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
        focused = state & QStyle.StateFlag.State_HasFocus and self._view.hasFocus()
        if focused or (state & QStyle.StateFlag.State_Selected and self._outlined()):
            painter.setPen(QPen(QColor(self._current_theme().accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, RADIUS, RADIUS)

    def _outlined(self) -> bool:
        """A tint alone is not enough to tell what is selected."""
        return self._current_theme().scheme is Scheme.HIGH_CONTRAST

    def _paint_first_line(self, painter: QPainter, item: InboxItem, area: QRect) -> None:
        painter.setFont(self._small)
        painter.setPen(QColor(self._current_theme().ink2))
        time = text_format.list_time(item.state.received, self._model.now())
        time_width = painter.fontMetrics().horizontalAdvance(time)
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(area, right, time)
        left = area.x()
        if not item.state.read:
            side = self._current_theme().px(11)
            dot = QRectF(left, area.center().y() - side / 2 + 0.5, side, side)
            icons.paint(painter, Glyph.DOT, dot, self._current_theme().accent)
            left += side + GAP
        painter.setFont(self._plain if item.state.read else self._bold)
        painter.setPen(QColor(self._current_theme().ink))
        width = area.right() - time_width - 2 * GAP - left
        _draw_elided(painter, variant_of(item).title, QRect(left, area.y(), width, area.height()))

    def _paint_second_line(self, painter: QPainter, item: InboxItem, area: QRect) -> None:
        painter.setFont(self._small)
        painter.setPen(QColor(self._current_theme().ink2))
        left = float(area.x())
        side = self._current_theme().px(11)
        video = variant_of(item).video
        if video is not None:
            play = QRectF(left - 1, area.center().y() - side / 2 + 0.5, side, side)
            icons.paint(painter, Glyph.PLAY, play, self._current_theme().ink2)
            left += side + 3
        texts = [text_format.duration_text(video.duration_ms)] if video is not None else []
        texts.append(summary(item, held=self._model.is_held(item)))
        text = " · ".join(part for part in texts if part)
        heart = side + GAP if item.state.liked else 0
        room = QRect(round(left), area.y(), round(area.right() - left - heart), area.height())
        drawn = _draw_elided(painter, text, room)
        if item.state.liked:
            spot = QPointF(left + drawn + GAP, area.center().y() - side / 2 + 0.5)
            icons.paint(
                painter, Glyph.HEART_FULL, QRectF(spot.x(), spot.y(), side, side), self._current_theme().ink2
            )


def _draw_elided(painter: QPainter, text: str, area: QRect) -> int:
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(" ".join(text.split()), Qt.TextElideMode.ElideRight, area.width())
    side = Qt.AlignmentFlag.AlignRight if text_format.is_right_to_left(text) else Qt.AlignmentFlag.AlignLeft
    painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), text_format.isolated(shown))
    return metrics.horizontalAdvance(shown)


def _font(view: QWidget, pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont(view.font())
    font.setPixelSize(pixels)
    font.setWeight(weight)
    return font
