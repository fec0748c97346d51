"""How one cell of the table of what was sent is drawn."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from agent.domain.my_data_models import SentItem, SentStatus
from ui.privacy import labels
from ui.privacy.sent_model import Column, SentModel
from ui.style.theme import Theme
from ui.widgets import icons
from ui.widgets.icons import Glyph

TEXT_PX = 12.5
PADDING = 10
ICON = 13
ICON_GAP = 4
_GLYPHS = {
    SentStatus.STORED: Glyph.CHECK,
    SentStatus.ERASED: Glyph.CHECK,
    SentStatus.WAITING: Glyph.WAITING,
    SentStatus.REFUSED: Glyph.CLOSE,
}


class SentRowPainter(QStyledItemDelegate):
    """Plain text, cut where it is too long; what became of a message is said by a sign, a word and a colour."""

    def __init__(self, model: SentModel, view: QTableView, current_theme: Callable[[], Theme]) -> None:
        super().__init__(view)
        self._model = model
        self._current_theme = current_theme
        self.font = QFont(view.font())
        self.font.setPixelSize(round(current_theme().px(TEXT_PX)))

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, 0)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        item = self._model.item(index.row())
        if item is None:
            return
        theme, area = self._current_theme(), QRect(option.rect)
        painter.save()
        self._paint_ground(painter, option, area, theme)
        painter.setFont(self.font)
        inside = area.adjusted(theme.px(PADDING), 0, 0, 0)
        match Column(index.column()):
            case Column.OPEN:
                is_open = self._model.opened is item
                glyph = Glyph.OPEN_ROW if is_open else Glyph.CLOSED_ROW
                self._paint_icon(painter, glyph, inside, theme.ink)
            case Column.SERVER:
                self._paint_status(painter, item, inside, theme)
            case _:
                painter.setPen(QColor(theme.ink))
                self._paint_text(painter, str(index.data()), inside)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, theme: Theme
    ) -> None:
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(theme.soft))
        painter.setPen(QColor(theme.line))
        painter.drawLine(area.bottomLeft(), area.bottomRight())

    def _paint_status(self, painter: QPainter, item: SentItem, area: QRect, theme: Theme) -> None:
        colour = _colour(item.status, theme)
        glyph = _GLYPHS.get(item.status)
        if glyph is not None:
            self._paint_icon(painter, glyph, area, colour)
            area = area.adjusted(theme.px(ICON + ICON_GAP), 0, 0, 0)
        painter.setPen(QColor(colour))
        self._paint_text(painter, labels.status_text(item), area)

    def _paint_icon(self, painter: QPainter, glyph: Glyph, area: QRect, colour: str) -> None:
        side = self._current_theme().px(ICON)
        icons.paint(painter, glyph, QRectF(area.x(), area.center().y() - side / 2 + 0.5, side, side), colour)

    def _paint_text(self, painter: QPainter, text: str, area: QRect) -> None:
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


def _colour(status: SentStatus, theme: Theme) -> str:
    if status in (SentStatus.STORED, SentStatus.ERASED):
        return theme.accent
    if status is SentStatus.WAITING:
        return theme.warn
    return theme.red if status is SentStatus.REFUSED else theme.ink2
