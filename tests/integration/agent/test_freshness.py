"""A server that repeats itself, mixes, withholds or is simply old: what the agent takes, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.cli import doctor
from agent.domain import errors, limits
from agent.domain.model import ConnectionState, PresenceState
from tests.contract.golden_documents import CAMPAIGN_SIGNER, RECEIPT_SIGNER, payload, signed
from tests.support.agent.company_in_memory import FAR, Company, claims, instead, recalled, running
from tests.support.agent.parts import Agent, MemoryKeychain, SettableClock, an_agent
from tests.support.agent.scripted_server import (
    LOST,
    LoopbackServer,
    Reply,
    Request,
    json_reply,
    loopback_server,
)
from tests.support.agent.watching import CODE

HOUR, DAY = 3600, 86_400
REFUSED = "list of announcements is not right"


@pytest.fixture
def company() -> Company:
    made = Company()
    made.is_stating = True
    made.publish("c-one")
    return made


@pytest.fixture
def server(company: Company) -> Iterator[LoopbackServer]:
    with loopback_server(company) as running_server:
        yield running_server


@pytest.fixture
def agent(server: LoopbackServer, company: Company, tmp_path: Path) -> Iterator[Agent]:
    """Connected, with the first feed. The company's clock is the agent's."""
    with an_agent(tmp_path) as opened:
        company.now = opened.clock.now
        opened.runtime.enrol(server.url, CODE)
        opened.runtime.sync_once()
        yield opened


def codes(agent: Agent) -> list[str]:
    return [trouble.code for trouble in agent.runtime.status().troubles]


def inbox(agent: Agent) -> list[str]:
    return sorted(item.campaign.campaign_id for item in agent.runtime.inbox())


def titles(agent: Agent) -> list[str]:
    return [item.campaign.variant("en").title for item in agent.runtime.inbox()]


def feed(company: Company, **changes: Any) -> dict[str, Any]:
    """What the company answers now, with other values for some fields."""
    return company.feed | {"statement": company.statement()} | changes


def polls(agent: Agent, hours: int, every: int = 1) -> None:
    for _ in range(0, hours, every):
        agent.clock.advance(every * HOUR)
        agent.runtime.sync_once()


def frozen(server: LoopbackServer, company: Company, reply: Reply) -> None:
    """From now on whoever asks for the feed gets this."""
    server.answer = lambda request: reply if request.path.endswith("/feed") else company(request)


def test_a_server_that_states_anew_is_no_trouble_for_weeks(agent: Agent) -> None:
    polls(agent, hours=21 * 24, every=6)
    assert codes(agent) == []
    assert agent.runtime.freshness().issued > agent.clock.now().timestamp() - 13 * HOUR


def test_a_304_for_ever_is_noticed_after_two_days(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    frozen(server, company, Reply(304))
    polls(agent, hours=47)
    assert codes(agent) == []
    polls(agent, hours=1)
    (trouble,) = agent.runtime.status().troubles
    assert trouble.code == "NotConfirmed"
    assert trouble.title == "The server has not confirmed for 2 days that nothing is missing"
    assert "administrator" in trouble.message
    assert agent.runtime.status().connection is ConnectionState.CONNECTED


@pytest.mark.parametrize("dated", [True, False])
def test_the_first_feed_for_ever_is_noticed_after_two_days(
    agent: Agent, server: LoopbackServer, company: Company, dated: bool
) -> None:
    answer = company._feed(Request("GET", "/api/v1/feed", (("Tidings-Feed", "signed"),), b""))
    frozen(
        server,
        company,
        Reply(200, answer.body, {k: v for k, v in answer.headers.items() if dated or k != "Date"}),
    )
    polls(agent, hours=47)
    assert codes(agent) == []
    agent.clock.advance(HOUR)
    with pytest.raises(errors.FeedRefused):
        agent.runtime.sync_once()
    assert codes(agent) == ["NotConfirmed"]
    assert inbox(agent) == ["c-one"]


def test_the_next_statement_ends_the_trouble(agent: Agent, server: LoopbackServer, company: Company) -> None:
    frozen(server, company, Reply(304))
    polls(agent, hours=72, every=24)
    assert codes(agent) == ["NotConfirmed"]
    server.answer = company
    agent.runtime.sync_once()
    assert codes(agent) == []


def test_the_next_poll_is_no_later_than_the_end_of_the_statement(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    frozen(server, company, Reply(304, headers={"Tidings-Poll-Interval": "86400"}))
    agent.clock.advance(47 * HOUR)
    wait = agent.runtime._background.poll_once()
    assert wait is not None
    assert wait <= HOUR * (1 + limits.POLL_JITTER_SHARE)


def test_a_computer_that_was_off_or_offline_for_a_week_says_no_such_thing(
    agent: Agent, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    keychain = agent.keychain
    agent.runtime.stop()
    clock = SettableClock(agent.clock.now() + timedelta(days=7))
    company.now = clock.now
    with an_agent(tmp_path, keychain, clock) as again:
        assert codes(again) == []
        company.faults.append(instead(Reply(LOST)))
        with pytest.raises(errors.ServerUnreachable):
            again.runtime.sync_once()
        assert "NotConfirmed" not in codes(again)
        again.runtime.sync_once()
        assert codes(again) == []


def test_what_was_noticed_is_known_to_a_command_and_to_the_doctor(
    agent: Agent, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    frozen(server, company, Reply(304))
    polls(agent, hours=72, every=24)
    agent.runtime.stop()
    with an_agent(tmp_path, agent.keychain, agent.clock) as other:
        assert codes(other) == ["NotConfirmed"]
    checks = {check.name: check for check in doctor.examine(agent.folders, secrets=MemoryKeychain())}
    assert checks["freshness"].verdict == "fault"
    assert "has not confirmed for 3 days" in checks["freshness"].result


def test_a_server_that_knows_no_statements_is_named_by_the_doctor_alone(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    company.is_stating = False
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        company.now = agent.clock.now
        agent.runtime.sync_once()
        polls(agent, hours=96, every=24)
        assert codes(agent) == []
    checks = {check.name: check for check in doctor.examine(agent.folders, secrets=MemoryKeychain())}
    assert checks["freshness"].verdict == "warning"


def test_once_there_were_statements_their_absence_counts(agent: Agent, company: Company) -> None:
    company.is_stating = False
    company.publish("c-two")
    with pytest.raises(errors.FeedRefused):
        agent.runtime.sync_once()
    assert inbox(agent) == ["c-one"]
    agent.clock.advance(49 * HOUR)
    with pytest.raises(errors.FeedRefused):
        agent.runtime.sync_once()
    assert codes(agent) == ["NotConfirmed"]


def test_a_recall_that_is_withheld_is_refused(agent: Agent, server: LoopbackServer, company: Company) -> None:
    content = running("Oops")
    live = company.publish("c-oops", content)
    agent.runtime.sync_once()
    agent.clock.advance(HOUR)
    company.publish("c-oops", recalled(content))
    mixed = feed(company, campaigns=[live, company.documents["c-one"]])
    frozen(server, company, json_reply(mixed))
    with pytest.raises(errors.FeedRefused):
        agent.runtime.sync_once()


def mixtures(company: Company) -> dict[str, dict[str, Any]]:
    """Feeds made of genuine documents and statements, none of which is the company's feed of now."""
    before, old_statement = company.company, company.statement()
    former = company.publish("c-one", running("Former"))
    company.sign_company(name="Northwind anew")
    company.publish("c-one", running("Latter"))
    right = feed(company)
    company.token, own = "tdt_" + "z" * 40, company.token
    others = company.statement()
    company.token = own
    stated = payload(claims(right["statement"])["sub"], claims(right["statement"])["content"], 0, FAR)
    return {
        "an announcement is missing": right | {"campaigns": []},
        "an older announcement": right | {"campaigns": [former]},
        "an older company": right | {"company": before},
        "one twice": right | {"campaigns": right["campaigns"] * 2},
        "one that is not assigned": right
        | {
            "campaigns": [
                *right["campaigns"],
                signed("tidings-campaign", payload("c-x", running("X"), 90, FAR)),
            ]
        },
        "another computer's statement": right | {"statement": others},
        "an older statement": right | {"statement": old_statement},
        "no statement": {name: value for name, value in right.items() if name != "statement"},
        "a statement by the campaign key": right
        | {"statement": signed("tidings-feed", claims(right["statement"]), CAMPAIGN_SIGNER)},
        "a receipt as a statement": right
        | {"statement": signed("tidings-receipt", claims(right["statement"]), RECEIPT_SIGNER)},
        "a statement for years": right | {"statement": signed("tidings-feed", stated, RECEIPT_SIGNER)},
        "another company's": right
        | {
            "statement": signed(
                "tidings-feed", claims(right["statement"]) | {"iss": "southwind"}, RECEIPT_SIGNER
            )
        },
        "a damaged statement": right | {"statement": right["statement"][:-4] + "AAAA"},
    }


@pytest.mark.expected_logs("was refused")
@pytest.mark.parametrize("kind", [*mixtures(Company())])
def test_a_mixture_of_genuine_parts_changes_nothing(
    agent: Agent, server: LoopbackServer, company: Company, kind: str
) -> None:
    agent.clock.advance(60)
    mixed = mixtures(company)[kind]
    frozen(server, company, json_reply(mixed))
    before = titles(agent)
    with pytest.raises(errors.FeedRefused) as raised:
        agent.runtime.sync_once()
    assert REFUSED in raised.value.title
    assert titles(agent) == before
    server.answer = company
    agent.runtime.sync_once()
    assert titles(agent) == ["Latter"]


@pytest.mark.expected_logs("was refused")
def test_what_this_version_cannot_read_holds_back_nothing_else(agent: Agent, company: Company) -> None:
    odd = running("Of the future") | {"hologram": True}
    company.publish("c-future", odd)
    company.publish("c-two")
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one", "c-two"]


@pytest.mark.parametrize("days", [-4, 4, 40, -4000])
def test_a_clock_that_is_off_by_days_is_told_as_that(agent: Agent, company: Company, days: int) -> None:
    right = agent.clock.now()
    company.now = lambda: right + timedelta(seconds=agent.clock.monotonic() - 1000)
    agent.clock.jump(days * DAY)
    for campaign_id in ("c-two", "c-three"):
        company.publish(campaign_id)
        agent.clock.advance(60)
        with pytest.raises(errors.ClockDiffers) if days > 0 else nullcontext():
            agent.runtime.sync_once()
    (trouble,) = agent.runtime.status().troubles
    assert trouble.code == "ClockDiffers"
    assert f"{abs(days)} days" in trouble.message
    agent.clock.jump(-days * DAY)
    agent.clock.advance(60)
    agent.runtime.sync_once()
    assert codes(agent) == []
    assert inbox(agent) == ["c-one", "c-three", "c-two"]


def test_a_stored_announcement_is_not_shown_after_its_documents_end(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    company.counter += 1
    soon = int(agent.clock.now().timestamp()) + DAY
    company.documents["c-short"] = signed(
        "tidings-campaign", payload("c-short", running("Short"), company.counter, soon)
    )
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one", "c-short"]
    assert agent.runtime.status().unread == 2
    found = agent.runtime.select(PresenceState())
    assert {item.campaign.campaign_id for item in found.show} == {"c-one", "c-short"}
    agent.clock.advance(DAY)
    assert inbox(agent) == ["c-one"]
    assert agent.runtime.status().unread == 1
    assert [item.campaign.campaign_id for item in agent.runtime.select(PresenceState()).show] == ["c-one"]
    assert agent.runtime.inbox(only={"c-short"}) == []
    with pytest.raises(errors.InvalidInput):
        agent.runtime.allowed_url("c-short", "l1")


# A clock that is wrong


def truly(agent: Agent, company: Company) -> None:
    """The company's clock is right whatever becomes of the agent's."""
    right, ticks = agent.clock.now(), agent.clock.monotonic()
    company.now = lambda: right + timedelta(seconds=agent.clock.monotonic() - ticks)


@pytest.mark.parametrize("late_h", [0.5, 20, 3 * 24, 400 * 24])
@pytest.mark.parametrize("moment", ["before the statement", "after the statement"])
def test_a_late_clock_delays_no_notice_of_a_freeze(
    agent: Agent, server: LoopbackServer, company: Company, late_h: float, moment: str
) -> None:
    truly(agent, company)
    if moment == "before the statement":
        agent.clock.jump(-late_h * HOUR)
    company.publish("c-two")
    agent.runtime.sync_once()
    repeated = company._feed(Request("GET", "/api/v1/feed", (("Tidings-Feed", "signed"),), b"")).headers
    if moment == "after the statement":
        agent.clock.jump(-late_h * HOUR)
    frozen(server, company, Reply(304, headers={"Date": repeated["Date"]}))
    agent.runtime.sync_once()
    polls(agent, hours=47, every=47)
    assert "NotConfirmed" not in codes(agent)
    polls(agent, hours=1)
    assert codes(agent) == ["NotConfirmed"]
    assert "2 days" in agent.runtime.status().troubles[0].title
    server.answer = company
    agent.runtime.sync_once()
    assert "NotConfirmed" not in codes(agent)


def test_that_a_clock_is_late_is_told_until_it_is_set(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    truly(agent, company)
    agent.clock.jump(-3 * DAY)
    company.publish("c-two")
    agent.runtime.sync_once()
    frozen(server, company, Reply(304, headers={"Date": "Tue, 24 Nov 2026 13:00:00 GMT"}))
    polls(agent, hours=3)
    assert codes(agent) == ["ClockDiffers"]
    agent.clock.jump(3 * DAY)
    server.answer = company
    agent.runtime.sync_once()
    assert codes(agent) == []


def test_the_same_statement_again_makes_a_late_clock_no_less_late(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    truly(agent, company)
    agent.clock.jump(-30 * HOUR)
    company.publish("c-two")
    same = json_reply(feed(company))
    frozen(server, company, same)
    agent.runtime.sync_once()
    polls(agent, hours=48, every=24)
    assert codes(agent) == ["NotConfirmed"]


def test_a_statement_that_was_kept_back_makes_a_late_clock_no_less_late(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    truly(agent, company)
    agent.clock.jump(-20 * HOUR)
    company.publish("c-two")
    agent.runtime.sync_once()
    agent.clock.advance(HOUR)
    kept_back = json_reply(feed(company))
    frozen(server, company, Reply(304))
    polls(agent, hours=20, every=10)
    frozen(server, company, kept_back)
    polls(agent, hours=27, every=9)
    assert codes(agent) == []
    polls(agent, hours=1)
    assert codes(agent) == ["NotConfirmed"]


@pytest.mark.parametrize("into_period_h", [1, 7])
@pytest.mark.parametrize("days", [0.5, 1.5, 3])
def test_a_clock_that_was_set_right_is_no_trouble_for_weeks(
    agent: Agent, company: Company, days: float, into_period_h: int
) -> None:
    """`into_period_h`: how long ago the company began to state its feeds anew, as it does twice a day."""
    agent.clock.advance((into_period_h * HOUR - agent.clock.now().timestamp()) % (12 * HOUR))
    truly(agent, company)
    agent.clock.jump(-days * DAY)
    company.publish("c-two")
    agent.runtime.sync_once()
    agent.clock.jump(days * DAY)
    for _ in range(14 * 4):
        polls(agent, hours=6, every=6)
        assert codes(agent) == []
    assert agent.runtime.freshness().late_s == 0


@pytest.mark.parametrize("ahead", [timedelta(hours=20), timedelta(days=4), timedelta(days=3_650)])
def test_a_servers_clock_that_was_once_ahead_ends_no_statements(
    agent: Agent, server: LoopbackServer, company: Company, ahead: timedelta
) -> None:
    company.now = lambda: agent.clock.now() + ahead
    company.publish("c-two")
    agent.runtime.sync_once()
    agent.clock.advance(2 * HOUR)
    company.now = agent.clock.now
    company.publish("c-three")
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one", "c-three", "c-two"]
    (trouble,) = agent.runtime.status().troubles
    assert trouble.code == "ClockDiffers"
    polls(agent, hours=8 * 24, every=12)
    assert codes(agent) == []
    frozen(server, company, Reply(304))
    polls(agent, hours=48, every=24)
    assert codes(agent) == ["NotConfirmed"]


def test_a_statement_of_the_past_is_no_way_round_what_was_seen(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    """A late clock and a former statement of just that time, from whoever kept it: nothing older comes back."""
    content = running("Oops")
    company.publish("c-oops", content)
    agent.runtime.sync_once()
    former = json_reply(feed(company))
    truly(agent, company)
    agent.clock.advance(5 * DAY)
    agent.clock.jump(-5 * DAY)
    company.publish("c-oops", recalled(content))
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one"]
    frozen(server, company, former)
    with pytest.raises(errors.FeedRefused):
        agent.runtime.sync_once()
    assert inbox(agent) == ["c-one"]


def test_an_older_statement_that_is_not_of_now_is_refused_whatever_came_before(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    former = json_reply(feed(company))
    agent.clock.advance(5 * HOUR)
    company.now = lambda: agent.clock.now() + timedelta(days=10)
    company.publish("c-two")
    agent.runtime.sync_once()
    frozen(server, company, former)
    with pytest.raises(errors.FeedRefused):
        agent.runtime.sync_once()


CLOCKS = {
    "right": 0,
    "an hour behind": -HOUR,
    "an hour ahead": HOUR,
    "a month behind": -30 * DAY,
    "a month ahead": 30 * DAY,
    "ten years ahead": 3_652 * DAY,
}
DATES = ("of now", "of the first answer", "none")


def _answer(company: Company, what: str, first: Reply, date: str) -> Reply:
    """A 304, the first list once more, or a list signed now; each with this ``Date``."""
    fresh = company._feed(Request("GET", "/api/v1/feed", (("Tidings-Feed", "signed"),), b""))
    reply = {"304": Reply(304, b"", first.headers), "old": first, "new": fresh}[what]
    dated = {"of now": fresh.headers["Date"], "of the first answer": first.headers["Date"]}
    headers = {name: value for name, value in reply.headers.items() if name != "Date"}
    return Reply(reply.status, reply.body, headers | ({"Date": dated[date]} if date in dated else {}))


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("what", ["304", "old", "new"])
@pytest.mark.parametrize("clock", CLOCKS)
def test_what_counts_as_a_check(
    agent: Agent, server: LoopbackServer, company: Company, clock: str, what: str, date: str
) -> None:
    """A list signed now counts. Another answer only while the last list is not over, by a clock that is not in doubt."""
    first = company._feed(Request("GET", "/api/v1/feed", (("Tidings-Feed", "signed"),), b""))
    off = timedelta(seconds=CLOCKS[clock])
    company.now = lambda: agent.clock.now() - off
    agent.clock.jump(CLOCKS[clock])
    age_h = 0
    for until_h in (1, 40, 51):
        agent.clock.advance((until_h - age_h) * HOUR)
        age_h, before = until_h, agent.runtime.status().last_check
        frozen(server, company, _answer(company, what, first, date))
        with suppress(errors.FeedRefused, errors.ClockDiffers):
            agent.runtime.sync_once()
        seems_valid, is_right = CLOCKS[clock] <= HOUR, abs(CLOCKS[clock]) <= HOUR
        counts = seems_valid if what == "new" else is_right and age_h < 48
        after = agent.runtime.status().last_check
        assert (after == agent.clock.now()) is counts, f"after {age_h} h"
        assert counts or after == before


def test_no_repetition_of_any_answers_keeps_the_last_check_fresh_for_more_than_two_days(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    """Whoever has the line repeats what they recorded, in any order, and dates it as they like."""
    first = company._feed(Request("GET", "/api/v1/feed", (("Tidings-Feed", "signed"),), b""))
    begun = agent.clock.now()
    for hour in range(1, 24 * 7):
        agent.clock.advance(HOUR)
        frozen(server, company, _answer(company, ("304", "old")[hour % 2], first, DATES[hour % 3]))
        with suppress(errors.FeedRefused, errors.ClockDiffers):
            agent.runtime.sync_once()
        last = agent.runtime.status().last_check
        assert last is not None
        assert last - begun < timedelta(hours=48)
    assert "NotConfirmed" in codes(agent)
