"""P11: batches that were made before a withdrawal and come after it leave nothing behind."""

import random
from typing import Any

import pytest

from server.signals.models import Signal
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago, consent, event, give, send

pytestmark = pytest.mark.both_databases

SIGNALS = ("seen", "click", "like")
BATCHES_OF_ONE_COMPUTER = 100
"""A computer may ask so often; a withdrawal is of the person, so that any of their computers will do."""


@pytest.mark.proves("P11")
def test_old_batches_store_nothing(northwind: ServerHome, serving: RunningServer, proof: Proof) -> None:
    batches = proof.trials(full=5000, few=20)
    (person,) = bulk_data.add_people(1)
    bulk_data.publish("c-news", starts=an_hour_ago())
    chance = random.Random(11)
    first = bulk_data.connect(serving, person.email)
    receipts = {signal: give(first, signal) for signal in SIGNALS}
    old = [_event(chance, receipts) for _ in range(200)]
    assert set(send(first, *old[:100])) == {"stored", "duplicate"}
    for signal, receipt in receipts.items():
        assert first.post("/consents", consent(signal, "withdrawn", receipt_id=receipt)).status_code == 200
    statuses: set[str] = set()
    for start in range(0, batches, BATCHES_OF_ONE_COMPUTER):
        computer = _another_computer(serving, person)
        for _ in range(min(BATCHES_OF_ONE_COMPUTER, batches - start)):
            batch = [*chance.sample(old, chance.randrange(1, 10)), _event(chance, receipts)]
            statuses |= set(send(computer, *batch))
    stored = Signal.objects.count()
    proof.found("events stored out of old batches", stored, batches)
    assert statuses == {"dropped_consent"}
    assert stored == 0


def _event(chance: random.Random, receipts: dict[str, str]) -> dict[str, Any]:
    signal = chance.choice(SIGNALS)
    return event(signal, "c-news", receipts[signal])


def _another_computer(serving: RunningServer, person: Any) -> Computer:
    (token,) = bulk_data.add_computers([person])
    return Computer(serving.url, {"device_token": token})
