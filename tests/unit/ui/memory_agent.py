"""For the windows under test: an agent in memory over the real selection, and time that passes on request."""

import heapq
import itertools
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import msgspec

from agent.campaigns import link_policy, selection
from agent.domain import errors
from agent.domain.model import (
    Campaign,
    CampaignState,
    CampaignStatus,
    Change,
    Company,
    ConnectionState,
    ConsentState,
    FeedbackSignal,
    InboxItem,
    Interaction,
    InteractionKind,
    Link,
    Notice,
    Person,
    PresenceState,
    Region,
    Selection,
    SignalChoice,
    Status,
    Urgency,
    Variant,
    Video,
)
from agent.domain.preferences import DEFAULTS, Preferences, with_values
from agent.enrolment.left_entry import KeychainEntryStays, LeftEntry
from tests.unit.ui.memory_data import MemoryData

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
COMPANY = Company(
    company_id="northwind",
    name="Northwind",
    legal_name="Northwind SAS",
    region=Region.EU,
    dpo_name="Inès Martin",
    dpo_email="dpo@northwind.example",
    accent="#0F766E",
    link_hosts=("northwind.example", "*.northwind.example"),
    signals=frozenset(FeedbackSignal),
    notice=Notice(3, "2026-11-02", {"en": "Notice.", "fr": "Notice."}),
)
READ_MORE = Link("l1", "Read more", "https://intranet.northwind.example/lyon")
ELSEWHERE = Link("l2", "Elsewhere", "https://elsewhere.example/")
VIDEO = Video("a" * 64, 1_000, "video/mp4", 640, 360, 8_000)


def campaign(
    campaign_id: str = "c-1",
    *,
    urgency: Urgency = Urgency.NORMAL,
    starts: datetime = START - timedelta(hours=1),
    ends: datetime = START + timedelta(days=7),
    acknowledge: bool = False,
    **content: Any,
) -> Campaign:
    """An announcement; further words are its text's: title, body, links, image, video."""
    content = {"title": f"About {campaign_id}", "links": (READ_MORE, ELSEWHERE)} | content
    variants = {"en": Variant(**content)}
    return Campaign(
        campaign_id,
        1,
        CampaignStatus.LIVE,
        "Internal news",
        urgency,
        starts,
        ends,
        "en",
        variants,
        acknowledge,
    )


class ManualTime:
    """Clock and timers at once: nothing happens until ``pass_by``."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self._number = itertools.count()
        self._calls: list[tuple[float, int, ManualCall]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return self.passed_s

    def elapsed(self) -> float:
        return self.passed_s

    def wait(self, seconds: float) -> None:
        self.passed_s += seconds

    def after(self, delay_ms: float, call: Callable[[], None]) -> "ManualCall":
        coming = ManualCall(call)
        heapq.heappush(self._calls, (self.passed_s + delay_ms / 1000, next(self._number), coming))
        return coming

    @property
    def waiting(self) -> int:
        """How many calls are still to come."""
        return sum(call.call is not None for _, _, call in self._calls)

    def pass_by(self, seconds: float) -> None:
        end = self.passed_s + seconds
        while self._calls and self._calls[0][0] <= end:
            moment, _, coming = heapq.heappop(self._calls)
            self.passed_s = max(self.passed_s, moment)
            coming.fire()
        self.passed_s = end


class ManualCall:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None

    def fire(self) -> None:
        call, self.call = self.call, None
        if call is not None:
            call()


class MemoryPreferences:
    """Preferences in memory, some of them fixed."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.kept = DEFAULTS
        self.fixed: dict[str, Any] = {}

    def effective(self) -> Preferences:
        return with_values(self.kept, self.fixed)

    def own(self) -> Preferences:
        return self.kept

    def locked(self) -> frozenset[str]:
        return frozenset(self.fixed)

    def change(self, values: Mapping[str, Any]) -> None:
        self.keep(with_values(self.kept, values))

    def keep(self, own: Preferences) -> None:
        self.kept = own
        self.changed()


class MemoryAgent:
    """What the runtime does for windows, in memory: real selection and link rules, no server and no disk."""

    def __init__(self, time: ManualTime) -> None:
        self.time = time
        self.items: dict[str, InboxItem] = {}
        self.recorded: list[Interaction] = []
        self.noted_together: list[list[str]] = []
        self.listeners: list[Callable[[Change], None]] = []
        self.left: LeftEntry | None = None
        self.state = Status(
            ConnectionState.CONNECTED,
            "https://news.northwind.example",
            COMPANY,
            Person("lea@northwind.example", "Léa"),
            START,
        )
        self.given = dict.fromkeys(FeedbackSignal, ConsentState.NOT_ASKED)
        self.fault: errors.TidingsError | None = None
        self.media: dict[str, Path] = {}
        self.calls: list[str] = []
        self.login = "monday"
        self.my_data = MemoryData()
        self.preferences = MemoryPreferences(lambda: self.tell(Change.PREFERENCES))

    def arrives(self, *campaigns: Campaign) -> None:
        for each in campaigns:
            self.items[each.campaign_id] = InboxItem(each, CampaignState(received=self.time.now()))
        self.tell(Change.CAMPAIGNS)

    def recall(self, campaign_id: str) -> None:
        item = self.items[campaign_id]
        recalled = msgspec.structs.replace(item.campaign, status=CampaignStatus.RECALLED, variants={})
        self.items[campaign_id] = InboxItem(recalled, item.state)
        self.tell(Change.CAMPAIGNS)

    def acts(self, campaign_id: str) -> list[InteractionKind]:
        return [each.act for each in self.recorded if each.campaign_id == campaign_id]

    def tell(self, change: Change) -> None:
        for listener in list(self.listeners):
            listener(change)

    def suggested_server(self) -> str:
        return ""

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener) if listener in self.listeners else None

    def status(self) -> Status:
        unread = sum(not item.state.read for item in self.inbox())
        return msgspec.structs.replace(self.state, unread=unread)

    def inbox(self, *, newest: int | None = None, only: Collection[str] | None = None) -> list[InboxItem]:
        wanted = self.items if only is None else only
        live = (
            item
            for campaign_id, item in self.items.items()
            if campaign_id in wanted and item.campaign.status is CampaignStatus.LIVE
        )
        return list(itertools.islice(live, newest))

    def select(self, presence: PresenceState) -> Selection:
        return selection.select(
            self.items.values(),
            now=self.time.now(),
            presence=presence,
            paused_until=self.state.paused_until,
            preferences=self.preferences.effective(),
            login=self.login,
        )

    def choices(self) -> tuple[SignalChoice, ...]:
        return tuple(SignalChoice(signal, self.given[signal], True, True) for signal in FeedbackSignal)

    def media_path(self, sha256: str) -> Path | None:
        return self.media.get(sha256)

    def allowed_url(self, campaign_id: str, link_id: str) -> str:
        text = self.items[campaign_id].campaign.variant("en")
        link = next(link for link in text.links if link.link_id == link_id)
        return link_policy.allowed_url(link.url, COMPANY.link_hosts)

    @property
    def interactions(self) -> Self:
        return self

    def record(self, interaction: Interaction) -> None:
        if self.fault is not None:
            raise self.fault
        self.recorded.append(interaction)
        changes: dict[InteractionKind, dict[str, Any]] = {
            InteractionKind.DISPLAYED: {
                "displayed": self.time.now(),
                "remind_at": None,
                "remind_after_login": "",
            },
            InteractionKind.DISMISSED: {"read": True},
            InteractionKind.READ: {"read": True},
            InteractionKind.CLICKED: {"read": True},
            InteractionKind.LIKED: {"liked": True},
            InteractionKind.UNLIKED: {"liked": False},
        }
        item = self.items.get(interaction.campaign_id)
        if item is not None and not selection.asked_for(item):
            changes[InteractionKind.DISPLAYED]["popped_up"] = self.time.now()
        self._change(interaction.campaign_id, **changes.get(interaction.act, {}))

    def displayed(self, campaign_ids: Collection[str]) -> None:
        if self.fault is not None:
            raise self.fault
        self.noted_together.append(list(campaign_ids))
        for campaign_id in campaign_ids:
            self.record(Interaction(campaign_id, InteractionKind.DISPLAYED))

    def remind(self, campaign_id: str, delay_s: float | None) -> None:
        if delay_s is None:
            self._change(campaign_id, remind_at=None, remind_after_login=self.login)
        else:
            moment = self.time.now() + timedelta(seconds=delay_s)
            self._change(campaign_id, remind_at=moment, remind_after_login="")

    def acknowledge(self, campaign_id: str) -> None:
        if self.fault is not None:
            raise self.fault
        self._change(campaign_id, acknowledged=self.time.now(), read=True)

    def mark_read(self, campaign_ids: Collection[str], read: bool) -> None:
        for campaign_id in campaign_ids:
            displayed = self.items[campaign_id].state.displayed or self.time.now()
            self._change(campaign_id, read=read, displayed=displayed)

    def pause(self, seconds: float | None) -> None:
        until = self.time.now() + timedelta(seconds=seconds) if seconds else None
        self.state = msgspec.structs.replace(self.state, paused_until=until)
        self.tell(Change.STATUS)

    def choose(
        self,
        choices: Mapping[FeedbackSignal, bool],
        is_wanted: Callable[[], bool] = lambda: True,
        shown: Company | None = None,
    ) -> None:
        for signal, given in choices.items():
            self.given[signal] = ConsentState.GIVEN if given else ConsentState.REFUSED
        self.state = msgspec.structs.replace(self.state, choose_now=False)
        self.tell(Change.CONSENT)

    def defer_choice(self) -> None:
        self.given = dict.fromkeys(FeedbackSignal, ConsentState.DEFERRED)
        self.state = msgspec.structs.replace(self.state, choose_now=False)
        self.tell(Change.CONSENT)

    def check_now(self) -> None:
        self.calls.append("check_now")

    def delete_all_shared(self) -> None:
        if self.my_data.fault is not None:
            raise self.my_data.fault
        self.given = dict.fromkeys(FeedbackSignal, ConsentState.WITHDRAWN)
        self.my_data.items = []
        self.tell(Change.CONSENT)

    def disconnect(self) -> bool:
        heard = self.state.connection is ConnectionState.CONNECTED
        self.state = Status(ConnectionState.NOT_CONNECTED)
        self.tell(Change.STATUS)
        if self.left is not None:
            raise KeychainEntryStays(self.left)
        return heard

    def enrol(self, server_url: str, code: str) -> None:
        if code != "KX7P-9QMD-2HTV":
            raise errors.CodeRefused("404")
        self.state = msgspec.structs.replace(
            self.state, connection=ConnectionState.CONNECTED, choose_now=True
        )
        self.tell(Change.STATUS)

    def _change(self, campaign_id: str, **state: Any) -> None:
        item = self.items.get(campaign_id)
        if item is not None and state:
            self.items[campaign_id] = InboxItem(item.campaign, msgspec.structs.replace(item.state, **state))
            self.tell(Change.CAMPAIGNS)
