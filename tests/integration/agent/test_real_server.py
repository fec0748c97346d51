"""The agent's runtime, without windows, and the real server as a process of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.domain import errors, limits
from agent.domain.model import (
    ConnectionState,
    ConsentState,
    FeedbackSignal,
    HoldReason,
    Interaction,
    InteractionKind,
    PresenceState,
)
from agent.runtime import Runtime
from agent.store.database import Database
from agent.system.dirs import Folders
from agent.transport.http_client import ApiClient
from agent.verification.verifier import ProcessVerifier
from tests.support.agent.parts import MemoryKeychain, all_off, all_on
from tests.support.ports import free_port
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until

EMPLOYEE = "lea.roux@northwind.example"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SampleCompany:
    """The sample company with two campaigns: a text with links, and a video."""
    made = SampleCompany(tmp_path_factory.mktemp("company") / "server", free_port())
    made.make()
    made.publish_all("canteen", "lyon-studio")
    return made


@pytest.fixture(scope="module")
def server(company: SampleCompany) -> Iterator[RunningServer]:
    with company.serving() as running:
        yield running


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BACKOFF_FIRST_INTERVALS", 0.001)


@pytest.fixture(autouse=True)
def _nothing_stored_yet(company: SampleCompany) -> None:
    """All tests are of one person, of whom the server keeps one *seen*, one click of each link and day, and one like."""
    company.forget_signals()


@pytest.fixture
def keychain() -> MemoryKeychain:
    return MemoryKeychain()


@contextmanager
def opened(folder: Path, keychain: MemoryKeychain) -> Iterator[Runtime]:
    runtime = Runtime.open(Folders.under(folder), secrets=keychain, verifier=ProcessVerifier())
    try:
        yield runtime
    finally:
        runtime.stop()


@pytest.fixture
def runtime(
    server: RunningServer, company: SampleCompany, keychain: MemoryKeychain, tmp_path: Path
) -> Iterator[Runtime]:
    """Connected, with everything received."""
    with opened(tmp_path, keychain) as made:
        made.enrol(server.url, company.home.invite(EMPLOYEE))
        made.sync_once()
        yield made


def campaign(runtime: Runtime) -> str:
    """The campaign with links."""
    return next(item.campaign.campaign_id for item in runtime.inbox() if item.campaign.variant("en").links)


def stored_for(runtime: Runtime, company: SampleCompany) -> list[dict[str, Any]]:
    """What the server keeps of the events that this agent sent."""
    own = {part.event_id for part in runtime.messages.parts()}
    return [row for row in company.stored() if str(row["event_id"]) in own]


def act(runtime: Runtime) -> None:
    """Everything that a person can do with the campaign."""
    link = next(item for item in runtime.inbox() if item.campaign.campaign_id == campaign(runtime))
    link_id = link.campaign.variant("en").links[0].link_id
    for each in InteractionKind:
        runtime.interactions.record(Interaction(campaign(runtime), each, link_id))


def test_campaigns_and_their_media_arrive_signed_and_whole(runtime: Runtime) -> None:
    status = runtime.status()
    assert (status.connection, status.unread) == (ConnectionState.CONNECTED, 2)
    assert status.person is not None
    assert status.person.email == EMPLOYEE
    held = runtime.select(PresenceState()).held
    assert HoldReason.MEDIA_MISSING not in held.values()
    video = next(v.video for item in runtime.inbox() if (v := item.campaign.variant("en")).video)
    path = runtime.media_path(video.sha256)
    assert path is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == video.sha256


@pytest.mark.parametrize(
    "on", [(), (FeedbackSignal.SEEN,), (FeedbackSignal.CLICK,), (FeedbackSignal.LIKE,), tuple(FeedbackSignal)]
)
def test_only_what_is_switched_on_arrives(
    runtime: Runtime, company: SampleCompany, on: tuple[FeedbackSignal, ...]
) -> None:
    runtime.choose({signal: signal in on for signal in FeedbackSignal})
    act(runtime)
    runtime.sync_once()
    assert runtime.status().waiting == 0
    stored = stored_for(runtime, company)
    assert {row["signal"] for row in stored} == {signal.value for signal in on}
    assert {part.outcome for part in runtime.messages.parts()} <= {"stored"}


def test_a_withdrawal_erases_at_the_server_and_leaves_a_receipt(
    runtime: Runtime, company: SampleCompany
) -> None:
    runtime.choose(all_on())
    act(runtime)
    runtime.sync_once()
    assert stored_for(runtime, company)
    runtime.choose(all_off())
    runtime.sync_once()
    assert stored_for(runtime, company) == []
    statuses = [status for _, status, _ in runtime.messages.receipts()]
    assert sorted(statuses) == ["given"] * 3 + ["withdrawn"] * 3
    assert {choice.state for choice in runtime.choices()} == {ConsentState.WITHDRAWN}


def test_what_the_server_stored_is_what_the_ledger_shows(runtime: Runtime, company: SampleCompany) -> None:
    runtime.choose(all_on())
    act(runtime)
    runtime.sync_once()
    events = [json.loads(part.body) for part in runtime.messages.parts()]
    last_like = max(event.get("seq", 0) for event in events)
    told = {
        (event["event_id"], event["signal"]) for event in events if event.get("seq", last_like) == last_like
    }
    assert told == {(str(row["event_id"]), row["signal"]) for row in stored_for(runtime, company)}


def test_nothing_new_costs_a_304(runtime: Runtime, tmp_path: Path) -> None:
    with closing(Database(tmp_path / "data" / "tidings.sqlite3")) as store, store.reading() as connection:
        (etag,) = connection.execute("SELECT etag FROM enrolment").fetchone()
    assert etag
    before = runtime.inbox()
    runtime.sync_once()
    assert runtime.inbox() == before


def test_a_recalled_campaign_vanishes(runtime: Runtime, company: SampleCompany) -> None:
    published = company.publish("open-days")
    runtime.sync_once()
    assert published in {item.campaign.campaign_id for item in runtime.inbox()}
    company.home.succeed("campaign", "recall", published)
    runtime.sync_once()
    assert published not in {item.campaign.campaign_id for item in runtime.inbox()}


def test_a_wrong_code_is_refused_and_a_code_works_once(
    runtime: Runtime, server: RunningServer, company: SampleCompany, tmp_path: Path
) -> None:
    code = company.home.invite(EMPLOYEE)
    with opened(tmp_path / "second", MemoryKeychain()) as second:
        with pytest.raises(errors.CodeRefused):
            second.enrol(server.url, "AAAA-BBBB-CCCC")
        second.enrol(server.url, code)
    with opened(tmp_path / "third", MemoryKeychain()) as third, pytest.raises(errors.CodeRefused):
        third.enrol(server.url, code)


@pytest.mark.expected_logs("must be connected again")
def test_a_token_that_the_server_does_not_know_means_connecting_again(
    runtime: Runtime, keychain: MemoryKeychain, company: SampleCompany, server: RunningServer, tmp_path: Path
) -> None:
    runtime.choose(all_on())
    runtime.sync_once()
    runtime.stop()
    keychain.secrets = dict.fromkeys(keychain.secrets, "tdt_" + "0" * 43)
    with opened(tmp_path, keychain) as again:
        again.start()
        until(lambda: again.status().connection is ConnectionState.REVOKED, "the refusal")
        assert again.inbox(), "what was received stays"
        again.enrol(server.url, company.home.invite(EMPLOYEE))
        until(lambda: again.status().connection is ConnectionState.CONNECTED, "the connection")
        assert {choice.state for choice in again.choices()} == {ConsentState.GIVEN}


def test_disconnecting_takes_the_access_back_at_the_server(
    runtime: Runtime, keychain: MemoryKeychain, server: RunningServer
) -> None:
    (token,) = keychain.secrets.values()
    runtime.disconnect()
    with closing(ApiClient(server.url, token)) as client, pytest.raises(errors.TokenRefused):
        client.request("GET", "/api/v1/feed")


@pytest.mark.expected_logs("next try in")
def test_a_server_that_restarts_is_found_again_and_gets_what_waited(
    company: SampleCompany, keychain: MemoryKeychain, tmp_path: Path
) -> None:
    own = SampleCompany(tmp_path / "server", free_port())
    shutil.copytree(company.home.folder, own.home.folder, ignore=shutil.ignore_patterns("server.log"))
    with opened(tmp_path, keychain) as runtime:
        with own.serving() as first:
            runtime.enrol(first.url, own.home.invite(EMPLOYEE))
            runtime.choose({FeedbackSignal.CLICK: True})
            runtime.start()
            until(lambda: runtime.inbox() and not runtime.status().waiting, "the consent")
        runtime.check_now()
        until(lambda: runtime.status().connection is ConnectionState.OFFLINE, "the loss")
        act(runtime)
        assert runtime.status().waiting == 1
        with own.serving():
            until(lambda: runtime.status().connection is ConnectionState.CONNECTED, "the server")
            until(lambda: runtime.status().waiting == 0, "the click")
        assert [row["signal"] for row in stored_for(runtime, own)] == ["click"]
