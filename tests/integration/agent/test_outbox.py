"""The outbox over a real network and a real disk: each event is counted once, none is lost, none leaves while off."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent import errors, policy
from agent.model import Signal
from tests.support.agent_company import Company, Fault
from tests.support.agent_parts import Sending, SettableClock, a_company, notice, sending_parts
from tests.support.agent_server import LOST, LoopbackServer, Reply, Request, html, loopback_server, problem

SIGNALS = st.sampled_from(list(Signal))


def lost_answer(_: Request, answer: Callable[[], Reply]) -> Reply:
    """The server does its work, and nobody hears of it."""
    answer()
    return Reply(LOST)


def altered(change: Callable[[bytes], bytes]) -> Fault:
    def fault(_: Request, answer: Callable[[], Reply]) -> Reply:
        reply = answer()
        return Reply(reply.status, change(reply.body), {"Content-Type": "application/json"})

    return fault


def only_half(body: bytes) -> bytes:
    content = json.loads(body)
    if "results" in content:
        content["results"] = content["results"][: len(content["results"]) // 2]
    else:
        content.pop("receipt", None)
    return json.dumps(content).encode()


def other_ids(body: bytes) -> bytes:
    content = json.loads(body)
    for result in content.get("results", [content]):
        result["event_id"] = "00000000-0000-4000-8000-000000000000"
    return json.dumps(content).encode()


def instead(reply: Reply) -> Fault:
    return lambda _request, _answer: reply


FAULTS: dict[str, Fault] = {
    "lost request": instead(Reply(LOST)),
    "lost answer": lost_answer,
    "500": instead(Reply(500)),
    "502 of a proxy": instead(html(502)),
    "429": instead(problem(429, "too-many-requests", {"Retry-After": "3600"})),
    "503": instead(Reply(503)),
    "401": instead(problem(401, "unauthorized")),
    "404": instead(problem(404, "not-found")),
    "403 of a proxy": instead(html(403)),
    "captive portal": instead(html()),
    "redirect": instead(Reply(302, b"", {"Location": "https://portal.example/"})),
    "truncated JSON": altered(lambda body: body[: len(body) // 2]),
    "half of the results": altered(only_half),
    "results for others": altered(other_ids),
    "another shape": altered(lambda _: b'{"results": {}}'),
    "empty": altered(lambda _: b""),
}


@contextmanager
def a_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tidings-outbox-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class OutboxAndServer(RuleBasedStateMachine):
    """A person who chooses and acts, a network that fails, a process that restarts, a notice that changes."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = a_folder()
        self.folder = self._folder.__enter__()
        self.company = Company()
        self.server = LoopbackServer(self._watched)
        self.clock = SettableClock()
        self.version = 3
        self.allowed = frozenset(Signal)
        self.given: dict[Signal, str] = {}
        self.expired: dict[Signal, str] = {}
        self.made: Counter[str] = Counter()
        self.escaped: list[str] = []
        self.sending = self._open()

    def _open(self) -> Sending:
        known = a_company(notice=notice(self.version), signals=self.allowed)
        return sending_parts(self.folder, self.server.url, self.clock, known)

    def _watched(self, request: Request) -> Reply:
        """Whatever arrives is looked at first, be it answered or not."""
        if request.path.endswith("/signals"):
            for event in json.loads(request.body)["events"]:
                signal = Signal(event["signal"])
                if signal not in self.allowed or self.given.get(signal) != event["receipt_id"]:
                    self.escaped.append(event["signal"])
        return self.company(request)

    def teardown(self) -> None:
        try:
            self.company.faults.clear()
            self.allowed = frozenset(Signal)
            self.sending.gate.use_company(a_company(notice=notice(self.version)))
            self.sending.outbox.send(self.sending.client)
            assert self.sending.outbox.waiting() == 0
            for signal, receipt in self.given.items():
                assert len(self.company.counted(signal.value, receipt)) == self.made[receipt], signal
            in_force = {*self.given.values(), *self.expired.values()}
            assert {each["receipt_id"] for each in self.company.events.values()} <= in_force
            assert not self.escaped
        finally:
            self.sending.close()
            self.server.close()
            self._folder.__exit__(None, None, None)

    @initialize(signals=st.sets(SIGNALS))
    def first_choice(self, signals: set[Signal]) -> None:
        for signal in signals:
            self.give(signal)

    @rule(signal=SIGNALS)
    def give(self, signal: Signal) -> None:
        self.sending.outbox.drop_ended()
        self.sending.gate.choose({signal: True}, "en")
        receipt = self.sending.gate._consents[signal].receipt_id
        self.given[signal] = receipt
        self.expired.pop(signal, None)

    @rule(signal=SIGNALS)
    def withdraw(self, signal: Signal) -> None:
        self.given.pop(signal, None)
        self.expired.pop(signal, None)
        self.sending.gate.choose({signal: False}, "en")
        self.sending.outbox.withdraw([signal])
        assert list(self.folder.glob(f"outbox-{signal.value}*")) == []

    @rule(signal=SIGNALS, count=st.integers(1, 5))
    def act(self, signal: Signal, count: int) -> None:
        for _ in range(count):
            made = self.sending.outbox.make(signal, "c-one", link_id="l1")
            assert made == (signal in self.given and signal in self.allowed)
            if made:
                self.made[self.given[signal]] += 1
            elif signal not in self.given:
                assert list(self.folder.glob(f"outbox-{signal.value}*")) == []

    @rule(faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=4))
    def send(self, faults: list[str]) -> None:
        self.company.faults.extend(FAULTS[name] for name in faults)
        for _ in range(len(faults) + 1):
            try:
                self.sending.outbox.send(self.sending.client)
            except (errors.EnvironmentFault, errors.Refused):
                continue
        self.company.faults.clear()

    @rule(signals=st.frozensets(SIGNALS))
    def policy_changes(self, signals: frozenset[Signal]) -> None:
        self.allowed = signals
        self.sending.gate.use_company(a_company(notice=notice(self.version), signals=signals))

    @precondition(lambda self: self.version < 6)
    @rule(told=st.booleans())
    def notice_changes(self, told: bool) -> None:
        """``told``: the agent learns of it by its feed; else by the server's 409."""
        self.version += 1
        self.company.sign_company(notice=self.company.content["notice"] | {"version": self.version})
        if not told:
            self.sending.outbox.send(self.sending.client)
        self.expired |= self.given
        self.given.clear()
        if self.sending.gate.use_company(a_company(notice=notice(self.version), signals=self.allowed)):
            self.sending.outbox.drop_ended()

    @rule()
    def restart(self) -> None:
        self.sending.close()
        self.sending = self._open()

    @invariant()
    def nothing_left_that_was_off(self) -> None:
        assert not self.escaped


OutboxAndServer.TestCase.settings = hypothesis.settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


@pytest.mark.expected_logs("does not understand", "refused a")
class TestEachEventIsCountedOnce(OutboxAndServer.TestCase):  # type: ignore[misc,name-defined]
    pass


# One thing at a time


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def server(company: Company) -> Iterator[LoopbackServer]:
    with loopback_server(company) as running:
        yield running


@pytest.fixture
def sending(server: LoopbackServer, tmp_path: Path) -> Iterator[Sending]:
    with closing(sending_parts(tmp_path, server.url, SettableClock())) as parts:
        yield parts


def test_a_consent_leaves_before_its_events_and_a_withdrawal_alone(
    sending: Sending, server: LoopbackServer
) -> None:
    sending.gate.choose({Signal.LIKE: True}, "en")
    sending.outbox.make(Signal.LIKE, "c-one", value=1, seq=1)
    sending.outbox.send(sending.client)
    sending.outbox.make(Signal.LIKE, "c-one", value=0, seq=2)
    sending.gate.choose({Signal.LIKE: False}, "en")
    sending.outbox.withdraw([Signal.LIKE])
    sending.outbox.send(sending.client)
    paths = [request.path.rsplit("/")[-1] for request in server.requests]
    assert paths == ["consents", "signals", "consents"]
    assert [json.loads(request.body).get("status") for request in server.requests] == [
        "given",
        None,
        "withdrawn",
    ]


def test_more_than_a_hundred_events_leave_in_batches_of_a_hundred(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    for _ in range(230):
        sending.outbox.make(Signal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    sizes = [len(json.loads(r.body)["events"]) for r in server.requests if r.path.endswith("signals")]
    assert sizes == [100, 100, 30]
    assert len(company.events) == 230


@pytest.mark.expected_logs("does not understand a click")
def test_one_event_that_the_server_cannot_understand_does_not_hold_up_the_others(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    for number in range(7):
        sending.outbox.make(Signal.CLICK, "c-bad" if number == 3 else "c-good", link_id="l1")

    def picky(request: Request) -> Reply:
        return problem(422, "invalid-request") if b"c-bad" in request.body else company(request)

    server.answer = picky
    sending.outbox.send(sending.client)
    assert len(company.events) == 6
    assert sending.outbox.waiting() == 0


def test_a_server_without_that_address_makes_no_event_disappear(sending: Sending, company: Company) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    sending.outbox.make(Signal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    sending.outbox.make(Signal.CLICK, "c-one", link_id="l1")
    company.faults.append(instead(problem(404, "not-found")))
    with pytest.raises(errors.Refused):
        sending.outbox.send(sending.client)
    assert sending.outbox.waiting() == 1


def test_a_newer_notice_at_the_server_closes_the_gate_and_removes_what_waits(
    sending: Sending, company: Company, tmp_path: Path
) -> None:
    company.sign_company(notice=company.content["notice"] | {"version": 4})
    sending.gate.choose({Signal.CLICK: True}, "en")
    sending.outbox.make(Signal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    assert sending.gate.receipt(Signal.CLICK) is None
    assert sending.gate.must_ask()
    assert list(tmp_path.glob("outbox-*")) == []


def test_a_withdrawal_that_the_server_will_not_hear_ends_in_no_loop(
    sending: Sending, server: LoopbackServer
) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    sending.outbox.send(sending.client)
    sending.gate.choose({Signal.CLICK: False}, "en")
    server.answer = lambda _: problem(409, "notice-changed")
    with pytest.raises(errors.NoticeChanged):
        sending.outbox.send(sending.client)
    assert len(server.requests) == 2
    assert sending.outbox.waiting() == 1


def test_a_full_outbox_drops_the_oldest(
    sending: Sending, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "OUTBOX_MAX_EVENTS", 5)
    sending.gate.choose({Signal.CLICK: True}, "en")
    for number in range(9):
        sending.outbox.make(Signal.CLICK, f"c-{number}", link_id="l1")
    sending.outbox.send(sending.client)
    assert [event["campaign_id"] for event in company.events.values()] == [f"c-{n}" for n in range(4, 9)]


@pytest.mark.expected_logs("was damaged and is set aside")
def test_a_damaged_outbox_is_set_aside_and_the_next_event_is_kept(
    sending: Sending, company: Company, tmp_path: Path
) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    sending.outbox.make(Signal.CLICK, "c-one", link_id="l1")
    file = tmp_path / "outbox-click.sqlite3"
    file.write_bytes(b"no database at all " * 500)
    assert sending.outbox.make(Signal.CLICK, "c-two", link_id="l1")
    sending.outbox.send(sending.client)
    assert [event["campaign_id"] for event in company.events.values()] == ["c-two"]
    sending.gate.choose({Signal.CLICK: False}, "en")
    sending.outbox.withdraw([Signal.CLICK])
    assert list(tmp_path.glob("outbox-*")) == [], "what was set aside goes with a withdrawal too"


def test_a_withdrawal_removes_one_signals_file_and_its_journal_only(sending: Sending, tmp_path: Path) -> None:
    sending.gate.choose({Signal.CLICK: True, Signal.SEEN: True}, "en")
    for signal in (Signal.CLICK, Signal.SEEN):
        sending.outbox.make(signal, "c-one")
    (tmp_path / "outbox-click.sqlite3-journal").write_bytes(b"left by a crash")
    sending.outbox.withdraw([Signal.CLICK])
    assert [path.name for path in tmp_path.glob("outbox-*")] == ["outbox-seen.sqlite3"]


# The ledger


def test_the_ledger_keeps_the_very_bytes_that_the_server_received(
    sending: Sending, server: LoopbackServer
) -> None:
    sending.gate.choose({Signal.CLICK: True, Signal.LIKE: True}, "fr")
    for number in range(3):
        sending.outbox.make(Signal.CLICK, f"c-{number}", link_id="l1")
    sending.outbox.make(Signal.LIKE, "c-0", value=1, seq=1)
    sending.outbox.send(sending.client)
    received = [(request.method, request.path, request.body) for request in server.requests]
    kept = [(message.method, message.path, message.body) for message in sending.messages.all()]
    assert kept == received[::-1]
    assert all(message.status == 200 and message.answer for message in sending.messages.all())


def test_each_event_in_the_ledger_is_cut_out_of_the_bytes_that_left(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    for _ in range(4):
        sending.outbox.make(Signal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    parts = sending.messages.parts()
    assert [json.loads(part.body) for part in parts] == list(company.events.values())
    assert [part.outcome for part in parts] == ["stored"] * 4
    assert all(part.body in server.requests[-1].body for part in parts)


def test_a_message_that_was_cut_off_stays_without_an_answer(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    company.faults.append(lost_answer)
    with pytest.raises(errors.ServerUnreachable):
        sending.outbox.send(sending.client)
    sending.outbox.send(sending.client)
    second, first = sending.messages.all()
    assert (first.status, first.answer) == (None, None)
    assert second.status == 200
    assert first.body == second.body == server.requests[0].body


def test_a_refusal_is_kept_as_the_servers_answer(sending: Sending, company: Company) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    company.faults.append(instead(problem(401, "unauthorized")))
    with pytest.raises(errors.TokenRefused):
        sending.outbox.send(sending.client)
    (message,) = sending.messages.all()
    assert message.status == 401


def test_the_signed_receipts_are_kept(sending: Sending) -> None:
    sending.gate.choose({Signal.CLICK: True}, "en")
    sending.outbox.send(sending.client)
    receipt_id = sending.gate.receipt(Signal.CLICK)
    sending.gate.choose({Signal.CLICK: False}, "en")
    sending.outbox.send(sending.client)
    kept = [
        (receipt, status)
        for receipt, status, document in sending.messages.receipts()
        if document.count(".") == 2
    ]
    assert kept == [(receipt_id, "withdrawn"), (receipt_id, "given")]


@pytest.mark.parametrize("restarted", [False, True])
def test_what_waited_under_an_expired_consent_is_not_sent_under_a_later_one(
    tmp_path: Path, server: LoopbackServer, company: Company, restarted: bool
) -> None:
    clock, new = SettableClock(), a_company(notice=notice(4))
    sending = sending_parts(tmp_path, server.url, clock)
    sending.gate.choose({Signal.CLICK: True}, "en")
    sending.outbox.make(Signal.CLICK, "c-one", link_id="l1")
    sending.gate.use_company(new)
    if restarted:  # killed before the queue could be removed
        sending.close()
        sending = sending_parts(tmp_path, server.url, clock, new)
    else:
        sending.outbox.drop_ended()
    company.sign_company(notice=company.content["notice"] | {"version": 4})
    sending.gate.choose({Signal.CLICK: True}, "en")
    sending.outbox.send(sending.client)
    sending.close()
    assert [request.path for request in server.requests if request.path.endswith("signals")] == []
