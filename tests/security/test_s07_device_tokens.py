"""S7: a device token is replaced every month.

No lost answer, keychain fault or sudden end locks anybody out, and a copy of a token that was replaced ends them all.
The server's own code answers, in this process, so that years can pass; between it and the agent things get lost.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.domain.model import ConnectionState
from agent.enrolment import token_rotation
from tests.support.agent.parts import Agent, MemoryKeychain, SettableClock, an_agent
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request, loopback_server
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome

MONTH = timedelta(days=34)


class LossyKeychain(MemoryKeychain):
    """Fails now and then, before or after it did what it was asked."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.is_healthy = True

    def write(self, account: str, secret: str) -> None:
        """Maybe."""
        luck = 1.0 if self.is_healthy else self.dice.random()
        if luck < 0.2:
            raise errors.KeychainUnavailable("locked", locked=True)
        super().write(account, secret)
        if luck < 0.3:
            raise errors.KeychainUnavailable("no answer in time", locked=True)

    def read(self, account: str) -> str | None:
        """Maybe."""
        if not self.is_healthy and self.dice.random() < 0.1:
            raise errors.KeychainUnavailable("locked", locked=True)
        return super().read(account)


class Bridge:
    """The server's code, with requests and answers that get lost."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.is_healthy = True

    def __call__(self, request: Request) -> Reply:
        if not self.is_healthy and self.dice.random() < 0.15:
            return Reply(LOST)
        reply = asked(request.method, request.path, dict(request.headers), request.body)
        return Reply(LOST) if not self.is_healthy and self.dice.random() < 0.25 else reply


def asked(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
    """What the server answers."""
    from django.db import close_old_connections
    from django.test import Client

    passed = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    kind = passed.pop("Content-Type", "application/json")
    answer = Client().generic(method, path, body, content_type=kind, headers=passed)
    close_old_connections()
    return Reply(answer.status_code, answer.content, dict(answer.headers))


def poll_by(token: str) -> Reply:
    """Anybody's request with a token."""
    return asked("GET", "/api/v1/feed", {"Authorization": f"Bearer {token}"})


@dataclass
class World:
    """One clock for all, a server, and what is between."""

    clock: SettableClock
    bridge: Bridge
    server: LoopbackServer
    dice: random.Random

    def code(self) -> str:
        """For a person of their own."""
        from server.devices.enrolment import invite

        return invite(bulk_data.add_people(1)[0], timedelta(days=1))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    made = ServerHome(tmp_path_factory.mktemp("server"))
    made.init()
    return made


@pytest.fixture
def world(home: ServerHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    from server.core import clock, concurrency

    monkeypatch.setattr(concurrency, "rate_for", lambda _meta: concurrency.RequestRate(0))
    time, dice = SettableClock(), random.Random(7)
    with home.opened(), clock.using(time.now), loopback_server(bridge := Bridge(dice)) as server:
        yield World(time, bridge, server, dice)


@contextmanager
def connected(world: World, folder: Path, keychain: MemoryKeychain) -> Iterator[Agent]:
    with an_agent(folder, keychain, world.clock) as agent:
        agent.runtime.enrol(world.server.url, world.code())
        agent.runtime.sync_once()
        yield agent


def present_token(keychain: MemoryKeychain) -> str:
    """The newest."""
    (kept,) = keychain.secrets.values()
    return kept.split()[-1]


def _due(world: World) -> None:
    """It is time for another token, with the next poll."""
    world.clock.advance(MONTH.total_seconds())


def rotations() -> int:
    """How many tokens were replaced so far."""
    from server.devices.models import SpentToken

    return SpentToken.objects.count()


def lossy_life(world: World, folder: Path, wanted: int) -> tuple[int, int]:
    """Until so many tokens were replaced: how many were, and how often the agent was told that it is disconnected."""
    keychain, thrown_out, before = LossyKeychain(world.dice), 0, rotations()
    with connected(world, folder, keychain):
        pass
    while rotations() - before < wanted:
        keychain.is_healthy = world.bridge.is_healthy = False
        with an_agent(folder, keychain, world.clock) as agent:
            for _ in range(world.dice.randint(1, 4)):  # then it ends, wherever it is
                world.clock.advance(world.dice.choice([900, 2 * 3600, MONTH.total_seconds()]))
                try:
                    agent.runtime.sync_once()
                except errors.TokenRefused:
                    thrown_out += 1
                except errors.EnvironmentFault:
                    continue
    keychain.is_healthy = world.bridge.is_healthy = True
    with an_agent(folder, keychain, world.clock) as agent:
        agent.runtime.sync_once()
        thrown_out += agent.runtime.status().connection is not ConnectionState.CONNECTED
    return rotations() - before, thrown_out


@pytest.mark.expected_logs("held in memory only")
@pytest.mark.proves("S7")
def test_nothing_that_gets_lost_while_tokens_are_replaced_locks_anybody_out(
    proof: Proof, world: World, tmp_path: Path
) -> None:
    wanted = proof.trials(full=1_000, few=15)
    replaced, thrown_out = lossy_life(world, tmp_path / "agent", wanted)
    proof.found("computers thrown out while their token was replaced", thrown_out, replaced)
    assert thrown_out == 0
    assert replaced >= wanted


@pytest.mark.expected_logs("must be connected again")
@pytest.mark.proves("S7")
def test_a_copy_of_a_replaced_token_ends_all_tokens_of_its_computer_and_both_ends_say_so(
    proof: Proof, world: World, tmp_path: Path
) -> None:
    from server.audit.models import Entry
    from server.devices.models import Device

    trials, ended, told, on_record = proof.trials(full=100, few=3), 0, 0, 0
    start = world.clock.wall
    for number in range(trials):
        world.clock.wall, keychain = start, MemoryKeychain()  # the company's document lives for 400 days
        with connected(world, tmp_path / str(number), keychain) as agent:
            copies = [present_token(keychain)]
            for _ in range(world.dice.randint(1, 3)):
                _due(world)
                agent.runtime.sync_once()
                agent.runtime.sync_once()
                copies.append(present_token(keychain))
            assert poll_by(copies[-1]).status == 200
            world.clock.advance(601)
            before = Entry.objects.filter(action="token-reused").count()
            copy = world.dice.choice(copies[:-1])
            assert b"token-reused" in poll_by(copy).body
            hashed = hashlib.sha256(copies[-1].encode()).hexdigest()
            ended += Device.objects.get(token_hash=hashed).revoked_at is not None
            ended -= poll_by(copies[-1]).status != 401
            on_record += Entry.objects.filter(action="token-reused").count() - before
            agent.runtime._background.poll._run()
            told += [trouble.code for trouble in agent.runtime.status().troubles] == ["TokenReused"]
    proof.found("computers whose tokens ended after a copy was used", ended, trials)
    proof.found("of them, told to the person and put on record", min(told, on_record), trials)
    assert (ended, told, on_record) == (trials, trials, trials)


def test_a_request_that_was_under_way_with_the_former_token_is_let_in_for_ten_minutes(
    world: World, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with connected(world, tmp_path / "agent", keychain) as agent:
        former = present_token(keychain)
        _due(world)
        agent.runtime.sync_once()
        agent.runtime.sync_once()
        assert present_token(keychain) != former
        world.clock.advance(500)
        assert poll_by(former).status == 200
        body = b'{"next_sha256": "%s"}' % (b"0" * 64)
        headers = {"Authorization": f"Bearer {former}"}
        assert asked("POST", "/api/v1/device/token", headers, body).status == 409
        agent.runtime.sync_once()


def test_the_token_that_is_announced_is_kept_before_it_is_announced(world: World, tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    kept: list[str] = []
    with connected(world, tmp_path / "agent", keychain) as agent:
        answer: Callable[[Request], Reply] = world.bridge

        def watching(request: Request) -> Reply:
            if request.path.endswith("/device/token"):
                kept.extend(keychain.secrets.values())
                assert hashlib.sha256(kept[0].split()[1].encode()).hexdigest().encode() in request.body
            return answer(request)

        world.server.answer = watching
        _due(world)
        agent.runtime.sync_once()
    assert len(kept) == 1


def test_a_server_that_replaces_no_tokens_is_asked_once_a_month(world: World, tmp_path: Path) -> None:
    calls: list[str] = []

    def older(request: Request) -> Reply:
        calls.append(request.path)
        if request.path.endswith("/device/token"):
            return asked("GET", "/api/v1/nothing", {})
        return world.bridge(request)

    keychain = MemoryKeychain()
    with connected(world, tmp_path / "agent", keychain) as agent:
        token = present_token(keychain)
        world.server.answer = older
        _due(world)
        for _ in range(20):
            agent.runtime.sync_once()
            world.clock.advance(3600)
    assert sum(path.endswith("/device/token") for path in calls) == 1
    world.server.answer = world.bridge
    with an_agent(tmp_path / "agent", keychain, world.clock) as agent:
        agent.runtime.sync_once()
        assert poll_by(token).status == 200


def test_a_recently_connected_computer_does_not_replace_its_token(world: World, tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    with connected(world, tmp_path / "agent", keychain) as agent:
        before = present_token(keychain)
        agent.runtime.sync_once()
        assert present_token(keychain) == before
        assert agent.runtime._settings.get_time(token_rotation.DUE) is not None
        assert limits.TOKEN_PERIOD_DAYS == 30
