"""What a person sees of their own data, through the runtime: sent, held, compared, corrected, copied."""

from __future__ import annotations

import base64
import html
import json
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest

from agent.domain import errors
from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from agent.domain.my_data_models import SentItem, SentStatus
from agent.enrolment import token_rotation
from agent.privacy.my_data import MyData
from resources import i18n
from tests.support.agent.company_in_memory import Company, lost_answer, running
from tests.support.agent.parts import Agent, all_on
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request, json_reply, problem
from tests.support.agent.watching import RETRIES, asked
from tests.support.waiting import until

CLICK = Interaction("c-one", InteractionKind.CLICKED, "l1")
LIKE = Interaction("c-one", InteractionKind.LIKED)
SEEN = Interaction("c-one", InteractionKind.SEEN)


@pytest.fixture
def my_data(agent: Agent) -> MyData:
    return agent.runtime.my_data


def shares(agent: Agent, *interactions: Interaction) -> None:
    """Everything is on, and this was done and sent."""
    agent.runtime.choose(all_on())
    for each in interactions:
        agent.runtime.interactions.record(each)
    settles(agent)


def settles(agent: Agent) -> None:
    """All that waited was sent and answered."""
    until(lambda: agent.runtime.status().waiting == 0, "all to be sent")


def statuses(my_data: MyData) -> dict[str, SentStatus]:
    return {item.kind: item.status for item in my_data.sent()}


def of_kind(my_data: MyData, kind: str) -> list[SentItem]:
    return [item for item in my_data.sent() if item.kind == kind]


def test_every_message_is_a_line_with_the_bytes_that_left_and_what_the_server_said(
    agent: Agent, my_data: MyData, server: LoopbackServer
) -> None:
    shares(agent, SEEN, CLICK, LIKE)
    left = b"".join(request.body for request in server.requests if request.method == "POST")
    items = my_data.sent()
    assert sorted(item.kind for item in items) == [
        "click",
        "enrolment",
        "given",
        "given",
        "given",
        "like",
        "seen",
    ]
    for item in items:
        if item.kind == "enrolment":
            continue
        assert item.body in left
        assert item.status is SentStatus.STORED
        assert item.answer
    seen = of_kind(my_data, "seen")[0]
    assert (seen.signal, seen.campaign_id, seen.title) == ("seen", "c-one", "About c-one")
    assert json.loads(seen.answer or b"")["status"] == "stored"
    numbers = [item.number for item in items]
    assert numbers == sorted(set(numbers), reverse=True)


def test_what_was_shared_is_told_as_deleted_once_the_server_has_erased_it(
    agent: Agent, my_data: MyData
) -> None:
    shares(agent, CLICK, LIKE)
    agent.runtime.choose({FeedbackSignal.CLICK: False})
    settles(agent)
    assert statuses(my_data)["click"] is SentStatus.DELETED
    assert statuses(my_data)["withdrawn"] is SentStatus.ERASED
    assert statuses(my_data)["like"] is SentStatus.STORED
    agent.runtime.choose({FeedbackSignal.CLICK: True})
    agent.runtime.interactions.record(CLICK)
    settles(agent)
    assert [item.status for item in of_kind(my_data, "click")] == [SentStatus.STORED, SentStatus.DELETED]


@pytest.mark.expected_logs(RETRIES)
def test_nothing_is_told_as_deleted_that_no_right_receipt_proves(
    agent: Agent, my_data: MyData, company: Company, server: LoopbackServer
) -> None:
    shares(agent, SEEN)

    def forged(request: Request) -> Reply:
        answer = company(request)
        if not request.path.endswith("consents"):
            return answer
        head, body, _signature = json.loads(answer.body)["receipt"].split(".")
        return json_reply({"receipt": f"{head}.{body}.{'A' * 86}"})

    server.answer = forged
    agent.runtime.choose({FeedbackSignal.SEEN: False})
    until(lambda: "ReceiptRefused" in {each.code for each in agent.runtime.status().troubles}, "the refusal")
    assert statuses(my_data)["withdrawn"] is not SentStatus.ERASED
    assert statuses(my_data)["seen"] is not SentStatus.DELETED


ANOTHER = "8b3331d1-30a7-4145-a6c0-de7ffee4a5a4"
"""The receipt of a consent that this computer does not have."""


@pytest.mark.expected_logs(RETRIES)
@pytest.mark.parametrize(
    ("time", "answers"), [("2024-01-05T09:00:00Z", ""), ("2099-01-05T09:00:00Z", ANOTHER)]
)
def test_a_withdrawal_from_before_a_consent_or_of_another_one_ends_nothing(
    agent: Agent, my_data: MyData, company: Company, server: LoopbackServer, time: str, answers: str
) -> None:
    of_somebody = {"receipt_id": str(uuid4()), "status": "withdrawn", "time": time, "erased": 7}

    def replayed(request: Request) -> Reply:
        if not request.path.endswith("consents"):
            return company(request)
        return company._receipt(json.loads(request.body) | of_somebody, answers)

    server.answer = replayed
    agent.runtime.choose({FeedbackSignal.SEEN: True})
    until(lambda: "ReceiptRefused" in {each.code for each in agent.runtime.status().troubles}, "the refusal")
    assert [each.signal for each in agent.runtime.choices() if each.on] == [FeedbackSignal.SEEN]
    assert [each for each in my_data.receipts() if each.genuine] == []
    assert [item.erased for item in of_kind(my_data, "given")] == [0]


@pytest.mark.expected_logs(RETRIES)
def test_a_message_that_was_tried_again_is_one_line(
    agent: Agent, my_data: MyData, company: Company, impatient: None
) -> None:
    shares(agent)
    company.faults.extend([lost_answer, lost_answer])
    agent.runtime.interactions.record(CLICK)
    settles(agent)
    assert [item.status for item in of_kind(my_data, "click")] == [SentStatus.STORED]
    tried = [each for each in json.loads(my_data.sent_json())["messages"] if each["path"].endswith("signals")]
    assert len(tried) > 1, "each try is in the ledger"


@pytest.mark.expected_logs(RETRIES)
def test_how_this_computer_was_connected_is_listed_without_code_and_secret(
    agent: Agent, my_data: MyData, server: LoopbackServer
) -> None:
    agent.runtime._settings.set(token_rotation.DUE, "2020-01-01T00:00:00+00:00")
    agent.runtime.check_now()
    until(lambda: of_kind(my_data, "key"), "another key")
    (enrolment,), (key,) = asked(server, "enrolments"), asked(server, "device/token")
    assert [item.body for item in of_kind(my_data, "key")] == [key.body]
    (item,) = of_kind(my_data, "enrolment")
    told = json.loads(enrolment.body)
    assert json.loads(item.body) == told | {name: "*" * len(told[name]) for name in ("code", "retry_secret")}
    assert (item.status, item.answer, len(item.body)) == (SentStatus.STORED, b"", len(enrolment.body))


def test_what_waits_comes_first_and_was_not_sent_yet(
    agent: Agent, my_data: MyData, server: LoopbackServer
) -> None:
    shares(agent, LIKE)
    server.answer = lambda _: Reply(LOST)
    agent.runtime.choose({FeedbackSignal.LIKE: False})
    first = my_data.sent()[0]
    assert (first.kind, first.status, first.answer) == ("withdrawn", SentStatus.WAITING, None)


@pytest.mark.expected_logs("refused a click for good")
def test_a_refusal_is_shown_with_its_reason(agent: Agent, my_data: MyData, server: LoopbackServer) -> None:
    company = server.answer

    def refusing(request: Any) -> Reply:
        if not request.path.endswith("signals"):
            return company(request)
        (event,) = json.loads(request.body)["events"]
        result = {"event_id": event["event_id"], "status": "refused", "reason": "There is no such link."}
        return Reply(200, json.dumps({"results": [result]}).encode(), {"Content-Type": "application/json"})

    shares(agent)
    server.answer = refusing
    agent.runtime.interactions.record(CLICK)
    settles(agent)
    (item,) = of_kind(my_data, "click")
    assert (item.status, item.reason) == (SentStatus.REFUSED, "There is no such link.")


def test_verify_agrees_with_a_server_that_kept_what_was_sent(agent: Agent, my_data: MyData) -> None:
    shares(agent, SEEN, CLICK, LIKE)
    comparison = my_data.verify()
    assert (comparison.agreed, comparison.differences) == (3, ())


def test_verify_finds_what_was_changed_lost_invented_or_kept_after_a_withdrawal(
    agent: Agent, my_data: MyData, company: Company
) -> None:
    shares(agent, SEEN, CLICK, LIKE)
    by_signal = {event["signal"]: event for event in company.events.values()}
    kept = dict(by_signal["click"])
    by_signal["like"]["value"] = 0
    del company.events[by_signal["seen"]["event_id"]]
    agent.runtime.choose({FeedbackSignal.CLICK: False})
    settles(agent)
    company.events[kept["event_id"]] = kept
    comparison = my_data.verify()
    found = {(each.only, each.kind) for each in comparison.differences}
    assert found == {("server", "like"), ("computer", "like"), ("computer", "seen"), ("server", "click")}
    assert comparison.agreed == 0


def test_verify_does_not_expect_what_another_row_stands_for(
    agent: Agent, my_data: MyData, company: Company
) -> None:
    """The server keeps the last like only, and of two computers one *seen*."""
    shares(agent, SEEN, LIKE)
    for event in list(company.events.values()):
        del company.events[event["event_id"]]
        later = event | {"event_id": str(uuid4())} | ({"seq": event["seq"] + 1} if "seq" in event else {})
        company.events[later["event_id"]] = later
    assert {each.only for each in my_data.verify().differences} == {"server"}


def test_verify_does_not_expect_what_a_closed_campaign_had(
    agent: Agent, my_data: MyData, company: Company
) -> None:
    shares(agent, SEEN)
    company.events.clear()
    assert len(my_data.verify().differences) == 1
    agent.clock.advance(30 * 86_400)
    assert my_data.verify().differences == ()


def test_a_correction_changes_ones_own_fields_and_asks_for_those_of_the_directory(
    agent: Agent, my_data: MyData, server: LoopbackServer
) -> None:
    results = my_data.correct({"first_name": "Augusta", "last_name": "King", "title": ""})
    assert [(each.field, each.status) for each in results] == [
        ("first_name", "changed"),
        ("last_name", "requested"),
        ("title", "unchanged"),
    ]
    (item,) = of_kind(my_data, "correction")
    (request,) = asked(server, "/me")
    assert item.body == request.body
    assert (item.status, item.signal) == (SentStatus.STORED, "")
    details = {each.field: each for each in my_data.held().details}
    assert details["first_name"].value == "Augusta"
    assert (details["last_name"].value, details["last_name"].requested) == ("Lovelace", "King")


def test_a_correction_that_cannot_be_right_says_which_field_and_is_kept_as_refused(my_data: MyData) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        my_data.correct({"title": "two\nlines"})
    assert "title: one line is due" in refused.value.message
    (item,) = of_kind(my_data, "correction")
    assert (item.status, item.reason) == (SentStatus.REFUSED, "title: one line is due")


def test_only_the_seven_details_can_be_corrected(my_data: MyData, server: LoopbackServer) -> None:
    with pytest.raises(errors.InvalidInput):
        my_data.correct({"salary": "more"})  # type: ignore[dict-item]
    with pytest.raises(errors.InvalidInput):
        my_data.correct({})
    assert asked(server, "/me") == []


def test_an_answer_with_an_unknown_field_is_not_taken_for_the_servers(
    my_data: MyData, company: Company, server: LoopbackServer
) -> None:
    body = json.dumps(company.own_data.all() | {"salary": 1}).encode()
    replies = [Reply(200, body, {"Content-Type": "application/json"}), problem(401, "unauthorized")]
    server.answer = lambda request: replies[0] if request.path.endswith("/me") else company(request)
    with pytest.raises(errors.NotOurServer):
        my_data.held()
    replies.pop(0)
    with pytest.raises(errors.TokenRefused):
        my_data.verify()


def test_a_computer_that_is_not_connected_has_nothing_to_ask(agent: Agent, my_data: MyData) -> None:
    agent.runtime.disconnect()
    assert my_data.sent() == []
    for ask in (my_data.held, my_data.verify, my_data.copy):
        with pytest.raises(errors.NotConnected):
            ask()


def test_what_was_sent_is_saved_byte_for_byte(agent: Agent, my_data: MyData, server: LoopbackServer) -> None:
    shares(agent, CLICK)
    saved = json.loads(my_data.sent_json())
    left = [
        request.body.decode() for request in server.requests if request.path.endswith(("signals", "consents"))
    ]
    assert [message["body"] for message in reversed(saved["messages"])][1:] == left
    assert {message["method"] for message in saved["messages"]} == {"POST"}
    assert len(saved["receipts"]) == 3


def test_bytes_that_are_no_text_are_saved_as_base64(
    agent: Agent, company: Company, my_data: MyData, server: LoopbackServer
) -> None:
    odd = Reply(422, b'{"type": "tidings:invalid-request", "detail": "\xff"}', problem(422, "").headers)
    server.answer = lambda request: odd if request.path.endswith("/me") else company(request)
    with pytest.raises((errors.InvalidInput, errors.Refused)):
        my_data.correct({"title": "Countess"})
    message, _enrolment = json.loads(my_data.sent_json())["messages"]
    assert base64.b64decode(message["answer_base64"]) == odd.body


class Reader(HTMLParser):
    """What a page holds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_copy_holds_everything_and_its_page_runs_nothing(
    agent: Agent, my_data: MyData, company: Company, language: str
) -> None:
    evil = "<script>alert('x')</script><img src=//evil onerror=x>"
    company.own_data.details["title"] = evil
    company.own_data.other = {"audit": [{"action": evil, "count": 3}]}
    company.publish("c-two", running(evil))
    agent.runtime.sync_once()
    shares(agent, Interaction("c-two", InteractionKind.LIKED), SEEN)
    i18n.use_language(language)
    try:
        copy = my_data.copy()
    finally:
        i18n.use_language("en")
    assert json.loads(copy.json)["company"]["details"][3]["value"] == evil
    page = Reader(copy.html)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "embed", "form"}
    assert not {name for name in page.attributes if name.startswith("on")} | page.attributes & {
        "src",
        "style",
    }
    assert f'<html lang="{language}">' in copy.html
    assert html.escape(evil) in copy.html
    for item in my_data.sent():
        assert item.body.decode() in page.text
    for needle in ("ada@northwind.example", "Lovelace", "1 Analytical Street, London", "Northwind", "audit"):
        assert needle in page.text


def test_a_receipt_is_saved_with_the_key_that_signed_it(agent: Agent, my_data: MyData) -> None:
    shares(agent)
    kept = my_data.receipts()[0]
    file = json.loads(my_data.receipt_file(kept.receipt_id))
    assert file["receipt"] == kept.document
    assert file["key"]["tidings_use"] == "receipt"
    with pytest.raises(errors.InvalidInput):
        my_data.receipt_file("none")
