"""A company, its people and announcements for the gallery and the window tests, in the language in use."""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from msgspec.structs import replace
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter

from agent.domain.errors import StoreUnreadable
from agent.domain.model import (
    Campaign,
    CampaignState,
    CampaignStatus,
    Captions,
    Company,
    ConnectionState,
    ConsentState,
    FeedbackSignal,
    Image,
    InboxItem,
    Link,
    Notice,
    Person,
    Region,
    SignalChoice,
    Status,
    Trouble,
    Urgency,
    Variant,
    Video,
)
from resources import i18n
from ui.popup.pages import PopupLink, PopupPage
from ui.style import text_format

ACCENT = "#0F766E"
INTRANET = "intranet.northwind.example"
NOW = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
NOTICE = {
    "en": "Northwind SAS is the controller.\n\nWhy: to know whether announcements reach people.\n\n" * 6,
    "fr": "Northwind SAS est responsable du traitement.\n\nPourquoi : savoir si les annonces arrivent.\n\n"
    * 6,
}


@cache
def poster() -> Path:
    """A drawn picture, as a PNG file."""
    image = QImage(1280, 720, QImage.Format.Format_RGB32)
    ground = QLinearGradient(0, 0, 1280, 720)
    for place, colour in ((0.0, "#0f766e"), (0.6, "#83c5be"), (1.0, "#ffddd2")):
        ground.setColorAt(place, QColor(colour))
    painter = QPainter(image)
    painter.fillRect(image.rect(), ground)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(255, 255, 255, 90))
    for column in range(6):
        painter.drawRoundedRect(QRectF(140 + column * 170, 420 - (column % 3) * 60, 120, 200), 12, 12)
    painter.end()
    path = Path(mkdtemp(prefix="tidings-gallery-")) / "poster.png"
    image.save(str(path))
    return path


def choices(*on: FeedbackSignal, locked: FeedbackSignal | None = None) -> tuple[SignalChoice, ...]:
    """The three switches, those named on."""
    return tuple(
        SignalChoice(
            signal, ConsentState.GIVEN if signal in on else ConsentState.REFUSED, signal is not locked, True
        )
        for signal in FeedbackSignal
    )


def company() -> Company:
    return Company(
        "northwind", "Northwind", "Northwind SAS", Region.EU, "Inès Martin", "dpo@northwind.example", ACCENT,
        ("northwind.example",), frozenset(FeedbackSignal), Notice(3, "2026-11-02", NOTICE),
    )  # fmt: skip


def person() -> Person:
    return Person("lea.roux@northwind.example", "Léa")


def status(connection: ConnectionState = ConnectionState.CONNECTED) -> Status:
    if connection is ConnectionState.NOT_CONNECTED:
        return Status(connection)
    return Status(
        connection,
        server_url="https://news.northwind.example",
        company=company(),
        person=person(),
        last_check=NOW,
        unread=3,
    )


def halted() -> Status:
    """Its store could not be read when it was opened."""
    fault = StoreUnreadable("a folder", file="tidings.sqlite3")
    told = Trouble(type(fault).__name__, fault.title, fault.message)
    known = replace(status(ConnectionState.HALTED), last_check=None, unread=0)
    return replace(known, troubles=(told,), halted_by=told)


def _say(english: str, french: str) -> str:
    return french if i18n.language() == "fr" else english


def video_page() -> PopupPage:
    return PopupPage(
        title=_say("The new Lyon studio opens on Monday", "Le nouveau studio de Lyon ouvre lundi"),
        body=_say(
            "Léa walks you through the floor plan, the bike parking and who to ask for a badge.",
            "Léa vous présente le plan, le parking à vélos et la personne à qui demander un badge.",
        ),
        company="Northwind",
        sender=_say("Internal news", "Actualités internes"),
        urgency=Urgency.NORMAL,
        received=text_format.received_text(NOW, NOW),
        share_line=text_format.share_line(choices(FeedbackSignal.SEEN, FeedbackSignal.LIKE)),
        picture=poster(),
        picture_alt=_say("The studio's atrium", "L’atrium du studio"),
        duration_ms=84_000,
        has_captions=True,
        links=(PopupLink("l1", _say("Read more", "En savoir plus"), INTRANET),),
    )


def urgent_page() -> PopupPage:
    return PopupPage(
        title=_say("VPN restarts at 18:00 tonight", "Le VPN redémarre ce soir à 18 h"),
        body=_say(
            "Save your work before then. Connections come back by 18:10.",
            "Enregistrez votre travail avant. Les connexions reviennent à 18 h 10.",
        ),
        company="Northwind",
        sender=_say("IT", "Informatique"),
        urgency=Urgency.URGENT,
        received="",
        share_line=text_format.share_line(choices()),
        links=(PopupLink("l1", _say("Details", "Détails"), INTRANET),),
        position=1,
        count=3,
    )


def long_page() -> PopupPage:
    """As much as a campaign may hold."""
    return PopupPage(
        title="A title as long as the protocol allows, with Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"
        + " x" * 50,
        body="https://northwind.example/" + "path" * 60 + "\n\n" + "Sentence after sentence. " * 190,
        company="Northwind Atlantic Shipping and Trading",
        sender="The department with the longest name of all",
        urgency=Urgency.EMERGENCY,
        received="",
        share_line=text_format.share_line(choices(*FeedbackSignal)),
        picture=poster(),
        duration_ms=3_723_000,
        links=tuple(
            PopupLink(f"l{n}", f"A label of forty characters, number {n:>4}", f"{'x.' * n}{INTRANET}")
            for n in range(1, 6)
        ),
        liked=True,
        position=12,
        count=30,
    )


def _image(path: Path, alt: str) -> Image:
    content = path.read_bytes()
    return Image(hashlib.sha256(content).hexdigest(), len(content), "image/png", 1280, 720, alt)


def _video(duration_ms: int) -> Video:
    captions = (Captions("en", "English", "c" * 64, 900),)
    return Video(
        "b" * 64, 1_000_000, "video/mp4", 1280, 720, duration_ms, _image(poster(), "A poster"), captions
    )


def campaign(
    number: int,
    title: str,
    sender: str,
    body: str = "",
    *,
    duration_ms: int | None = None,
    image: bool = False,
) -> Campaign:
    links = (Link("l1", _say("Open the floor plan", "Ouvrir le plan"), "https://northwind.example/plan"),)
    variant = Variant(
        title,
        body,
        links if number == 1 else (),
        _image(poster(), _say("Two colleagues", "Deux collègues")) if image else None,
        _video(duration_ms) if duration_ms else None,
    )
    return Campaign(
        f"c-{number}", number, CampaignStatus.LIVE, sender, Urgency.NORMAL, NOW, NOW + timedelta(days=7), "en",
        {"en": variant},
    )  # fmt: skip


def items() -> list[InboxItem]:
    """Those of the design."""
    facilities, people = _say("Facilities", "Services généraux"), _say("People", "Ressources humaines")
    body = _say(
        "Léa walks you through the floor plan, the bike parking and who to ask for a badge. "
        "The café serves from 8:30; lockers are on the second floor.",
        "Léa vous présente le plan, le parking à vélos et la personne à qui demander un badge. "
        "Le café sert dès 8 h 30 ; les casiers sont au deuxième étage.",
    )
    rows = (
        (_say("The new Lyon studio opens on Monday", "Le nouveau studio de Lyon ouvre lundi"), facilities),
        (
            _say("VPN restarts at 18:00 tonight", "Le VPN redémarre ce soir à 18 h"),
            _say("IT", "Informatique"),
        ),
        (_say("Open days: bring a friend", "Portes ouvertes : invitez un ami"), people),
        (_say("Canteen closes early on Friday", "La cantine ferme tôt vendredi"), facilities),
        (
            _say("Quarterly results, in two minutes", "Les résultats en deux minutes"),
            _say("Leadership", "Direction"),
        ),
    )
    videos = {1: 84_000, 5: 123_000}
    ages_in_days = (0, 0.03, 3, 4, 11)
    return [
        InboxItem(
            campaign(number, title, sender, body, duration_ms=videos.get(number), image=number == 3),
            CampaignState(NOW - timedelta(days=age), read=number not in (2, 3), liked=number in videos),
        )
        for number, ((title, sender), age) in enumerate(zip(rows, ages_in_days, strict=True), 1)
    ]


def trial() -> InboxItem:
    """The third one of the design, as a test that its author sent to themselves."""
    item = items()[2]
    changed = replace(item.campaign, campaign_id="t-0123456789abcdef", acknowledge=True)
    return replace(item, campaign=changed)


def media_path(_sha256: str) -> Path | None:
    """Every picture is the poster."""
    return poster()
