"""S2: a server in an attacker's hands, with all that it ever answered and without the company's keys.

The honest answers are the real server's, recorded at four moments of a company's life for two people. The attacker then
answers for four days as it likes: replays, mixes, other people's feeds, forged signatures, "nothing new" for ever. The
computer's clock is right, or late by hours or days.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from agent.domain import errors
from tests.support.agent.parts import Agent, SettableClock, an_agent
from tests.support.agent.scripted_server import LoopbackServer, Reply, Request, json_reply, loopback_server
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
CODE = "KX7P-9QMD-2HTV"
LATE = (timedelta(), timedelta(), timedelta(hours=20), timedelta(days=3))
TELLS = {"NotConfirmed", "FeedRefused", "ClockDiffers", "NotOurServer"}
"""The last one at once: "nothing new" from a server that never said anything is no answer of ours."""
Feed = dict[str, Any]


@dataclass
class History:
    """What the honest server answered, in order, and what the victim was meant to see then."""

    enrolment: dict[str, Any]
    own: list[Feed] = field(default_factory=list)
    others: list[Feed] = field(default_factory=list)
    meant: list[set[str]] = field(default_factory=list)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    home = ServerHome(tmp_path_factory.mktemp("server"))
    home.init()
    with home.opened():
        return _recorded()


def _recorded() -> History:
    from django.test import Client

    from server.core import clock
    from server.devices.enrolment import invite

    victim, other = bulk_data.add_people(2)
    moment = START
    with clock.using(lambda: moment):
        enrolled = [
            Client().post(
                "/api/v1/enrolments",
                {"code": invite(person, timedelta(days=1)), "agent_version": "0.1.0", "platform": "linux"},
                content_type="application/json",
            )
            for person in (victim, other)
        ]
        made = History(enrolled[0].json())

        def record(*titles: str) -> None:
            for answer, feeds in zip(enrolled, (made.own, made.others), strict=True):
                token = answer.json()["device_token"]
                headers = {"Authorization": f"Bearer {token}", "Tidings-Feed": "signed"}
                feeds.append(Client().get("/api/v1/feed", headers=headers).json())
            made.meant.append(set(titles))

        own = bulk_data.publish("c-own", people=[victim], lasts=timedelta(days=60))
        bulk_data.publish("c-other", people=[other], lasts=timedelta(days=60))
        everyone = bulk_data.publish("c-all", lasts=timedelta(days=60))
        record("About c-own", "About c-all")
        moment += timedelta(hours=1)
        _edit(everyone, "Corrected")
        record("About c-own", "Corrected")
        moment += timedelta(hours=1)
        _recall(own)
        record("Corrected")
        moment += timedelta(hours=1)
        bulk_data.publish("c-new", lasts=timedelta(days=60))
        record("Corrected", "About c-new")
    return made


def _edit(campaign: Any, title: str) -> None:
    from server.signing.documents import sign_campaign

    campaign.content["variants"]["en"]["title"] = title
    signed = sign_campaign(campaign.company, campaign.campaign_id, campaign.content, campaign.ends)
    campaign.document, campaign.counter = signed.jws, signed.counter
    campaign.save()
    campaign.company.feeds_changed()


def _recall(campaign: Any) -> None:
    from server.publishing.recall import recall_row

    recall_row(campaign.company, campaign)
    campaign.company.feeds_changed()


class Attacker:
    """Answers as the hijacked server would. Each attack is one way to answer a poll."""

    def __init__(self, history: History, seed: int) -> None:
        self._random = random.Random(seed)
        self._history = history
        self._key = OKPKey.generate_key("Ed25519")
        self._constant = self._random.choice(history.own)
        self.attacks: list[Callable[[], Reply]] = [
            self._nothing_new,
            lambda: json_reply(self._constant),
            self._replay,
            self._another_persons,
            self._mixture,
            self._withheld,
            self._without_statement,
            self._forged,
            self._borrowed_statement,
        ]

    def answer(self, number: int | None) -> Reply:
        """By one attack, or by any; with a date of now, of long ago, or none."""
        attack = self._random.choice(self.attacks) if number is None else self.attacks[number]
        reply = attack()
        date = self._random.choice(["Tue, 24 Nov 2026 13:00:00 GMT", "", "nonsense"])
        return Reply(
            reply.status, reply.body, {**reply.headers, "Date": date, "Tidings-Poll-Interval": "86400"}
        )

    def _nothing_new(self) -> Reply:
        return Reply(304)

    def _any(self) -> Feed:
        return dict(self._random.choice(self._history.own + self._history.others))

    def _own(self) -> Feed:
        return dict(self._random.choice(self._history.own))

    def _replay(self) -> Reply:
        return json_reply(self._own())

    def _another_persons(self) -> Reply:
        return json_reply(self._random.choice(self._history.others) | {"person": self._own()["person"]})

    def _mixture(self) -> Reply:
        documents = self._any()["campaigns"] + self._any()["campaigns"]
        chosen = self._random.sample(documents, self._random.randint(0, len(documents)))
        return json_reply(self._own() | {"company": self._any()["company"], "campaigns": chosen})

    def _withheld(self) -> Reply:
        feed = self._own()
        return json_reply(feed | {"campaigns": feed["campaigns"][1:]})

    def _without_statement(self) -> Reply:
        feed = self._any()
        del feed["statement"]
        return json_reply(feed)

    def _borrowed_statement(self) -> Reply:
        return json_reply(self._own() | {"statement": self._any()["statement"]})

    def _forged(self) -> Reply:
        """Another text and a statement to match, under the company's key ids and the attacker's own signature."""
        feed = self._own()
        campaign, statement = feed["campaigns"][0], feed["statement"]
        text = _claims(campaign)
        text["ctr"] += 1
        text["content"]["sender"] = "Forged"
        for variant in text["content"]["variants"].values():
            variant["title"] = "Forged"
        said = _claims(statement)
        said["content"]["campaigns"][text["sub"]] = text["ctr"]
        said["iat"], said["exp"] = said["iat"] + 90 * 3600, said["exp"] + 90 * 3600
        return json_reply(
            feed
            | {
                "campaigns": [self._signed(campaign, text), *feed["campaigns"][1:]],
                "statement": self._random.choice([statement, self._signed(statement, said)]),
            }
        )

    def _signed(self, like: str, claims: dict[str, Any]) -> str:
        from joserfc import jws

        header = json.loads(_part(like, 0))
        return jws.serialize_compact(header, json.dumps(claims).encode(), self._key, algorithms=["Ed25519"])


def _part(document: str, number: int) -> bytes:
    import base64

    part = document.split(".")[number]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _claims(document: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(_part(document, 1))
    return claims


@dataclass
class Tried:
    """What came of one attack: states that no honest server meant, and whether it was noticed in time."""

    forged: int
    noticed: bool


def attack(history: History, folder: Path, seed: int, number: int | None) -> Tried:
    """Let an agent that has seen some of the honest answers meet the attacker for four days."""
    dice, attacker = random.Random(seed), Attacker(history, seed)
    reply = Reply(304)
    clock = SettableClock(START - dice.choice(LATE))

    def answer(request: Request) -> Reply:
        if request.path.endswith("/enrolments"):
            return json_reply(history.enrolment, 201)
        return reply

    with loopback_server(answer) as server, an_agent(folder, clock=clock) as agent:
        agent.runtime.enrol(server.url, CODE)
        state = dice.randint(0, 3)
        reply = json_reply(history.own[state])
        clock.advance(state * 3600)
        agent.runtime.sync_once()
        clock.advance((3 - state) * 3600)
        taken_over, forged, noticed = clock.now(), 0, False
        while clock.now() < taken_over + timedelta(hours=96):
            reply = attacker.answer(number)
            _poll(agent, server)
            found = _state(agent, history, state)
            forged += found is None
            state = state if found is None else found
            if clock.now() <= taken_over + timedelta(hours=48):
                noticed = bool(TELLS & {trouble.code for trouble in agent.runtime.status().troubles})
            clock.advance(min(dice.choice([600, 3600, 6 * 3600, 12 * 3600]), _to_the_end(clock, taken_over)))
        return Tried(forged, noticed)


def _to_the_end(clock: SettableClock, taken_over: datetime) -> float:
    """The agent polls at the latest when its statement expires: 48 hours after it was taken over at most."""
    left = (taken_over + timedelta(hours=48) - clock.now()).total_seconds()
    return left if left > 0 else 96 * 3600.0


def _poll(agent: Agent, server: LoopbackServer) -> None:
    try:
        agent.runtime._background.poll._run()
    except errors.TidingsError as error:  # the task itself tells every fault apart
        raise AssertionError(error) from error


def _state(agent: Agent, history: History, state: int) -> int | None:
    """Which honest state the inbox is in, the one before or a later one; None for any other."""
    titles = {item.campaign.variant("en").title for item in agent.runtime.inbox()}
    return next((number for number in range(state, 4) if history.meant[number] == titles), None)


@pytest.mark.expected_logs("was refused", "next try in")
@pytest.mark.proves("S2")
def test_nothing_is_shown_that_the_company_did_not_mean_and_a_freeze_is_noticed_in_48_hours(
    proof: Proof, history: History, tmp_path: Path
) -> None:
    trials = proof.trials(full=1_000, few=18)
    kinds: list[int | None] = [*range(len(Attacker(history, 0).attacks)), None, None, None]
    tried = [attack(history, tmp_path / str(seed), seed, kinds[seed % len(kinds)]) for seed in range(trials)]
    forged = sum(each.forged for each in tried)
    missed = [seed for seed, each in enumerate(tried) if not each.noticed]
    proof.found("inboxes that no honest server meant", forged, trials)
    proof.found("takeovers that were not told within 48 hours", len(missed), trials)
    assert (forged, missed) == (0, [])
