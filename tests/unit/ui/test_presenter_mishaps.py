"""What goes on all the same: an announcement that ends out of sight, a digest that grows, a full disk, another language."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.domain import errors, limits
from agent.domain.model import Campaign, InteractionKind, PresenceState, Tristate
from tests.unit.ui.memory_agent import START, campaign
from tests.unit.ui.presenter_fakes import Fakes
from ui.popup.hosts.notification import notification_of
from ui.popup.ports import CardContent

FULL_SCREEN = PresenceState(full_screen=Tristate.YES)
LONG_AGO = START - timedelta(seconds=limits.DIGEST_AFTER_S + 60)


@pytest.fixture
def fakes() -> Iterator[Fakes]:
    fakes = Fakes()
    yield fakes
    fakes.presenter.close()


def missed(name: str) -> list[Campaign]:
    return [campaign(f"{name}-{i}", starts=LONG_AGO - timedelta(hours=i)) for i in range(3)]


def seconds_on_screen(fakes: Fakes, at_most: float = 600) -> float:
    begin = fakes.time.passed_s
    while fakes.shown and fakes.time.passed_s < begin + at_most:
        fakes.time.pass_by(0.1)
    return fakes.time.passed_s - begin


def test_what_ended_while_it_made_way_does_not_come_back_for_a_moment(fakes: Fakes) -> None:
    fakes.arrives(campaign(ends=START + timedelta(minutes=10)))
    fakes.time.pass_by(2)
    fakes.presence = FULL_SCREEN
    fakes.time.pass_by(1_200)
    shown: list[str] = []
    fakes.on_show = lambda: shown.append("again")
    fakes.presence = PresenceState()
    fakes.time.pass_by(600)
    assert shown == []


def test_a_digest_that_grows_stays_as_long_as_a_new_one(fakes: Fakes) -> None:
    fakes.arrives(*missed("first"))
    fakes.time.pass_by(limits.POPUP_TIMEOUT_URGENT_MS / 1000 - 1)
    fakes.arrives(*missed("late"))
    assert fakes.agent.acts("late-0") == [InteractionKind.DISPLAYED]
    assert seconds_on_screen(fakes) >= limits.POPUP_TIMEOUT_URGENT_MS / 1000 - 1


def test_a_digest_that_grew_and_made_way_at_once_comes_back(fakes: Fakes) -> None:
    fakes.arrives(*missed("first"))
    fakes.time.pass_by(8)
    fakes.arrives(*missed("late"))
    fakes.presence = FULL_SCREEN
    assert seconds_on_screen(fakes) < limits.SEEN_AFTER_MS / 1000
    fakes.presence = PresenceState()
    fakes.time.pass_by(60)
    assert "late-0" in fakes.shown[0]


@pytest.mark.expected_logs("was not recorded")
def test_a_link_opens_also_where_the_disk_takes_no_note_of_it(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.agent.fault = errors.DiskFault("full")
    fakes.presenter.follow("l1")
    assert fakes.opened == ["https://intranet.northwind.example/lyon"]
    assert fakes.told == [fakes.agent.fault]
    assert fakes.shown == []


def test_another_language_while_the_pointer_rests_on_it_does_not_keep_it_for_ever(fakes: Fakes) -> None:
    fakes.arrives(campaign())
    fakes.time.pass_by(2)
    fakes.presenter.hovered(True)
    fakes.presenter.retranslate()
    assert fakes.shown == ["c-1 1/1"]
    assert seconds_on_screen(fakes) <= limits.POPUP_TIMEOUT_MS / 1000 + 1


def test_a_notification_offers_no_reminder_that_would_come_too_late(fakes: Fakes) -> None:
    fakes.arrives(campaign(ends=START + timedelta(hours=2)))
    content = CardContent(fakes.agent.items["c-1"], 1, 1)

    def offered(after: timedelta) -> list[str]:
        return [action for action, _ in notification_of(content, START + after).actions]

    assert offered(timedelta()) == ["default", "later", "close"]
    assert offered(timedelta(hours=1)) == ["default", "close"]
