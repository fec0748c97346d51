"""P1: no signal leaves before the person gave it. Fresh profiles do everything; a proxy counts what passes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.domain.model import Interaction, InteractionKind
from agent.runtime import Runtime
from tests.support.agent.company_in_memory import Company, running
from tests.support.agent.parts import all_off, all_on, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.proofs import Proof
from tests.support.proxy import Exchange, FaultyProxy, faulty_proxy

CODE = "KX7P9QMD2HTV"
RECEIVING = ("GET /api/v1/feed", "GET /api/v1/media/")

BEFORE_GIVING: tuple[Callable[[Runtime], None], ...] = (
    lambda runtime: None,
    lambda runtime: runtime.defer_choice(),
    lambda runtime: runtime.choose(all_off()),
)
"""Not asked yet, put off, refused."""


def acts_on_everything(runtime: Runtime) -> None:
    """Whatever a person can do with every announcement, twice."""
    for item in runtime.inbox() * 2:
        for act in InteractionKind:
            runtime.interactions.record(Interaction(item.campaign.campaign_id, act, "l1"))
    runtime.interactions.mark_read([item.campaign.campaign_id for item in runtime.inbox()], True)


def bytes_of_others(proxy: FaultyProxy) -> int:
    """How many bytes of requests passed that neither ask for announcements nor connect the computer."""

    def size(exchange: Exchange) -> int:
        headers = sum(len(name) + len(value) + 4 for name, value in exchange.headers.items())
        return len(exchange.method) + len(exchange.path) + headers + len(exchange.body)

    return sum(
        size(exchange)
        for exchange in proxy.requests()
        if not f"{exchange.method} {exchange.path}".startswith(RECEIVING)
        and (exchange.method, exchange.path) != ("POST", "/api/v1/enrolments")
    ) + sum(len(exchange.body) for exchange in proxy.requests("^GET "))


@pytest.mark.proves("P1")
def test_no_byte_but_polls_leaves_a_fresh_profile_that_acts_on_everything(proof: Proof) -> None:
    profiles = proof.trials(full=1_000, few=12)
    company = Company()
    company.publish("c-one")
    company.publish("c-two", running("Rules that everybody is asked to confirm", acknowledge=True))
    company.publish("c-three", running("Over", starts="2026-01-01T00:00:00Z", ends="2026-01-02T00:00:00Z"))
    with loopback_server(company) as server, faulty_proxy(server.url) as proxy:
        for number in range(profiles):
            company.codes.add(CODE)
            with tempfile.TemporaryDirectory(prefix="tidings-") as folder, an_agent(Path(folder)) as agent:
                agent.runtime.enrol(proxy.url, CODE)
                agent.runtime.sync_once()
                BEFORE_GIVING[number % len(BEFORE_GIVING)](agent.runtime)
                acts_on_everything(agent.runtime)
                agent.runtime.sync_once()
                assert agent.runtime.status().waiting == 0
                assert not list(agent.folders.data.glob("outbox-*")), "nothing was made either"
        leaked = bytes_of_others(proxy)
        polls = len(proxy.requests("^GET /api/v1/feed"))
    proof.found("bytes that left before a consent, other than polls", leaked, profiles)
    assert polls >= 2 * profiles
    assert (leaked, company.events, company.consents, company.acknowledged) == (0, {}, {}, {})


@pytest.mark.proves("P1")
def test_who_confirms_by_name_and_shares_nothing_sends_that_one_message_and_no_more(proof: Proof) -> None:
    company, left = Company(), 0
    company.publish("c-rules", running("Rules", acknowledge=True))
    with loopback_server(company) as server, faulty_proxy(server.url) as proxy:
        for settle in BEFORE_GIVING:
            company.codes.add(CODE)
            company.acknowledged.clear()
            with tempfile.TemporaryDirectory(prefix="tidings-") as folder, an_agent(Path(folder)) as agent:
                agent.runtime.enrol(proxy.url, CODE)
                agent.runtime.sync_once()
                settle(agent.runtime)
                acts_on_everything(agent.runtime)
                agent.runtime.interactions.acknowledge("c-rules")
                agent.runtime.sync_once()
            (message,) = proxy.requests("^POST /api/v1/acknowledgements")[left:]
            left += 1
            assert set(json.loads(message.body)) == {"event_id", "campaign_id", "time"}
        others = len(proxy.requests("^POST /api/v1/(signals|consents)"))
    proof.found("signals and consents that left with a confirmation", others, left)
    assert (others, company.events, company.consents) == (0, {}, {})


@pytest.mark.proves("P1")
def test_the_proxy_would_have_seen_a_signal(proof: Proof) -> None:
    company = Company()
    company.publish("c-one")
    with (
        loopback_server(company) as server,
        faulty_proxy(server.url) as proxy,
        tempfile.TemporaryDirectory(prefix="tidings-") as folder,
        an_agent(Path(folder)) as agent,
    ):
        agent.runtime.enrol(proxy.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        acts_on_everything(agent.runtime)
        agent.runtime.sync_once()
        counted = bytes_of_others(proxy)
    assert counted > 0
    assert {event["signal"] for event in company.events.values()} == {"seen", "click", "like"}
