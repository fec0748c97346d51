"""P9: a consent record that is not, byte for byte, what was written means off, and nothing is sent."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest

from agent.consent.record_file import SLOT_BYTES, ConsentFile
from agent.domain.model import ConsentState, FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import MemoryKeychain, all_on, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE, asked
from tests.support.proofs import Proof


def mutated(good: bytes, chance: random.Random) -> bytes:
    """The record with a fault of a kind that disks, people and other programs make."""
    bad, at = bytearray(good), chance.randrange(len(good))
    if chance.random() < 0.7:  # most of a slot is padding: aim at what counts
        at = at // SLOT_BYTES * SLOT_BYTES + chance.randrange(300)
    kind = chance.randrange(7)
    if kind == 0:
        bad[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        bad[at : at + 8] = chance.randbytes(len(bad[at : at + 8]))
    elif kind == 2:
        bad[at:] = b"\0" * (len(bad) - at)
    elif kind == 3:
        del bad[at:]
    elif kind == 4:
        del bad[at]
    elif kind == 5:
        bad[at:at] = chance.randbytes(chance.randrange(1, 9))
    else:  # one signal's slot in another's place
        source, target = chance.sample(range(3), 2)
        slot = bad[source * SLOT_BYTES : (source + 1) * SLOT_BYTES]
        bad[target * SLOT_BYTES : (target + 1) * SLOT_BYTES] = slot
    return bytes(bad)


@pytest.mark.proves("P9")
def test_a_record_that_was_changed_in_any_byte_is_never_given(
    tmp_path: Path, proof: Proof, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "agent.consent.record_file")
    trials, chance = proof.trials(10_000, 300), random.Random(9)
    with loopback_server(Company()) as server, an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.choose(all_on())
    path = tmp_path / "data" / "consent.record"
    good, given = path.read_bytes(), 0
    for _ in range(trials):
        bad = mutated(good, chance)
        path.write_bytes(bad)
        for index, (_signal, consent) in enumerate(ConsentFile(path).read().items()):
            slot = slice(index * SLOT_BYTES, (index + 1) * SLOT_BYTES)
            given += bad[slot] != good[slot] and consent.state is ConsentState.GIVEN
    proof.found("damaged records that were read as given", given, trials)
    assert given == 0


@pytest.mark.expected_logs("is damaged")
@pytest.mark.proves("P9")
def test_an_agent_with_a_damaged_record_sends_nothing(tmp_path: Path, proof: Proof) -> None:
    trials, chance = proof.trials(300, 3), random.Random(99)
    company, keychain = Company(), MemoryKeychain()
    company.publish("c-one")
    sent = 0
    with loopback_server(company) as server:
        with an_agent(tmp_path, keychain) as agent:
            agent.runtime.enrol(server.url, CODE)
            agent.runtime.choose(all_on())
            agent.runtime.sync_once()
        path = tmp_path / "data" / "consent.record"
        good = path.read_bytes()
        for _ in range(trials):
            path.write_bytes(b"".join(damaged_slot(good, index, chance) for index in range(3)))
            before = len(server.requests)
            with an_agent(tmp_path, keychain) as agent:
                for act in (InteractionKind.SEEN, InteractionKind.CLICKED, InteractionKind.LIKED):
                    agent.runtime.interactions.record(Interaction("c-one", act, "l1"))
                agent.runtime.sync_once()
                assert not any(choice.on for choice in agent.runtime.choices())
            sent += sum(not request.path.endswith("feed") for request in server.requests[before:])
        assert len(asked(server, "consents")) == len(FeedbackSignal), "they were given once"
    proof.found("requests other than polls of agents with a damaged record", sent, trials)
    assert sent == 0


def damaged_slot(good: bytes, index: int, chance: random.Random) -> bytes:
    slot = bytearray(good[index * SLOT_BYTES : (index + 1) * SLOT_BYTES])
    slot[chance.randrange(SLOT_BYTES)] ^= 1 << chance.randrange(8)
    return bytes(slot)
