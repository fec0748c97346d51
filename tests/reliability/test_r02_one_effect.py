"""R2: one effect for each event, where a proxy loses three of ten answers after the server acted on them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import Interaction, InteractionKind
from agent.runtime import Runtime
from server.acknowledgements.models import Acknowledgement
from server.devices.enrolment import invite
from server.directory.models import Person
from server.signals.models import Signal
from tests.support.agent.parts import all_on, an_agent
from tests.support.proofs import Proof
from tests.support.proxy import DropAnswer, FaultyProxy, faulty_proxy
from tests.support.server import bulk_data
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago

LINKS = ("l1", "l2", "l3", "l4")
CAMPAIGNS = 5
"""With more, a person would make more requests a minute than the server takes from one computer."""
LOST = 0.3
ATTEMPTS = 60
"""That none of so many passes has a chance of 1 in 10^30."""

Effects = Counter[tuple[str, str, str]]


@pytest.mark.proves("R2")
@pytest.mark.expected_logs("could not", "lost")
def test_each_event_counts_once_where_answers_are_lost(
    northwind: ServerHome, serving: RunningServer, proof: Proof, tmp_path: Path
) -> None:
    campaigns = [f"c-{number}" for number in range(CAMPAIGNS)]
    people = bulk_data.add_people(proof.trials(full=30, few=1))
    for name in campaigns:
        bulk_data.publish(name, starts=an_hour_ago(), links=LINKS, acknowledge=True)
    with faulty_proxy(serving.url) as proxy:
        for person in people:
            _act(proxy, person, campaigns, tmp_path / person.email)
        lost = sum(each.status == 0 for each in proxy.exchanges)
    made = Counter({effect: len(people) for name in campaigns for effect in _effects_of(name)})
    found = _found()
    proof.found("events doubled", (found - made).total(), made.total())
    proof.found("events lost", (made - found).total(), made.total())
    proof.found("answers that were lost on the way", lost, len(proxy.exchanges))
    assert lost > len(campaigns) / 2
    assert found == made


def _act(proxy: FaultyProxy, person: Person, campaigns: list[str], folder: Path) -> None:
    """A person does everything once in each campaign; what they do is sent as they go, and again until it is answered."""
    with an_agent(folder) as agent:
        proxy.heal()
        agent.runtime.enrol(proxy.url, invite(person, timedelta(days=1)))
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        proxy.fail(DropAnswer(), share=LOST)
        for name in campaigns:
            agent.runtime.interactions.record(Interaction(name, InteractionKind.SEEN))
            agent.runtime.interactions.record(Interaction(name, InteractionKind.LIKED))
            _try(agent.runtime)
            for link in LINKS:
                agent.runtime.interactions.record(Interaction(name, InteractionKind.CLICKED, link))
            agent.runtime.interactions.acknowledge(name)
            _try(agent.runtime)
        attempts = count()
        while agent.runtime.status().waiting:
            assert next(attempts) < ATTEMPTS
            _try(agent.runtime)


def _try(runtime: Runtime) -> None:
    with suppress(errors.ServerUnreachable):
        runtime.sync_once()


def _effects_of(campaign_id: str) -> list[tuple[str, str, str]]:
    clicks = [(campaign_id, "click", link) for link in LINKS]
    return [
        (campaign_id, "seen", ""),
        (campaign_id, "like", ""),
        (campaign_id, "acknowledgement", ""),
        *clicks,
    ]


def _found() -> Effects:
    """What the server counts: each row once."""
    rows = Signal.objects.values_list("campaign__campaign_id", "signal", "link_id")
    confirmed = Acknowledgement.objects.values_list("campaign__campaign_id", flat=True)
    return Counter((name, signal, link or "") for name, signal, link in rows) + Counter(
        (name, "acknowledgement", "") for name in confirmed
    )
