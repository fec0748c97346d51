"""Taking back: everything at once, on another computer, and against a server whose receipts prove nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from agent.consent import choice_errors
from agent.domain.model import Change, ConsentState, FeedbackSignal, Interaction, InteractionKind
from tests.contract.golden_documents import RECEIPT_CONTENT, RECEIPT_SIGNER, payload, signed
from tests.support.agent.company_in_memory import FAR, Company
from tests.support.agent.parts import Agent, MemoryKeychain, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer, Reply, Request, json_reply
from tests.support.agent.watching import CODE, asked


@contextmanager
def connected(server: LoopbackServer, company: Company, folder: Path) -> Iterator[Agent]:
    """One computer of the person, not started: it sends when it is told to."""
    company.codes.add(CODE.replace("-", ""))
    with an_agent(folder) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        yield agent


@pytest.fixture
def computer(server: LoopbackServer, company: Company, tmp_path: Path) -> Iterator[Agent]:
    with connected(server, company, tmp_path / "one") as agent:
        yield agent


def clicks(agent: Agent) -> None:
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))


def states(agent: Agent) -> set[ConsentState]:
    return {choice.state for choice in agent.runtime.choices()}


def test_delete_all_reaches_every_computer_and_forgets_here_what_was_sent(
    computer: Agent, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    computer.runtime.choose({FeedbackSignal.CLICK: True})
    clicks(computer)
    computer.runtime.sync_once()
    with connected(server, company, tmp_path / "two") as other:
        other.runtime.choose({FeedbackSignal.LIKE: True})
        other.runtime.interactions.record(Interaction("c-one", InteractionKind.LIKED))
        other.runtime.sync_once()
    assert {event["signal"] for event in company.events.values()} == {"click", "like"}
    needle = next(iter(company.events)).encode()
    computer.runtime.delete_all_shared()
    computer.runtime.sync_once()
    assert company.events == {}
    assert sorted(each["signal"] for each in company.withdrawals) == ["click", "like", "seen"]
    assert states(computer) == {ConsentState.WITHDRAWN}
    assert computer.runtime.messages.parts() == []
    assert [each.status for each in computer.runtime.messages.documents()].count("withdrawn") == 3
    for file in computer.folders.data.rglob("*"):
        assert not file.is_file() or needle not in file.read_bytes(), file


def test_a_home_that_is_put_back_sends_nothing_under_a_consent_that_ended(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with an_agent(tmp_path / "home", keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.choose({FeedbackSignal.CLICK: True})
        agent.runtime.sync_once()
    copytree(tmp_path / "home", tmp_path / "backup")
    with an_agent(tmp_path / "home", keychain) as agent:
        clicks(agent)
        agent.runtime.sync_once()
        assert [each.path[-8:] for each in server.requests[-2:]] == ["consents", "/signals"], (
            "asked, and told"
        )
        agent.runtime.choose({FeedbackSignal.CLICK: False})
        agent.runtime.sync_once()
    told = len(asked(server, "signals"))
    rmtree(tmp_path / "home")
    (tmp_path / "backup").rename(tmp_path / "home")
    with an_agent(tmp_path / "home", keychain) as agent:
        clicks(agent)
        assert agent.runtime.status().waiting == 1
        agent.runtime.sync_once()
        assert not [choice for choice in agent.runtime.choices() if choice.on]
        assert agent.runtime.status().waiting == 0
    assert len(asked(server, "signals")) == told


def test_a_server_that_is_put_back_hears_of_a_consent_again_at_the_next_start(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.choose({FeedbackSignal.CLICK: True})
        agent.runtime.sync_once()
    company.consents.clear()
    company.signals.clear()
    with an_agent(tmp_path, keychain) as agent:
        clicks(agent)
        agent.runtime.sync_once()
        assert [choice.signal for choice in agent.runtime.choices() if choice.on] == [FeedbackSignal.CLICK]
    assert len(company.events) == len(company.in_force()) == 1


def test_what_was_withdrawn_on_another_computer_is_off_here_too(
    computer: Agent, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    computer.runtime.choose(all_on())
    computer.runtime.sync_once()
    with connected(server, company, tmp_path / "two") as other:
        other.runtime.choose({FeedbackSignal.CLICK: True})
        other.runtime.sync_once()
        other.runtime.choose({FeedbackSignal.CLICK: False})
        other.runtime.sync_once()
    heard: list[Change] = []
    computer.runtime.subscribe(heard.append)
    clicks(computer)
    computer.runtime.sync_once()
    assert Change.CONSENT in heard
    assert not next(c for c in computer.runtime.choices() if c.signal is FeedbackSignal.CLICK).on
    clicks(computer)
    computer.runtime.sync_once()
    by_signal = {choice.signal: choice.state for choice in computer.runtime.choices()}
    assert by_signal[FeedbackSignal.CLICK] is ConsentState.WITHDRAWN
    assert by_signal[FeedbackSignal.SEEN] is ConsentState.GIVEN
    assert computer.runtime.status().waiting == 0, "nothing is owed: the server knows"
    assert not list(computer.folders.data.glob("outbox-*"))
    assert len(company.withdrawals) == 1


def test_a_signal_that_the_company_turned_off_meanwhile_was_not_withdrawn(
    computer: Agent, company: Company
) -> None:
    computer.runtime.choose({FeedbackSignal.CLICK: True})
    computer.runtime.sync_once()
    clicks(computer)
    consents, company.consents = company.consents, {}
    computer.runtime._background.send_once()
    assert not any(choice.on for choice in computer.runtime.choices())
    company.consents = consents
    company.sign_company(signals=["seen", "like"])
    computer.runtime.sync_once()
    click = next(c for c in computer.runtime.choices() if c.signal is FeedbackSignal.CLICK)
    assert (click.state, click.on, click.locked) == (ConsentState.GIVEN, False, True)


def test_a_consent_that_comes_after_a_later_withdrawal_elsewhere_is_off(
    computer: Agent, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    computer.runtime.choose({FeedbackSignal.CLICK: True})
    clicks(computer)
    with connected(server, company, tmp_path / "two") as other:
        other.clock.advance(60)
        other.runtime.choose({FeedbackSignal.CLICK: True})
        other.runtime.choose({FeedbackSignal.CLICK: False})
        other.runtime.sync_once()
    computer.runtime.sync_once()
    assert not any(choice.on for choice in computer.runtime.choices())
    assert company.events == {}
    (kept,) = computer.runtime.messages.documents()
    assert (kept.status, kept.genuine) == ("withdrawn", True)


def receipt(request: Request, **changes: object) -> str:
    """A receipt as the server signs it, but for some changes."""
    said = json.loads(request.body) | changes
    return str(
        signed("tidings-receipt", payload(said["receipt_id"], RECEIPT_CONTENT | said, 0, FAR), RECEIPT_SIGNER)
    )


BAD_RECEIPTS = {
    "its signature is wrong": lambda request: receipt(request)[:-8] + "AAAAAAAA",
    "another signal": lambda request: receipt(request, signal="like"),
    "another receipt": lambda request: receipt(request, receipt_id="6f1f0a52-6c1e-4a7b-9d3e-0c2b7a1d4e10"),
    "another status": lambda request: receipt(request, status="given"),
    "signed with the key for campaigns": lambda request: signed(
        "tidings-receipt",
        payload(json.loads(request.body)["receipt_id"], RECEIPT_CONTENT | json.loads(request.body), 0, FAR),
    ),
}


@pytest.mark.parametrize("fault", BAD_RECEIPTS)
def test_a_receipt_that_proves_nothing_acknowledges_nothing_and_is_told(
    computer: Agent, server: LoopbackServer, company: Company, fault: str
) -> None:
    computer.runtime.choose({FeedbackSignal.CLICK: True})
    computer.runtime.sync_once()
    computer.runtime.choose({FeedbackSignal.CLICK: False})

    def lies(request: Request) -> Reply:
        if request.path.endswith("consents"):
            return json_reply({"receipt": BAD_RECEIPTS[fault](request)})
        return company(request)

    server.answer = lies
    with pytest.raises(choice_errors.ReceiptRefused):
        computer.runtime.sync_once()
    assert computer.runtime.status().waiting == 1
    assert "ReceiptRefused" in {trouble.code for trouble in computer.runtime.status().troubles}
    assert [each.genuine for each in computer.runtime.messages.documents() if each.status == "withdrawn"] == [
        False
    ]
    server.answer = company
    computer.runtime.sync_once()
    assert computer.runtime.status().waiting == 0
    assert computer.runtime.status().troubles == ()
    assert [each.genuine for each in computer.runtime.messages.documents()] == [True, True]


def test_the_receipts_of_several_choices_are_checked_with_one_question(computer: Agent) -> None:
    computer.runtime.choose(all_on())
    before = len(computer.verifier.questions)
    computer.runtime.sync_once()
    asked = [question.type for question in computer.verifier.questions[before:]]
    assert asked.count("tidings-receipt") == 1
