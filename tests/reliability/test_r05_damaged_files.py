"""R5: whatever stands in the files of the store, the agent goes on, and sends and shows nothing that was not written."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import PresenceState
from tests.support.agent.company_in_memory import Company
from tests.support.agent.on_trial import a_company, prepare, received, written
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.withdrawing import AnyKeychain
from tests.support.proofs import Proof

PAGE_BYTES = 4_096
ANY_DAMAGE = pytest.mark.expected_logs(
    "damaged",
    "set aside",
    "cannot be kept",
    "DiskFault",
    "StoreDamaged",
    "forgotten at the next start",
    "None of",
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A file with a fault of a kind that disks, crashes and other programs make."""
    bad = bytearray(content)
    pages = max(1, len(bad) // PAGE_BYTES)
    page = chance.randrange(pages) * PAGE_BYTES
    kind = chance.randrange(8)
    if kind == 0:
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        for _ in range(chance.choice((3, 50))):
            at = chance.randrange(len(bad))
            piece = chance.randbytes(chance.choice((1, 4, 200)))
            bad[at : at + len(piece)] = piece[: len(bad) - at]
    elif kind == 2:
        bad[page : page + PAGE_BYTES] = chance.randbytes(len(bad[page : page + PAGE_BYTES]))
    elif kind == 3:
        bad[page : page + PAGE_BYTES] = bytes(len(bad[page : page + PAGE_BYTES]))
    elif kind == 4:  # a page in another's place
        other = chance.randrange(pages) * PAGE_BYTES
        bad[page : page + PAGE_BYTES] = content[other : other + PAGE_BYTES]
    elif kind == 5:
        del bad[chance.randrange(len(bad)) :]
    elif kind == 6:  # what describes a page, and what its cells are
        at = page + chance.randrange(100)
        bad[at : at + 1] = chance.randbytes(1)
    else:
        at = chance.randrange(100)
        bad[at : at + 4] = chance.randbytes(4)
    return bytes(bad)


def use(agent: Agent) -> tuple[set[str], set[str]]:
    """All that windows and the network ask of a store. Returns what was shown as sent, and the titles shown."""
    runtime = agent.runtime
    bodies, titles = set[str](), set[str]()
    for step in (runtime.sync_once, runtime.sync_once):
        with suppress(errors.TidingsError):
            step()
        with suppress(errors.TidingsError):
            runtime.status()
            runtime.select(PresenceState())
            runtime.choices()
            runtime.preferences.own()
            runtime.my_data.receipts()
            titles |= {item.campaign.variant("en").title for item in runtime.inbox()}
            bodies |= {item.body.decode() for item in runtime.my_data.sent()}
    return bodies, titles


@ANY_DAMAGE
@pytest.mark.proves("R5")
def test_no_damage_ends_the_agent_or_makes_it_send_or_show_what_was_never_written(
    tmp_path: Path, proof: Proof
) -> None:
    trials, chance = proof.trials(10_000, 25), random.Random(5)
    company = a_company()
    crashes, wrong, shown, kept = list[str](), list[str](), list[str](), 0
    with loopback_server(company) as server:
        template, open_store = tmp_path / "template", tmp_path / "open"
        prepare(template, server)
        with an_agent(template, AnyKeychain()) as agent:
            agent.runtime.interactions.mark_read(["c-03"], True)
            shutil.copytree(template, open_store)  # with its write-ahead log
        right = written(template)
        titles = {f"Title of {name}" for name in company.documents} | {
            f"Rules of {name}" for name in company.documents
        }
        before = (dict(company.events), dict(company.acknowledged))
        for number in range(trials):
            folder = shutil.copytree(chance.choice((template, open_store)), tmp_path / str(number))
            company.events, company.acknowledged = dict(before[0]), dict(before[1])
            files = sorted(each for each in (folder / "data").iterdir() if "sqlite3" in each.name)
            for path in chance.sample(files, chance.choice((1, 1, 1, 2))):
                content = path.read_bytes()
                if content:
                    path.write_bytes(mutated(content, chance))
            try:
                found, seen = _tried(folder)
            except Exception as error:  # noqa: BLE001  what is counted
                crashes.append(f"trial {number}: {type(error).__name__}: {error}")
            else:
                shown += sorted(found - right) + sorted(seen - titles)
            wrong += sorted(received(company) - right)
            kept += len(company.events)
            shutil.rmtree(folder)
    proof.found("damaged stores that ended the agent with an error of no name", len(crashes), trials)
    proof.found("events and confirmations sent that were never made", len(wrong), trials)
    proof.found("lines and titles shown that were never sent or signed", len(shown), trials)
    proof.found(
        "of 54 events that waited, on average at the server all the same", round(kept / trials), trials
    )
    assert (crashes, wrong, shown) == ([], [], [])


def _tried(folder: Path) -> tuple[set[str], set[str]]:
    with (
        suppress(errors.StoreTooNew, errors.StoreDamaged, errors.DiskFault),
        an_agent(folder, AnyKeychain()) as agent,
    ):
        return use(agent)
    return set(), set()


def test_the_trials_company_has_what_waits(tmp_path: Path) -> None:
    """What is tried above makes sense only if all of it leaves when nothing is damaged."""
    company: Company = a_company()
    with loopback_server(company) as server:
        prepare(tmp_path, server)
        right = written(tmp_path)
        with an_agent(tmp_path, AnyKeychain()) as agent:
            use(agent)
        assert received(company) <= right
        assert len(received(company)) == 1 + 30 + 24 + 3
