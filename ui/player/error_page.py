"""What stands in the window when a video is not played: what happened, what to do, and the announcement all the same."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from resources.i18n import _
from ui.player.messages import PlayRequest, Problem
from ui.player.surface import fitted
from ui.style.theme import Theme
from ui.widgets.body_text import BodyText
from ui.widgets.buttons import Button
from ui.widgets.destinations import Destinations
from ui.widgets.flow import FlowRow
from ui.widgets.link_buttons import LinkButtons
from ui.widgets.text import label

POSTER_HEIGHT = 220
BODY_WIDTH = 560
_AGAIN = {Problem.MISSING, Problem.CRASHED}


def sentences(problem: Problem) -> tuple[str, str]:
    """What happened, and what to do."""
    texts = {
        Problem.MISSING: (
            _("The video is not on this computer any more"),
            _(
                "It is being fetched again. Try again in a while, or open the announcement from your inbox later."
            ),
        ),
        Problem.DAMAGED: (
            _("The file of this video is damaged"),
            _("It was removed and is fetched again. Open the announcement from your inbox in a while."),
        ),
        Problem.UNSUPPORTED: (
            _("This computer cannot show this video"),
            _(
                "Read the announcement below. If you need the video, tell its sender: another format may help."
            ),
        ),
        Problem.CRASHED: (
            _("The video player stopped unexpectedly"),
            _("Only the video is affected. You can try again, and the announcement stays in your inbox."),
        ),
    }
    return texts[problem]


class ErrorPage(QScrollArea):
    """The announcement with its poster and a sentence in place of its video."""

    again = Signal()
    link_clicked = Signal(str)

    def __init__(
        self, request: PlayRequest, poster: QImage, problem: Problem, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        what, todo = sentences(problem)
        self.setProperty("kind", "pane")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(what)
        self.setAccessibleDescription(todo)
        px = theme.px
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(px(30), px(22), px(30), px(22))
        column.setSpacing(px(12))
        column.addWidget(self._bar(what, todo, theme))
        if not poster.isNull():
            column.addWidget(_Poster(poster, theme))
        column.addWidget(label(request.title, kind="h1", wrap=True))
        if request.sender:
            column.addWidget(label(request.sender, kind="small", tone="muted", wrap=True))
        self.body = BodyText(theme, max_width=BODY_WIDTH)
        self.body.show_text(request.body)
        self.body.setVisible(bool(request.body))
        column.addWidget(self.body)
        column.addWidget(self._actions(request, problem, theme))
        self.destinations = Destinations()
        self.destinations.show_links(request.links)
        column.addWidget(self.destinations)
        column.addStretch(1)
        self.setWidget(inner)

    def _bar(self, what: str, todo: str, theme: Theme) -> QFrame:
        bar = QFrame()
        bar.setProperty("kind", "bar")
        lines = QVBoxLayout(bar)
        lines.setContentsMargins(theme.px(14), theme.px(10), theme.px(14), theme.px(10))
        lines.setSpacing(theme.px(2))
        lines.addWidget(label(what, kind="h3", wrap=True))
        lines.addWidget(label(todo, wrap=True))
        return bar

    def _actions(self, request: PlayRequest, problem: Problem, theme: Theme) -> FlowRow:
        row = FlowRow(theme.px(10))
        if problem in _AGAIN:
            try_again = Button(_("Try again"), kind="primary")
            try_again.clicked.connect(self.again)
            row.add(try_again)
        self.links = LinkButtons(row)
        self.links.pressed.connect(self.link_clicked)
        self.links.show_links(request.links)
        return row


class _Poster(QWidget):
    def __init__(self, poster: QImage, theme: Theme) -> None:
        super().__init__()
        self._poster = poster
        self.setFixedHeight(theme.px(POSTER_HEIGHT))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = fitted(self._poster.size(), self.rect())
        place.moveLeft(0)
        painter.drawImage(place, self._poster)
        painter.end()
