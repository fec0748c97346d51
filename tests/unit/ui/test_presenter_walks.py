"""Anything may happen in any order: each announcement comes once, for each time that it was asked for, and none is lost."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from agent.campaigns import selection
from agent.campaigns.display_limits import quiet_until
from agent.domain.model import InteractionKind, PresenceState, Tristate, Urgency
from tests.unit.ui.memory_agent import campaign
from tests.unit.ui.presenter_fakes import Fakes
from ui.popup.ports import CardContent, DigestContent
from ui.popup.presenter import ASK_AGAIN_WHILE_SHOWN_MS

FREE = PresenceState()
HALF_A_MINUTE = 30
NOTHING, WAIT = timedelta(), timedelta(minutes=20)
NEVER = datetime.max.replace(tzinfo=UTC)
A_LOOK = timedelta(milliseconds=ASK_AGAIN_WHILE_SHOWN_MS + 1_000)
"""While pages are shown, the presenter looks so often whether the others may still come."""


class Walk(RuleBasedStateMachine):
    """A person at their desk, the company's server, and time."""

    @initialize(
        per_hour=st.sampled_from([0, 1, 3, 12]),
        gap=st.sampled_from([0, 0, 10]),
        quiet=st.booleans(),
    )
    def begin(self, per_hour: int, gap: int, quiet: bool) -> None:
        self.fakes = Fakes()
        self.fakes.agent.preferences.change(
            {
                "popups_per_hour": per_hour,
                "minutes_between": gap,
                "quiet_hours": quiet,
                "quiet_from": "10:00",
                "quiet_to": "12:00",
            }
        )
        self.number = 0
        self.asked = Counter[str]()
        self.wanted: dict[str, datetime] = {}
        self.checked = 0
        self.over: set[str] = set()
        self.silent: set[str] = set()

    def teardown(self) -> None:
        if not hasattr(self, "fakes"):
            return
        self._nothing_is_lost()
        self.fakes.presenter.close()
        assert not any(card.open for card in self.fakes.cards)

    def _nothing_is_lost(self) -> None:
        """At last the person is there, wants everything, and looks at each page."""
        fakes = self.fakes
        fakes.presence = FREE
        fakes.agent.pause(None)
        fakes.agent.preferences.change({"popups_per_hour": 0, "minutes_between": 0, "quiet_hours": False})
        fakes.time.pass_by(WAIT.total_seconds())
        for _page in range(3 * self.number + 20):
            fakes.time.pass_by(HALF_A_MINUTE)
            if fakes.shown:
                fakes.presenter.dismiss()
        for campaign_id, item in fakes.agent.items.items():
            if campaign_id not in self.over | self.silent and not item.state.read:
                pending = item.state.remind_at is not None or item.state.remind_after_login
                assert pending or InteractionKind.DISPLAYED in fakes.agent.acts(campaign_id), (
                    f"{campaign_id} was lost"
                )

    # The company

    @rule(
        urgency=st.sampled_from([*Urgency, Urgency.NORMAL, Urgency.NORMAL]),
        count=st.integers(1, 4),
        age=st.sampled_from([0, 0, 10, 300]),
        wait=st.sampled_from([NOTHING, NOTHING, WAIT]),
    )
    def arrives(self, urgency: Urgency, count: int, age: int, wait: timedelta) -> None:
        now = self.fakes.time.now()
        made = []
        for _each in range(count):
            self.number += 1
            made.append(
                campaign(
                    f"c-{self.number}",
                    urgency=urgency,
                    starts=now + wait - timedelta(minutes=age),
                    ends=now + timedelta(days=30),
                )
            )
            if urgency is Urgency.SILENT:
                self.silent.add(f"c-{self.number}")
        self.fakes.arrives(*made)

    @rule(data=st.data())
    def recalls(self, data: st.DataObject) -> None:
        if campaign_id := self._one(data):
            self.over.add(campaign_id)
            self.fakes.agent.recall(campaign_id)
            self.fakes.time.pass_by(1)
            assert not self._on_screen(campaign_id)

    # The person

    @rule(
        fields=st.dictionaries(
            st.sampled_from(["locked", "full_screen", "presenting", "do_not_disturb", "idle"]),
            st.sampled_from(Tristate),
            max_size=2,
        )
    )
    def is_elsewhere(self, fields: dict[str, Tristate]) -> None:
        self.fakes.presence = replace(FREE, **fields)

    @rule()
    def is_there(self) -> None:
        self.fakes.presence = FREE

    @rule(seconds=st.sampled_from([None, 600, 7_200]))
    def pauses(self, seconds: float | None) -> None:
        self.fakes.agent.pause(seconds)

    @rule()
    def closes(self) -> None:
        self.fakes.presenter.dismiss()

    @rule(delay_s=st.sampled_from([900.0, 3_600.0, None]))
    def later(self, delay_s: float | None) -> None:
        if shown := self.fakes.presenter.shown:
            self._asks_for(shown, delay_s)
            self.fakes.presenter.later(delay_s)

    @rule(data=st.data(), delay_s=st.sampled_from([900.0, 3_600.0, None]))
    def puts_off_in_the_inbox(self, data: st.DataObject, delay_s: float | None) -> None:
        if campaign_id := self._one(data):
            self._asks_for(campaign_id, delay_s)
            self.fakes.agent.interactions.remind(campaign_id, delay_s)
            self._hears()

    @rule(data=st.data())
    def reads_in_the_inbox(self, data: st.DataObject) -> None:
        if campaign_id := self._one(data):
            self.fakes.agent.interactions.mark_read([campaign_id], True)
            self._hears()

    @rule(pages=st.sampled_from([-1, 1]))
    def turns(self, pages: int) -> None:
        self.fakes.presenter.turn(pages)

    @rule(under_pointer=st.booleans())
    def points(self, under_pointer: bool) -> None:
        self.fakes.presenter.hovered(under_pointer)

    @rule()
    def logs_in_again(self) -> None:
        self.fakes.agent.login += "'"
        self.wanted = {key: moment for key, moment in self.wanted.items() if moment != NEVER}
        self.fakes.presenter.refresh()

    # Time

    @rule(seconds=st.sampled_from([1, 4, 25, 70, 1_000, 4_000]))
    def passes(self, seconds: int) -> None:
        self.fakes.time.pass_by(seconds)

    @rule()
    def a_poll_ends(self) -> None:
        self.fakes.presenter.refresh()
        self.fakes.time.pass_by(1)

    # What holds at any time

    @invariant()
    def once_for_each_time_that_it_was_asked_for(self) -> None:
        if not hasattr(self, "fakes"):
            return
        displayed = Counter(
            each.campaign_id for each in self.fakes.agent.recorded if each.act is InteractionKind.DISPLAYED
        )
        for campaign_id, times in displayed.items():
            assert times <= 1 + self.asked[campaign_id], f"{campaign_id} came again without a reason"
        assert not self.silent & displayed.keys() or all(
            self.asked[each] for each in self.silent & displayed.keys()
        )

    @invariant()
    def nothing_comes_in_quiet_hours_or_before_it_is_wanted(self) -> None:
        if not hasattr(self, "fakes"):
            return
        agent = self.fakes.agent
        new, self.checked = agent.recorded[self.checked :], len(agent.recorded)
        for campaign_id in {each.campaign_id for each in new if each.act is InteractionKind.DISPLAYED}:
            item = agent.items[campaign_id]
            moment = item.state.displayed
            assert moment is not None
            assert moment >= self.wanted.pop(campaign_id, moment), f"{campaign_id} came before it was wanted"
            if item.campaign.urgency is Urgency.NORMAL:
                quiet = quiet_until(moment - A_LOOK, agent.preferences.effective())
                assert quiet is None or quiet <= moment, f"{campaign_id} came in quiet hours"

    @invariant()
    def what_is_on_the_screen_is_noted_and_an_emergency_is_alone(self) -> None:
        if not hasattr(self, "fakes"):
            return
        contents: list[Any] = [card.content for card in self.fakes.cards if card.open and card.content]
        assert len(contents) <= 1
        for content in contents:
            items = content.items if isinstance(content, DigestContent) else (content.item,)
            for item in items:
                campaign_id = item.campaign.campaign_id
                noted = self.fakes.agent.acts(campaign_id).count(InteractionKind.DISPLAYED)
                if item.campaign.urgency is Urgency.EMERGENCY:
                    assert noted <= self.asked[campaign_id], (
                        "only its closing is noted, each time that it came"
                    )
                else:
                    assert noted
            emergencies = {
                item.campaign.campaign_id
                for page in self.fakes.presenter._queue
                for item in page.items
                if item.campaign.urgency is Urgency.EMERGENCY
            }
            if emergencies:
                assert isinstance(content, CardContent)
                assert content.item.campaign.campaign_id in emergencies

    def _hears(self) -> None:
        """What changed is told before the person's next act, however quick they are."""
        self.fakes.time.pass_by(0.01)

    def _asks_for(self, campaign_id: str, delay_s: float | None) -> None:
        self.asked[campaign_id] += 1
        delay = timedelta(seconds=delay_s) if delay_s is not None else None
        self.wanted[campaign_id] = NEVER if delay is None else self.fakes.time.now() + delay

    def _one(self, data: st.DataObject) -> str:
        known = sorted(
            key
            for key, item in self.fakes.agent.items.items()
            if not selection.over(item, self.fakes.time.now())
        )
        return data.draw(st.sampled_from(known)) if known else ""

    def _on_screen(self, campaign_id: str) -> bool:
        return any(campaign_id in shown.partition(" ")[0].split("+") for shown in self.fakes.shown)


TestWalks = Walk.TestCase
TestWalks.settings = settings(
    max_examples=40, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
