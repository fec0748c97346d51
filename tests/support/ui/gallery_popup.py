"""The pop-up in every state, for the gallery."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QApplication, QWidget

from resources import i18n
from tests.support.ui import gallery_data as data
from ui.popup import view_models
from ui.popup.pages import PopupPage
from ui.popup.ports import CardContent, DigestContent
from ui.popup.widgets.card import PopupCard
from ui.style.apply import apply_theme
from ui.style.theme import Theme
from ui.widgets.acknowledge import ReadRequest

YELLOW = "#FFFF00"


class NoTimers:
    """Time that stands still, for pictures."""

    def after(self, _delay_ms: float, _call: Callable[[], None]) -> "NoTimers":
        return self

    def cancel(self) -> None:
        """Nothing was to come."""


def card(theme: Theme, page: PopupPage, *, translucent: bool = True) -> PopupCard:
    popup = PopupCard(theme, translucent=translucent, timers=NoTimers())
    popup.show_page(page)
    return popup


def request() -> ReadRequest:
    return ReadRequest("c-2", "Northwind", "Inès Martin, dpo@northwind.example")


def asking_page() -> PopupPage:
    """The urgent one of the design, which asks whether it was read."""
    return replace(data.urgent_page(), acknowledge=request())


def asking_video_page() -> PopupPage:
    return replace(data.video_page(), acknowledge=request())


def picture_page() -> PopupPage:
    french = i18n.language() == "fr"
    return replace(
        data.video_page(),
        title="Portes ouvertes : invitez un ami" if french else "Open days: bring a friend",
        duration_ms=None,
        has_captions=False,
        has_picture=True,
    )


def missing_video_page() -> PopupPage:
    """The video of the design while it is still being fetched."""
    video = next(item for item in data.items() if item.campaign.variant("en").video)
    content = CardContent(video, 1, 1)
    return view_models.popup_page(content, data.company(), data.choices(), no_file, data.NOW)


def logo() -> Path:
    """A dark mark on nothing."""
    image = QImage(96, 96, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor("#16324F"), 16))
    painter.drawArc(12, 12, 72, 72, 30 * 16, 300 * 16)
    painter.end()
    path = Path(mkdtemp(prefix="tidings-gallery-")) / "logo.png"
    image.save(str(path))
    return path


def question(theme: Theme) -> PopupCard:
    popup = card(theme, asking_page())
    popup.acknowledge.ask.click()
    popup.acknowledge.question.confirm.setEnabled(True)
    return popup


def waiting_question(theme: Theme) -> PopupCard:
    popup = card(theme, asking_video_page())
    popup.acknowledge.ask.click()
    return popup


def trial(theme: Theme) -> PopupCard:
    """With the question whether it was read open."""
    content = CardContent(data.trial(), 1, 1)
    popup = card(
        theme, view_models.popup_page(content, data.company(), data.choices(), data.media_path, data.NOW)
    )
    popup.acknowledge.ask.click()
    popup.acknowledge.question.confirm.setEnabled(True)
    return popup


def no_file(_sha256: str) -> None:
    """Nothing was fetched."""


def digest_page() -> PopupPage:
    items = tuple(data.items())
    return view_models.digest_page(
        DigestContent(items, 1, 1), data.company(), data.choices(), no_file, data.NOW
    )


def long_digest_page() -> PopupPage:
    content = DigestContent(tuple(data.items() * 2), 2, 3)
    return view_models.digest_page(content, data.company(), data.choices(), no_file, data.NOW)


def later(theme: Theme) -> PopupCard:
    popup = card(theme, data.video_page())
    popup.later_button.click()
    return popup


def yellow(theme: Theme) -> PopupCard:
    """A company whose colour is legible nowhere."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    bright = Theme.of(theme.scheme, YELLOW, text_scale=theme.text_scale, reduced_motion=theme.reduced_motion)
    apply_theme(app, bright)
    return question(bright)


SCREENS: dict[str, Callable[[Theme], QWidget]] = {
    "popup-video": lambda theme: card(theme, data.video_page()),
    "popup-picture": lambda theme: card(theme, picture_page()),
    "popup-missing": lambda theme: card(theme, missing_video_page()),
    "popup-logo": lambda theme: card(theme, replace(data.video_page(), logo=logo())),
    "popup-urgent": lambda theme: card(theme, asking_page()),
    "popup-confirm": question,
    "popup-confirm-video": waiting_question,
    "popup-confirmed": lambda theme: card(
        theme, replace(asking_page(), acknowledge=replace(request(), confirmed=data.NOW))
    ),
    "popup-long": lambda theme: card(theme, data.long_page()),
    "popup-later": later,
    "popup-cut": lambda theme: card(theme, data.video_page(), translucent=False),
    "popup-test": trial,
    "popup-yellow": yellow,
    "digest": lambda theme: card(theme, digest_page()),
    "digest-long": lambda theme: card(theme, long_digest_page()),
}
