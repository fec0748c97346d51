"""“I have read this” against an agent's troubles: no network, lost answers, refusals, disconnecting, taking back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from agent.domain.my_data_models import ACKNOWLEDGEMENT, SentItem, SentStatus
from tests.support.agent.company_in_memory import Company, recalled, running
from tests.support.agent.parts import Agent, all_off, all_on, an_agent
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request, json_reply, problem
from tests.support.agent.watching import CODE, RETRIES, asked
from tests.support.waiting import until

ASKING = running("Safety rules", acknowledge=True)


@pytest.fixture
def company() -> Company:
    """With one campaign that asks, and one that does not."""
    made = Company()
    made.publish("c-rules", ASKING)
    made.publish("c-news")
    return made


@pytest.fixture
def quiet_agent(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    """Connected; it sends when it is told to."""
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        yield agent


def failing(company: Company, ending: str, reply: Reply) -> Callable[[Request], Reply]:
    """The company's server, but for requests whose path ends so."""
    return lambda request: reply if request.path.endswith(ending) else company(request)


def confirmations(agent: Agent) -> list[SentItem]:
    """What "What was sent about me" says of them."""
    return [item for item in agent.runtime.my_data.sent() if item.kind == ACKNOWLEDGEMENT]


def is_confirmed(agent: Agent) -> bool:
    (item,) = (each for each in agent.runtime.inbox() if each.campaign.campaign_id == "c-rules")
    return item.state.acknowledged is not None


def troubles(agent: Agent) -> list[str]:
    return [trouble.message for trouble in agent.runtime.status().troubles]


@pytest.mark.usefixtures("impatient")
@pytest.mark.expected_logs(RETRIES)
def test_while_the_server_cannot_be_reached_it_waits_and_is_delivered_then(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.sync_once()
    server.answer = lambda _: problem(500, "server-error")
    agent.runtime.interactions.acknowledge("c-rules")
    until(lambda: asked(server, "acknowledgements"), "a first try")
    assert (is_confirmed(agent), agent.runtime.status().waiting) == (True, 1)
    server.answer = company
    until(lambda: agent.runtime.status().waiting == 0, "the answer")
    assert list(company.acknowledged) == ["c-rules"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.expected_logs(RETRIES)
def test_an_answer_that_is_lost_leads_to_the_very_same_message_again(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.sync_once()

    def lost_at_first(request: Request) -> Reply:
        """That of the confirmation, whatever else the agent asks meanwhile."""
        reply = company(request)
        is_first = request.path.endswith("acknowledgements") and len(asked(server, "acknowledgements")) == 1
        return Reply(LOST) if is_first else reply

    server.answer = lost_at_first
    agent.runtime.interactions.acknowledge("c-rules")
    until(lambda: agent.runtime.status().waiting == 0, "the answer")
    bodies = {request.body for request in asked(server, "acknowledgements")}
    assert len(bodies) == 1
    assert len(asked(server, "acknowledgements")) > 1
    assert [item.status for item in confirmations(agent)] == [SentStatus.STORED]


def test_confirmed_twice_it_is_one(quiet_agent: Agent, server: LoopbackServer) -> None:
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    quiet_agent.runtime.sync_once()
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    quiet_agent.runtime.sync_once()
    assert len(asked(server, "acknowledgements")) == 1


@pytest.mark.parametrize("campaign_id", ["c-news", "c-unknown"])
def test_only_what_asks_can_be_confirmed(quiet_agent: Agent, campaign_id: str) -> None:
    with pytest.raises(errors.InvalidInput, match="no longer asks"):
        quiet_agent.runtime.interactions.acknowledge(campaign_id)
    assert quiet_agent.runtime.status().waiting == 0


def test_what_was_confirmed_before_a_recall_is_delivered_and_after_it_no_more_can_be(
    quiet_agent: Agent, company: Company
) -> None:
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    company.publish("c-rules", recalled(ASKING))
    quiet_agent.runtime.sync_once()
    assert list(company.acknowledged) == ["c-rules"]
    with pytest.raises(errors.InvalidInput):
        quiet_agent.runtime.interactions.acknowledge("c-rules")


@pytest.mark.expected_logs("refused an acknowledgement for good")
def test_a_refusal_is_told_in_a_sentence_and_the_announcement_asks_again(
    quiet_agent: Agent, company: Company
) -> None:
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    document = company.documents.pop("c-rules")
    quiet_agent.runtime.sync_once()
    (told,) = troubles(quiet_agent)
    assert "This campaign does not ask for it." in told
    assert [(item.status, item.reason) for item in confirmations(quiet_agent)] == [
        (SentStatus.REFUSED, "This campaign does not ask for it.")
    ]
    assert (is_confirmed(quiet_agent), quiet_agent.runtime.status().waiting) == (False, 0)
    company.documents["c-rules"] = document
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    assert troubles(quiet_agent) == []
    quiet_agent.runtime.sync_once()
    assert is_confirmed(quiet_agent)
    assert [item.status for item in confirmations(quiet_agent)] == [SentStatus.STORED, SentStatus.REFUSED]


@pytest.mark.expected_logs("refused an acknowledgement for good")
def test_what_a_server_says_of_a_refusal_stays_on_its_line(
    quiet_agent: Agent, company: Company, server: LoopbackServer
) -> None:
    def hostile(request: Request) -> Reply:
        if not request.path.endswith("acknowledgements"):
            return company(request)
        reason = "\x1b]0;owned\x07\x1b[2JTidings: your choice ended\nSeen: on\u202e"
        event_id = json.loads(request.body)["event_id"]
        return json_reply({"event_id": event_id, "status": "refused", "reason": reason})

    server.answer = hostile
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    quiet_agent.runtime.sync_once()
    (told,) = troubles(quiet_agent)
    (item,) = confirmations(quiet_agent)
    assert all(text.isprintable() for text in (told, item.reason))


@pytest.mark.expected_logs("refused an acknowledgement for good")
def test_what_was_said_of_a_refusal_goes_with_the_company_that_refused(
    quiet_agent: Agent, company: Company
) -> None:
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    del company.documents["c-rules"]
    quiet_agent.runtime.sync_once()
    quiet_agent.runtime.disconnect()
    assert troubles(quiet_agent) == []


@pytest.mark.expected_logs("refused an acknowledgement for good")
def test_what_the_server_does_not_understand_is_not_sent_for_ever(
    quiet_agent: Agent, company: Company, server: LoopbackServer
) -> None:
    server.answer = failing(company, "acknowledgements", problem(422, "invalid-request"))
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    quiet_agent.runtime.sync_once()
    assert quiet_agent.runtime.status().waiting == 0
    assert [item.status for item in confirmations(quiet_agent)] == [SentStatus.REFUSED]


def test_an_answer_for_another_confirmation_settles_nothing(
    quiet_agent: Agent, company: Company, server: LoopbackServer
) -> None:
    quiet_agent.runtime.interactions.acknowledge("c-rules")
    another = {"event_id": "1" * 8 + "-0000-4000-8000-" + "0" * 12, "status": "stored", "reason": ""}
    server.answer = failing(company, "acknowledgements", json_reply(another))
    with pytest.raises(errors.NotOurServer):
        quiet_agent.runtime.sync_once()
    assert quiet_agent.runtime.status().waiting == 1


class TestNoSignal:
    @pytest.mark.parametrize("state", ["not asked", "deferred", "refused", "given", "withdrawn"])
    def test_it_needs_no_consent_and_follows_from_none(
        self, quiet_agent: Agent, company: Company, server: LoopbackServer, state: str
    ) -> None:
        runtime = quiet_agent.runtime
        if state == "deferred":
            runtime.defer_choice()
        elif state == "refused":
            runtime.choose(all_off())
        elif state != "not asked":
            runtime.choose(all_on())
        if state == "withdrawn":
            runtime.sync_once()
            runtime.choose(all_off())
        runtime.interactions.acknowledge("c-rules")
        runtime.sync_once()
        (request,) = asked(server, "acknowledgements")
        assert json.loads(request.body) == company.acknowledged["c-rules"]
        assert set(company.acknowledged["c-rules"]) == {"event_id", "campaign_id", "time"}
        assert company.events == {}, "confirming makes none of the three signals"

    def test_nothing_but_the_act_itself_sends_it(self, quiet_agent: Agent, server: LoopbackServer) -> None:
        quiet_agent.runtime.choose(all_on())
        for act in InteractionKind:
            quiet_agent.runtime.interactions.record(Interaction("c-rules", act, "l1"))
        quiet_agent.runtime.interactions.mark_read(["c-rules"], True)
        quiet_agent.runtime.sync_once()
        assert asked(server, "acknowledgements") == []

    def test_it_is_shown_byte_for_byte_before_and_after_it_leaves_and_held_and_copied(
        self, quiet_agent: Agent, server: LoopbackServer
    ) -> None:
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        (before,) = confirmations(quiet_agent)
        assert (before.status, before.sent_at) == (SentStatus.WAITING, None)
        quiet_agent.runtime.sync_once()
        (request,) = asked(server, "acknowledgements")
        (after,) = confirmations(quiet_agent)
        assert before.body == after.body == request.body
        assert (after.campaign_id, after.title) == ("c-rules", "Safety rules")
        my_data = quiet_agent.runtime.my_data
        assert (my_data.verify().agreed, my_data.verify().differences) == (1, ())
        copy = my_data.copy()
        said = json.loads(copy.json)
        assert said["company"]["acknowledgements"] == [json.loads(request.body)]
        listed = [each for each in said["computer"]["messages"] if each["path"].endswith("acknowledgements")]
        assert [each["body"].encode() for each in listed] == [request.body]
        assert request.body.decode() in copy.html.replace("&#34;", '"').replace("&quot;", '"')

    @pytest.mark.parametrize("sent_before", [False, True])
    def test_delete_all_i_shared_is_about_the_three_signals(
        self, quiet_agent: Agent, company: Company, sent_before: bool
    ) -> None:
        quiet_agent.runtime.choose(all_on())
        quiet_agent.runtime.interactions.record(Interaction("c-news", InteractionKind.CLICKED, "l1"))
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        if sent_before:
            quiet_agent.runtime.sync_once()
        quiet_agent.runtime.delete_all_shared()
        quiet_agent.runtime.sync_once()
        assert (list(company.acknowledged), company.events) == (["c-rules"], {})
        assert [item.status for item in confirmations(quiet_agent)] == [SentStatus.STORED]

    @pytest.mark.parametrize("status", [500, 404])
    def test_a_server_that_cannot_take_it_keeps_no_withdrawal_and_no_signal_back(
        self, quiet_agent: Agent, company: Company, server: LoopbackServer, status: int
    ) -> None:
        quiet_agent.runtime.choose(all_on())
        quiet_agent.runtime.sync_once()
        server.answer = failing(company, "acknowledgements", problem(status, "server-error"))
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        quiet_agent.runtime.choose({FeedbackSignal.CLICK: False})
        quiet_agent.runtime.interactions.record(Interaction("c-news", InteractionKind.LIKED))
        with pytest.raises((errors.ServerFault, errors.Refused)):
            quiet_agent.runtime.sync_once()
        assert [each["signal"] for each in company.withdrawals] == ["click"]
        assert len(company.counted("like")) == 1
        assert quiet_agent.runtime.status().waiting == 1

    def test_a_server_that_takes_no_signal_takes_it_all_the_same(
        self, quiet_agent: Agent, company: Company, server: LoopbackServer
    ) -> None:
        quiet_agent.runtime.choose(all_on())
        quiet_agent.runtime.sync_once()
        server.answer = failing(company, "signals", problem(500, "server-error"))
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        quiet_agent.runtime.interactions.record(Interaction("c-news", InteractionKind.LIKED))
        with pytest.raises(errors.ServerFault):
            quiet_agent.runtime.sync_once()
        assert list(company.acknowledged) == ["c-rules"]


class TestLeaving:
    def test_disconnecting_delivers_what_waits_before_the_token_is_revoked(
        self, quiet_agent: Agent, company: Company
    ) -> None:
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        quiet_agent.runtime.disconnect()
        assert (list(company.acknowledged), company.token) == (["c-rules"], "")
        assert confirmations(quiet_agent) == []

    @pytest.mark.expected_logs("was not told")
    def test_disconnecting_without_a_network_deletes_it_and_it_does_not_come_back(
        self, quiet_agent: Agent, company: Company, server: LoopbackServer
    ) -> None:
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        server.answer = lambda _: problem(500, "server-error")
        quiet_agent.runtime.disconnect()
        assert quiet_agent.runtime.status().waiting == 0
        server.answer = company
        company.codes.add("KX7P9QMD2HTV")
        quiet_agent.runtime.enrol(server.url, CODE)
        quiet_agent.runtime.sync_once()
        assert company.acknowledged == {}
        assert not is_confirmed(quiet_agent), "the announcement asks again"

    @pytest.mark.expected_logs("was not told")
    def test_a_server_that_cannot_take_it_hears_of_the_withdrawal_and_revokes_the_token(
        self, quiet_agent: Agent, company: Company, server: LoopbackServer
    ) -> None:
        quiet_agent.runtime.choose(all_on())
        quiet_agent.runtime.sync_once()
        quiet_agent.runtime.choose(all_off())
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        server.answer = failing(company, "acknowledgements", problem(500, "server-error"))
        quiet_agent.runtime.disconnect()
        assert set(company.consents.values()) == {"withdrawn"}
        assert company.token == ""

    @pytest.mark.parametrize("same_person", [True, False])
    def test_a_computer_that_must_be_connected_again_keeps_it_for_the_same_person_only(
        self, quiet_agent: Agent, company: Company, server: LoopbackServer, same_person: bool
    ) -> None:
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        company.token = "tdt_" + "b" * 40
        company.codes.add("KX7P9QMD2HTV")
        if not same_person:
            company.person = {"email": "grace@northwind.example", "first_name": "Grace"}
        quiet_agent.runtime.enrol(server.url, CODE)
        quiet_agent.runtime.sync_once()
        assert list(company.acknowledged) == (["c-rules"] if same_person else [])
        assert is_confirmed(quiet_agent) is same_person

    def test_connected_anew_it_is_asked_again_and_the_server_keeps_the_first(
        self, quiet_agent: Agent, company: Company, server: LoopbackServer
    ) -> None:
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        quiet_agent.runtime.sync_once()
        first = company.acknowledged["c-rules"]
        quiet_agent.runtime.disconnect()
        company.token = "tdt_" + "b" * 40
        company.codes.add("KX7P9QMD2HTV")
        quiet_agent.runtime.enrol(server.url, CODE)
        quiet_agent.runtime.sync_once()
        assert not is_confirmed(quiet_agent)
        quiet_agent.runtime.interactions.acknowledge("c-rules")
        quiet_agent.runtime.sync_once()
        assert company.acknowledged["c-rules"] == first
        assert [item.status for item in confirmations(quiet_agent)] == [SentStatus.STORED]
        assert quiet_agent.runtime.my_data.verify().differences == ()


def test_one_that_the_server_cannot_take_holds_back_no_other(
    quiet_agent: Agent, company: Company, server: LoopbackServer
) -> None:
    company.publish("c-more", running("More rules", acknowledge=True))
    quiet_agent.runtime.sync_once()
    for campaign_id in ("c-rules", "c-more"):
        quiet_agent.runtime.interactions.acknowledge(campaign_id)
    server.answer = lambda request: (
        problem(500, "server-error") if b"c-rules" in request.body else company(request)
    )
    with pytest.raises(errors.ServerFault):
        quiet_agent.runtime.sync_once()
    assert (list(company.acknowledged), quiet_agent.runtime.status().waiting) == (["c-more"], 1)
