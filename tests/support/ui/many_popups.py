"""Pop-ups that come and go on a real desktop: `python -m tests.support.ui.many_popups FOLDER COUNT [--greedy] [--text 200]`.

All is the agent's own but the network: announcements are written to its store as a poll does. Each comes in another way, and
goes in another: closed, put off or followed with the mouse, recalled, expired. Prints a line for each pop-up once the screen
shows it, and one for each click, or turn of the wheel, that it wants of the mouse. `--greedy`: a window that takes the
keyboard comes with each. `--text`: its size in percent.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QPoint, QRect, QTimer
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit

from agent.domain import limits
from agent.domain.freshness import Freshness
from agent.domain.model import (
    Campaign,
    CampaignStatus,
    Change,
    FeedbackSignal,
    Link,
    Person,
    Urgency,
    Variant,
)
from agent.protocol import codec
from agent.runtime import Runtime
from agent.store.campaigns import CampaignStore
from agent.store.database import Database
from agent.store.enrolment import Enrolment, EnrolmentStore
from agent.store.migrations import migrate
from agent.system.clock import SystemClock
from agent.system.dirs import Folders
from tests.contract.golden_documents import PUBLIC_KEYS
from tests.support.ui import gallery_data
from ui.app.session import Session
from ui.core.bridge import Bridge
from ui.popup.widgets.card import PopupCard
from ui.tray.menu import Tray
from ui.widgets.press_guard import SETTLED_AFTER_MS

STEP_MS = 20
CLICK_AGAIN_S = 3.0
PRESSES_COUNT_AFTER_S = SETTLED_AFTER_MS / 1000 + 0.2
WHEEL_AGAIN_S = 0.3
SOON_S = 0.2
PERSON = Person("lea.roux@northwind.example", "Léa")
READ_MORE = Link("l1", "Read more", "https://northwind.example/more")
Steps = Iterator[Callable[[], bool]]
"""Each says when the next may follow."""


def enrol(folders: Folders) -> None:
    """Makes a store that is connected to a company."""
    folders.make()
    with closing(Database(folders.data / "tidings.sqlite3")) as database:
        migrate(database)
        company = gallery_data.company()
        keys = msgspec.convert(PUBLIC_KEYS, codec.KeySet)
        url = "https://news.northwind.example"
        EnrolmentStore(database).begin(
            Enrolment(url, company.company_id, keys, PERSON, company, "", 60, None)
        )


class Feed:
    """What the company's server says, written to the store as a poll does."""

    def __init__(self, campaigns: CampaignStore, bridge: Bridge) -> None:
        self._campaigns = campaigns
        self._bridge = bridge
        self._listed: list[str] = []

    def makes(
        self, urgency: Urgency = Urgency.NORMAL, *, missed: bool = False, ask: bool = False
    ) -> Campaign:
        """A new announcement; `missed`: it began in an absence."""
        number, now = len(self._listed), datetime.now(UTC)
        self._listed.append(f"c-{number}")
        starts = now - timedelta(seconds=2 * limits.DIGEST_AFTER_S if missed else 60)
        text = Variant(f"Announcement {number}", "Nothing that is typed may be lost.", (READ_MORE,))
        return Campaign(
            f"c-{number}", 1, CampaignStatus.LIVE, "Facilities", urgency, starts,
            now + timedelta(days=1), "en", {"en": text}, ask,
        )  # fmt: skip

    def says(self, *campaigns: Campaign) -> None:
        """The agent has polled, and knows them as they are now."""
        company = gallery_data.company().company_id
        self._campaigns.apply_feed(
            campaigns, self._listed, {}, None, etag="", poll_interval_s=60, is_check=True,
            now=datetime.now(UTC),
            owner=(company, msgspec.json.encode(PERSON)), person=PERSON,
            expires={}, freshness=Freshness(),
        )  # fmt: skip
        self._bridge.listen(Change.CAMPAIGNS)

    def recalls(self, campaign: Campaign) -> None:
        """It vanishes."""
        recalled = CampaignStatus.RECALLED
        self.says(msgspec.structs.replace(campaign, counter=2, status=recalled, variants={}))

    def ends(self, campaign: Campaign) -> None:
        """It now ends in a moment."""
        soon = datetime.now(UTC) + timedelta(seconds=SOON_S)
        self.says(msgspec.structs.replace(campaign, counter=2, ends=soon))


class Show(QObject):
    """One pop-up after the other, `count` of them."""

    def __init__(self, application: QApplication, feed: Feed, count: int, *, greedy: bool) -> None:
        super().__init__()
        self._application = application
        self._feed = feed
        self._greedy = greedy
        self._clicked = False
        self._steps = self._all(count)
        self._done: Callable[[], bool] = lambda: True
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._go_on)
        self._timer.start(STEP_MS)

    def _go_on(self) -> None:
        if not self._done():
            return
        following = next(self._steps, None)
        if following is None:
            self._application.quit()
        else:
            self._done = following

    def _all(self, count: int) -> Steps:
        kinds = [
            self._closed, self._recalled, self._paged, self._digest, self._confirmed, self._expires,
            self._put_off, self._urgent, self._followed,
        ]  # fmt: skip
        for number in range(count):
            kind = kinds[number % len(kinds)]
            yield from kind()
            if self._greedy:
                yield from self._takes_the_keyboard()
            yield lambda: self._card() is None

    # --- how they come and go ------------------------------------------------------------------------

    def _closed(self) -> Steps:
        yield from self._comes("closed", self._feed.makes())
        yield from self._mouse(lambda card: card.close_button)

    def _recalled(self) -> Steps:
        campaign = self._feed.makes()
        yield from self._comes("recalled", campaign)
        self._feed.recalls(campaign)

    def _paged(self) -> Steps:
        yield from self._comes("paged", self._feed.makes(), self._feed.makes(Urgency.URGENT))
        yield from self._mouse(lambda card: card.next_button)
        yield from self._mouse(lambda card: card.close_button)
        yield from self._mouse(lambda card: card.close_button)

    def _digest(self) -> Steps:
        missed = [self._feed.makes(missed=True) for _ in range(limits.DIGEST_LEAST)]
        yield from self._comes("digest", *missed)
        yield from self._mouse(lambda card: card.close_button)

    def _confirmed(self) -> Steps:
        yield from self._comes("I have read this", self._feed.makes(Urgency.URGENT, ask=True))
        yield from self._mouse(lambda card: card.acknowledge.ask)
        yield from self._mouse(lambda card: card.acknowledge.question.confirm)
        yield from self._mouse(lambda card: card.close_button)

    def _expires(self) -> Steps:
        campaign = self._feed.makes()
        yield from self._comes("expires", campaign)
        self._feed.ends(campaign)

    def _put_off(self) -> Steps:
        yield from self._comes("put off", self._feed.makes())
        yield from self._mouse(lambda card: card.later_button)
        yield from self._mouse(lambda card: card.later.buttons[0])

    def _urgent(self) -> Steps:
        yield from self._comes("urgent", self._feed.makes(Urgency.URGENT))
        yield from self._mouse(lambda card: card.close_button)

    def _followed(self) -> Steps:
        yield from self._comes("followed", self._feed.makes())
        yield from self._mouse(lambda card: card.links.buttons[0])

    # --- steps ---------------------------------------------------------------------------------------

    def _comes(self, kind: str, *campaigns: Campaign) -> Steps:
        """They are announced by one pop-up; until that is what the screen shows."""
        self._feed.says(*campaigns)
        yield self._is_on_the_screen
        print(f"shown {kind}: {' '.join(each.campaign_id for each in campaigns)}", flush=True)

    def _mouse(self, button: Callable[[PopupCard], QAbstractButton]) -> Steps:
        """Until somebody has clicked it, once it can be clicked and stands still."""
        self._clicked = False
        place, asked, heard = QRect(), time.monotonic() + PRESSES_COUNT_AFTER_S, None

        def clicked() -> bool:
            nonlocal place, asked, heard
            card = self._card()
            if self._clicked or card is None:
                return self._clicked
            target = button(card)
            if heard is not target:
                target.clicked.connect(self._note_click)
                heard = target
            before, place = place, QRect(target.mapToGlobal(target.rect().topLeft()), target.size())
            if target.isVisible() and target.isEnabled() and before == place and asked < time.monotonic():
                if target.visibleRegion().contains(target.rect().center()):
                    self._wants("click", place.center())
                    asked = time.monotonic() + CLICK_AGAIN_S
                else:
                    self._wants("wheel", card.middle.mapToGlobal(card.middle.rect().center()))
                    asked = time.monotonic() + WHEEL_AGAIN_S
            return False

        yield clicked

    def _wants(self, what: str, place: QPoint) -> None:
        print(f"{what} {place.x()} {place.y()}", flush=True)

    def _note_click(self) -> None:
        self._clicked = True

    def _takes_the_keyboard(self) -> Steps:
        window = QLineEdit()
        window.show()
        window.activateWindow()
        yield lambda: bool(window.text())
        window.close()

    def _card(self) -> PopupCard | None:
        cards = [each for each in self._application.topLevelWidgets() if isinstance(each, PopupCard)]
        return next((each for each in cards if each.isVisible()), None)

    def _is_on_the_screen(self) -> bool:
        """Whether the X server shows at its place what the card says."""
        card = self._card()
        if card is None:
            return False
        title = card.title if card.title.isVisible() else card.sender_label
        place = QRect(title.mapTo(card, title.rect().topLeft()), title.size())
        corner = card.mapToGlobal(place.topLeft())
        shown = card.screen().grabWindow(0, corner.x(), corner.y(), place.width(), place.height())
        return rgb(shown) == rgb(card.grab(place))


def rgb(picture: QPixmap) -> QImage:
    """Its colours alone."""
    return picture.toImage().convertToFormat(QImage.Format.Format_RGB32)


def main(folder: Path, count: int, *, greedy: bool, text_size: int) -> int:
    """Runs until the last has gone."""
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    folders = Folders.under(folder)
    enrol(folders)
    agent = Runtime.open(folders)
    agent.choose(dict.fromkeys(FeedbackSignal, False))
    agent.preferences.change({"popups_per_hour": 0, "text_size": text_size})
    bridge = Bridge()
    session = Session(application, agent, bridge, Tray())
    session.begin(open_windows=False)
    with closing(Database(folders.data / "tidings.sqlite3")) as database:
        show = Show(application, Feed(CampaignStore(database, SystemClock()), bridge), count, greedy=greedy)
        code = application.exec()
        show.deleteLater()
    session.close()
    agent.stop()
    return code


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--greedy", action="store_true")
    parser.add_argument("--text", type=int, default=100)
    given = parser.parse_args()
    raise SystemExit(main(given.folder, given.count, greedy=given.greedy, text_size=given.text))
