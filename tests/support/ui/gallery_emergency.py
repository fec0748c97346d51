"""The emergency in every state, for the gallery."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from agent.domain.model import Urgency
from resources import i18n
from tests.support.ui import gallery_data as data
from tests.support.ui.gallery_popup import NoTimers, request
from ui.popup.pages import PopupLink, PopupPage
from ui.popup.widgets.emergency import EmergencyCover, SideCover
from ui.style import text_format
from ui.style.theme import Theme

SCREEN = (1180, 760)


def _say(english: str, french: str) -> str:
    return french if i18n.language() == "fr" else english


def emergency_page() -> PopupPage:
    return replace(
        data.urgent_page(),
        urgency=Urgency.EMERGENCY,
        title=_say("Leave the building by the east stairs", "Quittez le bâtiment par l’escalier est"),
        body=_say(
            "Smoke was reported on the second floor. Do not use the lifts. "
            "Meet at the bicycle park; tell your team lead that you are there.",
            "De la fumée a été signalée au deuxième étage. N’utilisez pas les ascenseurs. "
            "Rassemblement au parc à vélos ; signalez votre présence à votre responsable.",
        ),
        sender=_say("Site security", "Sécurité du site"),
        links=(PopupLink("l1", _say("Where to meet", "Lieu de rassemblement"), data.INTRANET),),
        position=1,
        count=1,
        acknowledge=request(),
    )


def cover(theme: Theme, page: PopupPage, *, ready: bool = True) -> EmergencyCover:
    window = EmergencyCover(theme, NoTimers(), bypass=False)
    window.resize(*SCREEN)
    window.show_page(page, anew=True)
    if ready:
        window.guard.first.setEnabled(True)
        window.guard.note.hide()
        window.guard.ready.emit()
    window.text.setFocus()
    return window


def video_page() -> PopupPage:
    video = data.video_page()
    return replace(
        emergency_page(), acknowledge=None, picture=video.picture, picture_alt=video.picture_alt,
        duration_ms=video.duration_ms, has_captions=True, count=2,
    )  # fmt: skip


def trial_page() -> PopupPage:
    """As its author sent it to themselves."""
    line = text_format.sharing_of(data.trial().campaign, "")
    return replace(emergency_page(), is_trial=True, share_line=line)


def closing(theme: Theme) -> EmergencyCover:
    window = cover(theme, emergency_page())
    window.guard.first.click()
    window.guard.yes.setEnabled(True)
    return window


def side(theme: Theme) -> SideCover:
    window = SideCover(theme, emergency_page().title, bypass=False)
    window.resize(*SCREEN)
    return window


SCREENS: dict[str, Callable[[Theme], QWidget]] = {
    "emergency": lambda theme: cover(theme, emergency_page()),
    "emergency-at-first": lambda theme: cover(theme, video_page(), ready=False),
    "emergency-test": lambda theme: cover(theme, trial_page()),
    "emergency-closing": closing,
    "emergency-other-screen": side,
}
