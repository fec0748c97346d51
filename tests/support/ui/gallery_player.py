"""The player in every state, for the gallery."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter
from PySide6.QtMultimedia import QVideoFrame
from PySide6.QtWidgets import QWidget

from resources import i18n
from tests.support.ui import gallery_data as data
from ui.player.messages import CaptionFile, LinkButton, PlayRequest, Problem
from ui.player.window import PlayerWindow
from ui.style.theme import Theme

LENGTH_MS = 84_000
LANGUAGES = (
    "Čeština", "Dansk", "Deutsch", "Eesti", "English", "Español", "Français", "Gaeilge", "Hrvatski", "Italiano",
    "Latviešu", "Magyar", "Nederlands", "Norsk", "Polski", "Português", "Română", "Slovenčina", "Suomi", "Svenska",
)  # fmt: skip


def request(size: QSize, problem: Problem | None = None, languages: int = 2) -> PlayRequest:
    """The announcement of the design, with a video of some shape."""
    page = data.video_page()
    labels = LANGUAGES if languages > 2 else ("English", "Français")
    return PlayRequest(
        title=page.title,
        video="/nowhere",
        sha256="b" * 64,
        poster=str(data.poster()),
        captions=tuple(
            CaptionFile(label[:2].lower(), label, "/nowhere") for label in labels[:languages] if languages
        ),
        width=size.width(),
        height=size.height(),
        duration_ms=LENGTH_MS,
        sender=f"{page.company} · {page.sender}",
        body=page.body,
        links=tuple(LinkButton(link.link_id, link.label, link.destination) for link in page.links),
        liked=True,
        share_line=page.share_line,
        problem=problem,
    )


def frame(size: QSize) -> QVideoFrame:
    """A picture of that shape, lines in thirds on it."""
    image = QImage(size, QImage.Format.Format_RGB32)
    ground = QLinearGradient(0, 0, size.width(), size.height())
    ground.setColorAt(0, QColor("#0b4f49"))
    ground.setColorAt(1, QColor("#ffddd2"))
    painter = QPainter(image)
    painter.fillRect(image.rect(), ground)
    painter.setPen(QColor(255, 255, 255, 90))
    for third in (1, 2):
        painter.drawLine(size.width() * third // 3, 0, size.width() * third // 3, size.height())
        painter.drawLine(0, size.height() * third // 3, size.width(), size.height() * third // 3)
    painter.drawEllipse(QRect(0, 0, size.height() // 2, size.height() // 2))
    painter.end()
    return QVideoFrame(image)


def playing(theme: Theme, width: int = 1280, height: int = 720, languages: int = 2) -> PlayerWindow:
    """In the middle of a video, with a caption."""
    size = QSize(width, height)
    window = PlayerWindow(request(size, languages=languages), theme)
    window.surface.show_frame(frame(size))
    window.controls.show_playing(True)
    window.controls.show_position(12_000)
    if languages:
        french = i18n.language() == "fr"
        window.surface.set_caption(
            "Et voici l’atelier : 40 vélos y trouvent place,\net la clé est à l’accueil."
            if french
            else "And this is the workshop: it has room for 40 bikes,\nand the key is at the reception."
        )
    return window


def poster(theme: Theme) -> QWidget:
    return PlayerWindow(request(QSize(1280, 720)), theme)


def sound_on(theme: Theme) -> QWidget:
    window = playing(theme)
    window.set_volume(0.6)
    window.controls.position.setFocus()
    return window


def silent(theme: Theme) -> QWidget:
    window = playing(theme, languages=0)
    window.controls.show_silent()
    return window


def full_screen(theme: Theme) -> QWidget:
    window = playing(theme)
    window.setWindowState(Qt.WindowState.WindowFullScreen)
    return window


def keys(theme: Theme) -> QWidget:
    window = playing(theme)
    window.toggle_keys()
    return window


def menu(theme: Theme) -> QWidget:
    """The languages; the window that they belong to goes with them."""
    window = playing(theme, languages=len(LANGUAGES))
    window.controls.show_captions(4)
    found = window.controls.menu
    found.destroyed.connect(window.deleteLater)
    found.resize(found.sizeHint())
    return found


def small(theme: Theme) -> QWidget:
    """On a screen of 800 × 600."""
    window = playing(theme, languages=len(LANGUAGES))
    window.resize(680, 510)
    return window


def trouble(problem: Problem) -> Callable[[Theme], QWidget]:
    def show(theme: Theme) -> QWidget:
        window = PlayerWindow(request(QSize(1280, 720), problem), theme)
        window.begin()
        return window

    return show


SCREENS: dict[str, Callable[[Theme], QWidget]] = {
    "player": playing,
    "player-poster": poster,
    "player-sound": sound_on,
    "player-silent": silent,
    "player-portrait": lambda theme: playing(theme, 720, 1280),
    "player-wide": lambda theme: playing(theme, 2_560, 640),
    "player-full-screen": full_screen,
    "player-keys": keys,
    "player-languages": menu,
    "player-small": small,
} | {f"player-{problem}": trouble(problem) for problem in Problem}
