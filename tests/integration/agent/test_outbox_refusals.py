"""What ends an event: an answer that names it, or a 422 of the server's for it alone. Whatever else is answered keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.domain import errors
from agent.domain.model import FeedbackSignal
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Sending, SettableClock, all_on, sending_parts
from tests.support.agent.scripted_server import LoopbackServer, Reply, Request, loopback_server, problem

pytestmark = pytest.mark.expected_logs("does not understand")

PROBLEMS = ("invalid-request", "unreadable-request", "not-found", "too-large", "about:blank", "something-new")
KINDS = ("application/problem+json", "application/json", "text/html", "text/plain", "")


@pytest.fixture(scope="module")
def giving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sending, LoopbackServer, Company]]:
    """An outbox with two clicks and one like, of consents that the server knows."""
    company = Company()
    folder = tmp_path_factory.mktemp("outbox")
    with (
        loopback_server(company) as server,
        closing(sending_parts(folder, server.url, SettableClock())) as parts,
    ):
        parts.gate.choose(all_on(), "en")
        parts.outbox.send(parts.client)
        for _ in range(2):
            parts.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
        parts.outbox.make(FeedbackSignal.LIKE, "c-one", value=1, seq=1)
        yield parts, server, company


def _said(kind: str) -> st.SearchStrategy[bytes]:
    problems = st.sampled_from(PROBLEMS).map(
        lambda code: {"type": f"tidings:{code}", "status": 422, "title": "No"}
    )
    results = st.just({"results": [{"event_id": "x", "status": "refused", "reason": "no"}]})
    return st.one_of(
        problems.map(json.dumps).map(str.encode),
        results.map(json.dumps).map(str.encode),
        st.binary(max_size=40),
    )


ANSWERS = st.sampled_from(KINDS).flatmap(
    lambda kind: st.tuples(st.integers(200, 599), st.just(kind), _said(kind), st.booleans())
)


@settings(max_examples=60)
@given(answer=ANSWERS)
def test_no_answer_that_is_not_the_servers_own_422_ends_an_event(
    giving: tuple[Sending, LoopbackServer, Company], answer: tuple[int, str, bytes, bool]
) -> None:
    sending, server, _company = giving
    status, kind, body, is_cut = answer
    assume(not (status == 422 and kind == KINDS[0] and b"tidings:invalid-request" in body))
    assume(status not in (204, 304))
    length = {"Content-Length": str(len(body) + 9)} if is_cut else {}
    server.answer = lambda _: Reply(status, body, {"Content-Type": kind} | length)
    with suppress(errors.EnvironmentFault, errors.Refused):
        sending.outbox.send(sending.client)
    assert sending.queue.count() == 3


def test_a_422_for_one_ends_that_one_only(
    giving: tuple[Sending, LoopbackServer, Company], tmp_path: Path
) -> None:
    _, server, company = giving
    with closing(sending_parts(tmp_path, server.url, SettableClock())) as sending:
        server.answer = company
        sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
        for campaign_id in ("c-good", "c-bad", "c-good-too"):
            sending.outbox.make(FeedbackSignal.CLICK, campaign_id, link_id="l1")

        def answer(request: Request) -> Reply:
            return problem(422, "invalid-request") if b"c-bad" in request.body else company(request)

        server.answer = answer
        sending.outbox.send(sending.client)
        assert sending.queue.count() == 0
    assert {event["campaign_id"] for event in company.counted("click")} >= {"c-good", "c-good-too"}


def test_a_signal_that_something_on_the_way_keeps_back_keeps_back_no_other(
    giving: tuple[Sending, LoopbackServer, Company], tmp_path: Path
) -> None:
    _, server, company = giving
    with closing(sending_parts(tmp_path, server.url, SettableClock())) as sending:
        server.answer = company
        sending.gate.choose(all_on(), "en")
        sending.outbox.make(FeedbackSignal.SEEN, "c-kept-back")
        sending.outbox.make(FeedbackSignal.LIKE, "c-liked", value=1, seq=1)

        def answer(request: Request) -> Reply:
            return problem(400, "invalid-request") if b"c-kept-back" in request.body else company(request)

        server.answer = answer
        with pytest.raises(errors.Refused):
            sending.outbox.send(sending.client)
        assert sending.queue.count() == 1
    assert {event["campaign_id"] for event in company.counted("like")} >= {"c-liked"}
