"""The inbox with 2,000 announcements (ADR 51): how soon it opens, how soon a key in the search is answered, what it takes.

Everything is real but the screen: the agent's store, the windows around it, and Qt drawing offscreen. It runs as a process
of its own, `python -m benchmarks.inbox`, and prints its figures as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psutil
from PySide6.QtCore import QObject, QSortFilterProxyModel, QStringListModel, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListView

from agent.domain import errors, limits
from agent.domain.model import Campaign, CampaignStatus, Link, PresenceState, Urgency, Variant
from agent.runtime import Runtime
from agent.store.database import Database
from agent.store.migrations import migrate
from agent.system import garbage_collection
from agent.system.dirs import Folders
from benchmarks.rows import Row
from resources import i18n
from tests.support.agent.processes import ROOT
from ui.app.window_manager import Windows
from ui.core.bridge import Bridge
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

MANY = 2_000
TYPED = "elysee 77 velos"
DIGEST = 500
FRAME_S = 0.050
"""What takes no longer is felt as at once (Nielsen, 100 ms; half of it is for the desktop)."""
MEMORY_MB = 150.0
PLAIN = "QSortFilterProxyModel"
TIMEOUT_S = 300
PARAGRAPH = (
    "Léa vous présente le plan, le parking à vélos et la personne à qui demander un badge. "
    "Le café sert dès 8 h 30 ; les casiers sont au deuxième étage. "
)


def run() -> list[Row]:
    """All measurements of the inbox."""
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.inbox", folder],
            cwd=ROOT,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=True,
        )
    found = json.loads(done.stdout)
    key, plain = found["key_s"], found["plain_key_s"]
    return [
        Row(
            "inbox", f"worst key in the search of {MANY:,}", key, "s", f"≤ {FRAME_S:g} s",
            key <= FRAME_S, plain, PLAIN,
        ),
        _within("open, first announcements drawn", found["open_s"], 4 * FRAME_S),
        Row("inbox", f"open, all {MANY:,} listed", found["all_s"], "s"),
        _within("longest the window stood still while they came", found["stall_s"], FRAME_S),
        _within("longest it stood still after one was marked", found["mark_stall_s"], FRAME_S),
        _within(f"judging {limits.FEED_MAX_CAMPAIGNS:,} announcements, the first time", found["judge_s"], FRAME_S),
        _within(f"noting a digest of {DIGEST}", found["digest_s"], FRAME_S),
        Row(
            "inbox", f"memory for {MANY:,} while open", found["memory_mb"], "MB", f"≤ {MEMORY_MB:g} MB",
            found["memory_mb"] <= MEMORY_MB,
        ),
    ]  # fmt: skip


def _within(what: str, value: float, most: float) -> Row:
    return Row("inbox", what, value, "s", f"≤ {most:g} s", value <= most)


class Desk:
    """What the windows let others do: nothing."""

    def ask_presence(self, answer: Callable[[PresenceState], None]) -> None:
        answer(PresenceState())

    def open_url(self, url: str) -> bool:
        return False

    def play(self, campaign_id: str) -> None: ...

    def show_inbox(self, campaign_id: str = "") -> None: ...

    def show_choices(self) -> None: ...

    def tell(self, fault: errors.TidingsError, *, quietly: bool = False) -> None:
        raise fault


class Heartbeat(QObject):
    """How long the main thread did nothing else, at most."""

    def __init__(self) -> None:
        super().__init__()
        self._last = time.perf_counter()
        self.longest_s = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)
        self._timer.start(0)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest_s = max(self.longest_s, now - self._last)
        self._last = now

    def begin(self) -> None:
        self._last, self.longest_s = time.perf_counter(), 0.0


class Measured:
    """One application with its agent."""

    def __init__(self, folder: Path) -> None:
        self.app = QApplication([])
        folders = Folders.under(folder)
        folders.make()
        fill(folders.data / "tidings.sqlite3")
        self.agent = Runtime.open(folders)
        theme = Theme.of(Scheme.LIGHT)
        apply_theme(self.app, theme)
        self.bridge = Bridge()
        self.windows = Windows(self.agent, self.bridge, Desk(), lambda: theme)
        self.agent.subscribe(self.bridge.listen)
        self.bridge.changed.connect(self.windows.refresh)
        self.heartbeat = Heartbeat()

    def measure(self) -> dict[str, float]:
        """All figures, in seconds and MB."""
        self.wait(lambda: True)
        garbage_collection.settle()
        before = _memory_mb()
        judging = self.timed(lambda: self.agent.select(PresenceState()))
        found = self.open() | {"judge_s": judging}
        found |= {"key_s": self.worst_key(), "plain_key_s": self.worst_plain_key()}
        found["mark_stall_s"] = self.mark()
        found["memory_mb"] = _memory_mb() - before - self.plain_mb
        self.windows.close()
        found["digest_s"] = self.timed(
            lambda: self.agent.interactions.displayed([f"c-{each}" for each in range(DIGEST)])
        )
        self.agent.stop()
        return found

    def wait(self, done: Callable[[], bool]) -> None:
        """Let Qt work until something holds."""
        deadline = time.monotonic() + TIMEOUT_S
        while not done():
            assert time.monotonic() < deadline
            self.app.processEvents()
        self.app.processEvents()

    def open(self) -> dict[str, float]:
        """From the wish to see the inbox to its first rows, and to all of them."""
        from ui.inbox.window import InboxWindow

        since = time.perf_counter()
        self.windows.show_inbox()
        (self.inbox,) = [each for each in self.app.topLevelWidgets() if isinstance(each, InboxWindow)]
        self.app.processEvents()
        opened = time.perf_counter() - since
        self.heartbeat.begin()
        self.wait(lambda: self.inbox.model.rowCount() == MANY)
        return {
            "open_s": opened,
            "all_s": time.perf_counter() - since,
            "stall_s": self.heartbeat.longest_s,
        }

    def worst_key(self) -> float:
        """From a key press in the search to the list drawn anew."""
        inbox, times = self.inbox, []
        inbox.search.setFocus()
        for word in (TYPED, TYPED):
            for letter in word:
                times.append(self.timed(lambda letter=letter: QTest.keyClick(inbox.search, letter)))  # type: ignore[misc]
            found = inbox.model.rowCount()
            times.append(self.timed(inbox.search.clear))
        assert 0 < found < MANY, f"{found} found"
        return max(times)

    def worst_plain_key(self) -> float:
        """The same with Qt's own: no accents, no several words."""
        before = _memory_mb()
        view, proxy = QListView(), QSortFilterProxyModel()
        texts = [
            "\n".join(
                (each.campaign.variant("en").title, each.campaign.sender, each.campaign.variant("en").body)
            )
            for each in self.agent.inbox()
        ]
        source = QStringListModel(texts)
        proxy.setSourceModel(source)
        proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        view.setUniformItemSizes(True)
        view.setModel(proxy)
        view.show()
        self.app.processEvents()
        typed = [TYPED[:end] for end in range(1, len(TYPED) + 1)] + [""]
        times = [
            self.timed(lambda text=text: proxy.setFilterFixedString(text))  # type: ignore[misc]
            for text in typed
        ]
        self.plain_mb = _memory_mb() - before
        view.close()
        self.kept = (view, proxy, source)
        return max(times)

    def timed(self, act: Callable[[], object]) -> float:
        """An act, with all that Qt has to do for it."""
        since = time.perf_counter()
        act()
        self.app.processEvents()
        return time.perf_counter() - since

    def mark(self) -> float:
        """The list after one was marked as read."""
        first = self.inbox.model.searchable.items[0].campaign.campaign_id
        self.heartbeat.begin()
        self.agent.interactions.mark_read([first], True)
        self.wait(lambda: self.inbox.model.searchable.items[0].state.read)
        return self.heartbeat.longest_s


def fill(path: Path) -> None:
    """A store with announcements whose texts are as long as people write. The last feed named as many as one may."""
    now = datetime.now(UTC)
    database = Database(path)
    migrate(database)
    rows = []
    for number in range(MANY):
        title = f"Announcement {number}" + (" from the Élysée" if number % 7 == 0 else "")
        body = PARAGRAPH * (1 + number % 12)
        link = Link("l1", "Read more", "https://news.northwind.example/more")
        campaign = Campaign(
            f"c-{number}", 1, CampaignStatus.LIVE, "Facilities", Urgency.NORMAL, now - timedelta(hours=number),
            now + timedelta(days=7), "en", {"en": Variant(title, body, (link,)), "fr": Variant(title, body)},
        )  # fmt: skip
        listed = int(number < limits.FEED_MAX_CAMPAIGNS)
        starts = campaign.starts.isoformat()
        content, expires = msgspec.json.encode(campaign), int(campaign.ends.timestamp())
        rows.append((campaign.campaign_id, content, starts, starts, listed, expires))
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO campaign (campaign_id, content, starts, received, recalled, listed, expires)"
            " VALUES (?, ?, ?, ?, 0, ?, ?)",
            rows,
        )
    database.close()


def _memory_mb() -> float:
    return float(psutil.Process().memory_full_info().uss) / 1e6


if __name__ == "__main__":
    i18n.use_language("en")
    print(json.dumps(Measured(Path(sys.argv[1])).measure()))
