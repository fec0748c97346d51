"""An announcement is displayed once: over kills, restarts, clocks that are set and new versions.

After a reinstallation it is as docs/moments.md says.
"""

from __future__ import annotations

import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.domain import errors
from agent.domain.model import HoldReason, PresenceState, Urgency
from tests.support.agent.company_in_memory import Company, recalled, running
from tests.support.agent.displayer import ALL
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE
from tests.support.children import Child
from tests.support.waiting import until

CAMPAIGNS = 40
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)
FREE = PresenceState()
LATE = "2099-01-01T00:00:00Z"


def began(ago: timedelta, **changes: Any) -> dict[str, Any]:
    starts = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    return running("News", starts=starts, ends=LATE, **changes)


@pytest.fixture
def company() -> Company:
    return Company()


@contextmanager
def connected(server: LoopbackServer, folder: Path) -> Iterator[Agent]:
    """With all campaigns; it polls when it is told to."""
    with an_agent(folder) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        yield agent


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path, company: Company) -> Iterator[Agent]:
    company.publish("c-one", began(AN_HOUR))
    with connected(server, tmp_path) as opened:
        yield opened


def shown(agent: Agent) -> list[str]:
    """What comes now, as pages, and is noted as displayed, as the presenter does."""
    found = agent.runtime.select(FREE)
    pages = [[item.campaign.campaign_id for item in found.digest]] if found.digest else []
    pages += [[item.campaign.campaign_id] for item in found.show]
    for page in pages:
        agent.runtime.interactions.displayed(page)
    return ["+".join(page) for page in pages]


def test_kill_9_at_any_moment_shows_none_twice_and_loses_one_a_kill_at_most(
    company: Company, server: LoopbackServer, tmp_path: Path
) -> None:
    chance, seen = random.Random(7), Counter[str]()
    for number in range(CAMPAIGNS):
        company.publish(f"c-{number}", began(AN_HOUR))
    with connected(server, tmp_path):
        pass
    clocks = (timedelta(), AN_HOUR / 2, -A_DAY, AN_HOUR / 3, timedelta())
    for number, offset in enumerate(clocks):
        log, least = tmp_path / f"displayer-{number}.log", chance.randrange(1, 12)
        words = (str(tmp_path), str(offset.total_seconds()))
        with Child([sys.executable, "-m", "tests.support.agent.displayer", *words], log) as child:
            until(
                partial(has_shown, log, least if number < len(clocks) - 1 else CAMPAIGNS),
                "pages",
                every=0.001,
            )
            child.kill()
        seen.update(name for name in log.read_text().split() if name != ALL)
    assert set(seen.values()) == {1}, "none came twice"
    assert len(seen) >= CAMPAIGNS - len(clocks)
    with an_agent(tmp_path) as agent:
        assert shown(agent) == []


def has_shown(log: Path, least: int) -> bool:
    said = log.read_text().split()
    return len(said) >= least or ALL in said


def test_a_clock_that_is_set_back_and_forth_brings_nothing_again(agent: Agent) -> None:
    assert shown(agent) == ["c-one"]
    for days in (-3_650, -1, 1, 400, 3_650, -400, 0.02):
        agent.clock.jump(days * 86_400)
        assert shown(agent) == []


def test_a_reminder_that_a_wrong_clock_made_due_comes_once(agent: Agent) -> None:
    shown(agent)
    agent.runtime.interactions.remind("c-one", 3_600)
    agent.clock.jump(86_400)
    assert shown(agent) == ["c-one"]
    agent.clock.jump(-86_400)
    assert shown(agent) == []
    agent.clock.advance(7_200)
    assert shown(agent) == []


def test_a_start_that_a_wrong_clock_put_into_the_future_comes_when_the_clock_is_right(agent: Agent) -> None:
    agent.clock.jump(-86_400)
    assert shown(agent) == []
    assert agent.runtime.select(FREE).held == {"c-one": HoldReason.NOT_STARTED}
    agent.clock.jump(86_400)
    assert shown(agent) == ["c-one"]


def test_a_new_version_of_the_same_announcement_is_no_new_reason(agent: Agent, company: Company) -> None:
    assert shown(agent) == ["c-one"]
    company.publish("c-one", began(AN_HOUR, urgency=Urgency.EMERGENCY))
    agent.runtime.sync_once()
    (item,) = agent.runtime.inbox()
    assert item.campaign.urgency is Urgency.EMERGENCY
    assert shown(agent) == []


def test_over_a_restart_it_stays_displayed_and_a_reminder_stays(agent: Agent, tmp_path: Path) -> None:
    shown(agent)
    agent.runtime.interactions.remind("c-one", 3_600)
    agent.runtime.stop()
    with an_agent(tmp_path, agent.keychain) as again:
        assert shown(again) == []
        again.clock.advance(3_601)
        assert shown(again) == ["c-one"]
        assert shown(again) == []


def test_what_is_over_or_recalled_or_no_longer_named_never_comes_not_even_as_a_reminder(
    agent: Agent, company: Company
) -> None:
    content = began(AN_HOUR)
    for name in ("c-recalled", "c-unlisted", "c-over"):
        company.publish(name, content | ({"ends": "2098-01-01T00:00:00Z"} if name == "c-over" else {}))
    agent.runtime.sync_once()
    for name in ("c-recalled", "c-unlisted", "c-over"):
        agent.runtime.interactions.remind(name, 60)
    company.publish("c-recalled", recalled(content))
    del company.documents["c-unlisted"]
    agent.runtime.sync_once()
    shown(agent)
    agent.clock.advance(120)
    held = agent.runtime.select(FREE).held
    assert (held["c-recalled"], held["c-unlisted"]) == (HoldReason.RECALLED, HoldReason.NOT_LISTED)
    assert shown(agent) == ["c-over"], "the one that is still on"
    agent.runtime.interactions.remind("c-over", 60)
    agent.clock.wall = datetime(2098, 6, 1, tzinfo=UTC)
    assert agent.runtime.select(FREE).held["c-over"] is HoldReason.EXPIRED
    assert shown(agent) == []


class TestReinstalled:
    def connect_again(self, agent: Agent, company: Company, server: LoopbackServer) -> None:
        agent.runtime.disconnect()
        company.token = "tdt_" + "b" * 40
        company.codes.add(CODE.replace("-", ""))
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()

    def test_what_began_long_before_is_one_page_however_few_they_are(
        self, agent: Agent, company: Company, server: LoopbackServer
    ) -> None:
        company.publish("c-old", began(3 * AN_HOUR))
        company.publish("c-older", began(5 * A_DAY))
        agent.runtime.sync_once()
        assert shown(agent) == ["c-old+c-older", "c-one"]
        self.connect_again(agent, company, server)
        assert shown(agent) == ["c-old+c-older", "c-one"]
        assert shown(agent) == []

    def test_what_comes_after_it_comes_as_always(
        self, agent: Agent, company: Company, server: LoopbackServer
    ) -> None:
        self.connect_again(agent, company, server)
        assert shown(agent) == ["c-one"]
        company.publish("c-two", began(timedelta()))
        agent.clock.advance(3 * 3_600)
        agent.runtime.sync_once()
        assert shown(agent) == ["c-two"], "late, and of this computer's own time"


def test_of_a_pop_up_with_several_all_are_noted_or_none(
    agent: Agent, company: Company, tmp_path: Path
) -> None:
    company.publish("c-two", began(AN_HOUR))
    agent.runtime.sync_once()
    with closing(sqlite3.connect(tmp_path / "data" / "tidings.sqlite3")) as store:
        store.execute(
            "CREATE TRIGGER stop BEFORE UPDATE ON campaign WHEN old.campaign_id = 'c-two'"
            " BEGIN SELECT RAISE(FAIL, 'stop'); END"
        )
        with pytest.raises(errors.DiskFault, match="stop"):
            agent.runtime.interactions.displayed(["c-one", "c-two"])
        store.execute("DROP TRIGGER stop")
    noted = {item.campaign.campaign_id: item.state.displayed for item in agent.runtime.inbox()}
    assert noted == {"c-one": None, "c-two": None}
    agent.runtime.interactions.displayed(["c-one", "c-two"])
    assert all(item.state.displayed for item in agent.runtime.inbox())
