"""P10: what company and device policy say can only restrict what the person chose."""

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.consent.gate import ConsentGate
from agent.consent.record_file import ConsentFile
from agent.consent.rules import Consent
from agent.domain.model import ConsentState, FeedbackSignal
from agent.settings import device_policy
from tests.support.agent.parts import SettableClock, a_company, notice
from tests.support.proofs import Proof

VERSION = 3
SUBSETS = [frozenset(s) for n in range(4) for s in itertools.combinations(FeedbackSignal, n)]


def policy_text(signals: frozenset[FeedbackSignal]) -> str:
    lines = [f"{signal} = {str(signal in signals).lower()}" for signal in FeedbackSignal]
    return "\n".join(
        [
            "# Northwind",
            "[signals]",
            *lines,
            "[preferences]",
            "sound = false",
            "[server]",
            'url = "https://n.example"',
        ]
    )


@contextmanager
def a_gate(
    states: dict[FeedbackSignal, ConsentState],
    *,
    given_for: int,
    company: frozenset[FeedbackSignal],
    device: frozenset[FeedbackSignal],
) -> Iterator[ConsentGate]:
    """A real gate over a real record and a real policy file, for a company whose notice has ``VERSION``."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        record = ConsentFile(folder / "consent.record")
        record.prepare()
        record.read()
        for signal, state in states.items():
            receipt = "11111111-1111-4111-8111-111111111111" if state is ConsentState.GIVEN else ""
            record.write(Consent(signal, state, receipt, given_for, datetime.now(UTC), "en"))
        file = folder / "policy.toml"
        file.write_text(policy_text(device), encoding="utf-8")
        gate = ConsentGate(record, SettableClock(), device_policy.read(file).signals)
        gate.use_company(a_company(signals=company, notice=notice(VERSION)))
        yield gate


def shared(gate: ConsentGate) -> frozenset[FeedbackSignal]:
    """What may be made and sent, which the switches must say too."""
    allowed = frozenset(signal for signal in FeedbackSignal if gate.receipt(signal) is not None)
    assert allowed == frozenset(choice.signal for choice in gate.choices() if choice.on)
    return allowed


@pytest.mark.proves("P10")
def test_every_combination_of_company_device_choice_and_notice_shares_what_all_of_them_allow(
    proof: Proof,
) -> None:
    cases = list(itertools.product(SUBSETS, SUBSETS, ConsentState, (VERSION - 1, VERSION, VERSION + 1)))
    chosen = cases if proof.is_full else cases[:: max(1, len(cases) // proof.trials(len(cases), 120))]
    widened = 0
    for company, device, state, given_for in chosen:
        states = dict.fromkeys(FeedbackSignal, state)
        valid = state is ConsentState.GIVEN and given_for == VERSION
        with a_gate(states, given_for=given_for, company=company, device=device) as gate:
            widened += shared(gate) != (company & device if valid else frozenset())
    proof.found(
        "combinations of company, device, choice and notice that shared more or less", widened, len(chosen)
    )
    assert widened == 0


@pytest.mark.proves("P10")
def test_what_is_shared_is_never_more_than_any_of_the_three_says(proof: Proof) -> None:
    count = proof.trials(full=1_000, few=20)
    tried = []

    @settings(max_examples=count, deadline=None)
    @given(
        states=st.fixed_dictionaries({signal: st.sampled_from(ConsentState) for signal in FeedbackSignal}),
        company=st.sampled_from(SUBSETS),
        device=st.sampled_from(SUBSETS),
        later=st.sampled_from(SUBSETS),
    )
    def try_one(
        states: dict[FeedbackSignal, ConsentState],
        company: frozenset[FeedbackSignal],
        device: frozenset[FeedbackSignal],
        later: frozenset[FeedbackSignal],
    ) -> None:
        given_by_person = frozenset(s for s, state in states.items() if state is ConsentState.GIVEN)
        with a_gate(states, given_for=VERSION, company=company, device=device) as gate:
            assert shared(gate) == given_by_person & company & device
            gate.use_device(later)
            assert shared(gate) == given_by_person & company & later
            gate.use_company(a_company(signals=company, notice=notice(VERSION + 1)))
            gate.use_device(frozenset(FeedbackSignal))
            assert shared(gate) == frozenset()
        tried.append(1)

    try_one()
    proof.found("policies that widened what the person chose", 0, len(tried))


@pytest.mark.proves("P10")
def test_a_damaged_policy_file_leaves_no_more_than_the_whole_one(proof: Proof, tmp_path: Path) -> None:
    chance = random.Random(10)
    count = proof.trials(full=20_000, few=300)
    widened, path = [], tmp_path / "policy.toml"
    for _ in range(count):
        signals = chance.choice(SUBSETS)
        content = damaged(policy_text(signals).encode(), chance)
        path.write_bytes(content)
        left = device_policy.read(path)
        assert left.fault is None or not left.signals
        if not left.signals <= signals:
            widened.append(content)
    proof.found("damaged policy files that left more signals to the person", len(widened), count)
    assert widened == []


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One fault of the kinds that disks, editors and hurried people make."""
    at, to = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    kind = chance.randrange(7)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + content[to:]
    if kind == 2:
        return content[:to] + content[at:]
    if kind == 3:
        return content[:at] + chance.randbytes(chance.randrange(1, 9)) + content[at:]
    if kind == 4:
        bit = 1 << chance.randrange(8)
        return content[:at] + bytes(byte ^ bit for byte in content[at : at + 1]) + content[at + 1 :]
    lines = content.split(b"\n")
    line = chance.randrange(len(lines))
    if kind == 5:
        lines[line] = b"#" + lines[line]
    else:
        lines.insert(line, lines[chance.randrange(len(lines))])
    return b"\n".join(lines)
