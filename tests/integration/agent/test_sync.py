"""From the server to the store: what is signed, new and ours is stored, and nothing else changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.domain import errors
from agent.domain.model import ConnectionState, FeedbackSignal, HoldReason, PresenceState
from tests.contract.golden_documents import COMPANY_ID, RECEIPT_SIGNER, payload, signed
from tests.support.agent.company_in_memory import FAR, Company, instead, recalled, running
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import (
    LOST,
    LoopbackServer,
    Reply,
    Request,
    html,
    json_reply,
    loopback_server,
)

CODE = "KX7P-9QMD-2HTV"


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def server(company: Company) -> Iterator[LoopbackServer]:
    with loopback_server(company) as running_server:
        yield running_server


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    with an_agent(tmp_path) as opened:
        opened.runtime.enrol(server.url, CODE)
        yield opened


def inbox(agent: Agent) -> list[str]:
    return sorted(item.campaign.campaign_id for item in agent.runtime.inbox())


def shown(agent: Agent) -> list[str]:
    return [item.campaign.campaign_id for item in agent.runtime.select(PresenceState()).show]


def test_a_published_campaign_arrives_and_is_shown(agent: Agent, company: Company) -> None:
    company.publish("c-one")
    agent.runtime.sync_once()
    assert inbox(agent) == shown(agent) == ["c-one"]


def test_nothing_new_leaves_the_store_alone(agent: Agent, company: Company, server: LoopbackServer) -> None:
    company.publish("c-one")
    agent.runtime.sync_once()
    before = agent.runtime.inbox()
    asked = len(agent.verifier.questions)
    agent.clock.advance(60)
    agent.runtime.sync_once()
    assert server.requests[-1].header("If-None-Match")
    assert agent.runtime.inbox() == before
    assert len(agent.verifier.questions) == asked, "nothing needed to be verified"
    assert agent.runtime.status().last_check == agent.clock.now()


def test_only_what_is_new_is_verified(agent: Agent, company: Company) -> None:
    company.publish("c-one")
    agent.runtime.sync_once()
    new = company.publish("c-two")
    agent.runtime.sync_once()
    assert agent.verifier.questions[-1].documents == (new,)


def test_a_recalled_campaign_vanishes_from_inbox_and_screen(agent: Agent, company: Company) -> None:
    content = running("Oops")
    company.publish("c-oops", content)
    company.publish("c-good")
    agent.runtime.sync_once()
    company.publish("c-oops", recalled(content))
    agent.runtime.sync_once()
    assert inbox(agent) == shown(agent) == ["c-good"]
    assert agent.runtime.select(PresenceState()).held == {"c-oops": HoldReason.RECALLED}


def test_a_recalled_campaigns_text_leaves_the_disk(agent: Agent, company: Company) -> None:
    content = running("Needle in the haystack")
    company.publish("c-oops", content)
    agent.runtime.sync_once()
    company.publish("c-oops", recalled(content))
    agent.runtime.sync_once()
    agent.runtime.stop()
    files = [file for file in agent.folders.data.rglob("*") if file.is_file()]
    assert files
    assert not [file.name for file in files if b"Needle in the haystack" in file.read_bytes()]


def test_a_campaign_that_is_no_longer_named_stays_in_the_inbox_and_is_not_shown(
    agent: Agent, company: Company
) -> None:
    company.publish("c-one")
    agent.runtime.sync_once()
    document = company.documents.pop("c-one")
    agent.runtime.sync_once()
    assert (inbox(agent), shown(agent)) == (["c-one"], [])
    company.documents["c-one"] = document
    agent.runtime.sync_once()
    assert shown(agent) == ["c-one"]


def test_a_corrected_campaign_replaces_the_former_text(agent: Agent, company: Company) -> None:
    company.publish("c-one", running("Tuesday"))
    agent.runtime.sync_once()
    company.publish("c-one", running("Wednesday"))
    agent.runtime.sync_once()
    assert [item.campaign.variant("en").title for item in agent.runtime.inbox()] == ["Wednesday"]


def bad_documents() -> dict[str, Any]:
    good = payload("c-bad", running("Forged"), 99, FAR)
    content: dict[str, Any] = good["content"]
    return {
        "forged": signed("tidings-campaign", good)[:-10] + "AAAAAAAAAA",
        "of another company": signed("tidings-campaign", good | {"iss": "southwind"}),
        "expired": signed("tidings-campaign", good | {"exp": 1_700_000_000}),
        "a company document": signed("tidings-company", good),
        "a receipt": signed("tidings-receipt", good, RECEIPT_SIGNER),
        "signed by the receipt key": signed("tidings-campaign", good, RECEIPT_SIGNER),
        "with an unknown field": signed("tidings-campaign", good | {"content": content | {"html": "<b>"}}),
        "with a counter beyond all": signed("tidings-campaign", good | {"ctr": 2**63}),
        "with a bad id": signed("tidings-campaign", good | {"sub": "../c-bad"}),
        "huge": signed("tidings-campaign", good | {"iss": "x" * 300_000}),
    }


@pytest.mark.expected_logs("was refused")
@pytest.mark.parametrize("kind", [*bad_documents()])
def test_a_bad_document_is_not_stored_and_the_good_ones_beside_it_are(
    agent: Agent, company: Company, kind: str
) -> None:
    company.publish("c-first")
    company.documents["c-bad"] = bad_documents()[kind]
    company.publish("c-last")
    if kind == "huge":
        with pytest.raises(errors.NotOurServer):
            agent.runtime.sync_once()
        del company.documents["c-bad"]
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-first", "c-last"]
    if kind != "huge":
        assert [trouble.code for trouble in agent.runtime.status().troubles] == ["DocumentRefused"]


@pytest.mark.expected_logs("was refused")
def test_a_rolled_back_campaign_is_not_stored(agent: Agent, company: Company) -> None:
    old = company.publish("c-one", running("Old price"))
    agent.runtime.sync_once()
    company.publish("c-one", running("New price"))
    agent.runtime.sync_once()
    company.documents["c-one"] = old
    agent.runtime.sync_once()
    assert [item.campaign.variant("en").title for item in agent.runtime.inbox()] == ["New price"]


@pytest.mark.expected_logs("was refused")
def test_a_recall_cannot_be_taken_back_with_the_old_document(agent: Agent, company: Company) -> None:
    content = running("Oops")
    old = company.publish("c-one", content)
    agent.runtime.sync_once()
    company.publish("c-one", recalled(content))
    agent.runtime.sync_once()
    company.documents["c-one"] = old
    agent.runtime.sync_once()
    assert inbox(agent) == shown(agent) == []


@pytest.mark.expected_logs("company document was refused")
def test_an_older_company_document_opens_nothing_that_a_newer_one_closed(
    agent: Agent, company: Company
) -> None:
    agent.runtime.choose(dict.fromkeys(FeedbackSignal, True))
    old = company.company
    company.sign_company(signals=["click"])
    agent.runtime.sync_once()
    company.company = old
    agent.runtime.sync_once()
    assert [choice.signal for choice in agent.runtime.choices() if choice.on] == [FeedbackSignal.CLICK]


@pytest.mark.expected_logs("was refused")
def test_documents_that_a_wrong_clock_made_expire_arrive_once_it_is_right(
    agent: Agent, company: Company
) -> None:
    company.counter += 1
    soon = int(agent.clock.now().timestamp()) + 3600
    company.documents["c-one"] = signed(
        "tidings-campaign", payload("c-one", running("Hello"), company.counter, soon)
    )
    agent.clock.jump(10 * 86_400)
    agent.runtime.sync_once()
    assert inbox(agent) == []
    agent.clock.jump(-10 * 86_400)
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one"]


def test_an_entity_tag_that_cannot_be_sent_back_is_not_kept(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    def odd(request: Request) -> Reply:
        return json_reply(company.feed, headers={"ETag": '"a"\r\n folded'})

    server.answer = odd
    for _ in range(3):
        agent.runtime.sync_once()
    assert all(not request.header("If-None-Match") for request in server.requests)


@pytest.mark.parametrize(
    "reply",
    [html(), Reply(200, b"{", {"Content-Type": "application/json"}), Reply(LOST), Reply(500), json_reply([])],
    ids=["captive portal", "truncated", "lost", "500", "another shape"],
)
def test_a_bad_answer_changes_nothing(agent: Agent, company: Company, reply: Reply) -> None:
    company.publish("c-one")
    agent.runtime.sync_once()
    status, items = agent.runtime.status(), agent.runtime.inbox()
    company.publish("c-two")
    company.faults.append(lambda _request, _answer: reply)
    with pytest.raises(errors.EnvironmentFault):
        agent.runtime.sync_once()
    assert (agent.runtime.status(), agent.runtime.inbox()) == (status, items)
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one", "c-two"]


def test_nothing_new_is_believed_of_nobody_where_there_is_no_feed_yet(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    company.publish("c-one")
    server.answer = lambda _request: Reply(304)
    with pytest.raises(errors.NotOurServer):
        agent.runtime.sync_once()
    assert agent.runtime.status().last_check is None
    server.answer = company
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one"]


def test_a_poll_that_ends_after_its_person_left_stores_nothing(agent: Agent, company: Company) -> None:
    company.publish("c-one")

    def leave_first(_: Request, answer: Any) -> Reply:
        agent.runtime._connector._enrolments.forget()
        reply: Reply = answer()
        return reply

    company.faults.append(leave_first)
    with pytest.raises(errors.NotConnected):
        agent.runtime.sync_once()
    assert inbox(agent) == []


def test_an_unknown_person_gets_nothing_of_the_former_one(
    agent: Agent, company: Company, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.publish("c-one")
    agent.runtime.sync_once()
    agent.runtime.choose(dict.fromkeys(FeedbackSignal, True))
    agent.runtime.disconnect()
    assert agent.runtime.status().connection is ConnectionState.NOT_CONNECTED
    assert inbox(agent) == []
    company.token, company.codes = "tdt_" + "b" * 40, {"AAAABBBBCCCC"}
    agent.runtime.enrol(server.url, "aaaa-bbbb-cccc")
    assert not any(choice.on for choice in agent.runtime.choices())
    assert agent.runtime.status().choose_now


def test_the_company_id_and_keys_are_pinned(agent: Agent, company: Company) -> None:
    question = agent.verifier.questions[0]
    company.publish("c-one")
    agent.runtime.sync_once()
    assert agent.verifier.questions[-1].keys == question.keys
    assert agent.verifier.questions[-1].company_id == COMPANY_ID


def test_an_answer_that_is_nested_without_end_is_one_more_page_of_somebody_else(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    deep = b'{"type":"about:blank","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    for status, kind in ((404, "application/problem+json"), (200, "application/json")):
        company.faults.append(instead(Reply(status, deep, {"Content-Type": kind})))
        with pytest.raises(errors.NotOurServer):
            agent.runtime.sync_once()
