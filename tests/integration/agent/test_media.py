"""Pictures and videos: nothing is opened before its signed size and hash were checked, and little is fetched twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.campaigns.media_cache import MediaCache, MediaFile
from agent.domain import errors, limits
from agent.domain.model import HoldReason, PresenceState
from agent.transport.http_client import ApiClient
from tests.contract.golden_documents import IMAGE, variant
from tests.support.agent.company_in_memory import TOKEN, Company, running
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import LoopbackServer, Reply, html, loopback_server

CONTENT = b"a video, frame after frame; " * 4_000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def a_file(content: bytes = CONTENT, limit: int = limits.MEDIA_MAX_BYTES) -> MediaFile:
    return MediaFile(sha256(content), len(content), limit)


@pytest.fixture
def company() -> Company:
    made = Company()
    made.media[sha256(CONTENT)] = CONTENT
    return made


@pytest.fixture
def server(company: Company) -> Iterator[LoopbackServer]:
    with loopback_server(company) as running_server:
        yield running_server


@pytest.fixture
def client(server: LoopbackServer) -> Iterator[ApiClient]:
    with closing(ApiClient(server.url, TOKEN)) as opened:
        yield opened


@pytest.fixture
def cache(tmp_path: Path) -> MediaCache:
    return MediaCache(tmp_path / "media")


def files(cache: MediaCache) -> list[str]:
    return sorted(path.name for path in cache._folder.iterdir())


def test_a_file_is_here_once_its_hash_was_checked(cache: MediaCache, client: ApiClient) -> None:
    file = a_file()
    assert cache.path(file.sha256) is None
    cache.fetch(client, file)
    path = cache.path(file.sha256)
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_the_right_size_and_another_content_is_refused_and_removed(
    cache: MediaCache, client: ApiClient, company: Company
) -> None:
    company.media[sha256(CONTENT)] = b"x" * len(CONTENT)
    with pytest.raises(errors.MediaRefused):
        cache.fetch(client, a_file())
    assert files(cache) == []


@pytest.mark.parametrize("size", [0, 10, len(CONTENT) - 1, len(CONTENT) + 1])
def test_a_file_of_another_size_is_refused_and_removed(
    cache: MediaCache, client: ApiClient, company: Company, size: int
) -> None:
    company.media[sha256(CONTENT)] = (CONTENT + b"x")[:size]
    with pytest.raises(errors.MediaRefused):
        cache.fetch(client, a_file())
    assert files(cache) == []


def test_a_file_beyond_the_limit_of_its_kind_is_never_asked_for(
    cache: MediaCache, client: ApiClient, server: LoopbackServer
) -> None:
    with pytest.raises(errors.MediaRefused):
        cache.fetch(client, a_file(limit=len(CONTENT) - 1))
    assert server.requests == []


def test_a_truncated_file_is_completed_by_the_next_try(
    cache: MediaCache, client: ApiClient, company: Company, server: LoopbackServer
) -> None:
    promised = {"Content-Type": "video/mp4", "Content-Length": str(len(CONTENT))}
    company.faults.append(lambda _request, _answer: Reply(200, CONTENT[:70_000], promised))
    with pytest.raises(errors.ServerUnreachable):
        cache.fetch(client, a_file())
    assert cache.path(sha256(CONTENT)) is None
    cache.fetch(client, a_file())
    assert cache.path(sha256(CONTENT)) is not None
    assert server.requests[1].header("Range") == "bytes=65536-"


def test_a_damaged_beginning_is_thrown_away_and_fetched_afresh(
    cache: MediaCache, client: ApiClient, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / f"{sha256(CONTENT)}.part").write_bytes(b"?" * 50_000)
    with pytest.raises(errors.MediaRefused):
        cache.fetch(client, a_file())
    cache.fetch(client, a_file())
    assert cache.path(sha256(CONTENT)) is not None


def test_a_captive_portal_leaves_no_trace(cache: MediaCache, client: ApiClient, company: Company) -> None:
    company.faults.append(lambda _request, _answer: html())
    with pytest.raises(errors.NotOurServer):
        cache.fetch(client, a_file())
    assert files(cache) == []


def test_a_file_that_the_server_does_not_give_is_a_refusal(
    cache: MediaCache, client: ApiClient, company: Company
) -> None:
    company.media.clear()
    with pytest.raises(errors.Refused):
        cache.fetch(client, a_file())


def test_what_no_campaign_needs_is_evicted(cache: MediaCache, client: ApiClient, tmp_path: Path) -> None:
    cache.fetch(client, a_file())
    stray = tmp_path / "media" / (64 * "0" + ".part")
    stray.write_bytes(b"x")
    cache.evict([a_file()])
    assert files(cache) == [sha256(CONTENT)]
    cache.evict([])
    assert files(cache) == []


def test_beyond_the_caches_limit_the_oldest_goes_and_what_is_not_needed_does_not_count(
    cache: MediaCache, client: ApiClient, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [bytes([number]) * 1000 for number in range(4)]
    for age, content in enumerate(contents):
        company.media[sha256(content)] = content
        cache.fetch(client, a_file(content))
        path = cache.path(sha256(content))
        assert path is not None
        os.utime(path, (10_000 + age, 10_000 + age))
    monkeypatch.setattr(limits, "MEDIA_CACHE_MAX_BYTES", 2_500)
    cache.evict([a_file(content) for content in contents[:3]])
    assert set(files(cache)) == {sha256(content) for content in contents[1:3]}


def with_picture(content: bytes, **changes: Any) -> dict[str, Any]:
    image = IMAGE | {"sha256": sha256(content), "size": len(content)}
    return running("Look") | {"variants": {"en": variant("Look", image=image)}} | changes


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    with an_agent(tmp_path) as opened:
        opened.runtime.enrol(server.url, "KX7P-9QMD-2HTV")
        yield opened


@pytest.mark.expected_logs("A file was refused")
def test_a_campaign_waits_a_while_for_its_picture_and_then_is_shown_without(
    agent: Agent, company: Company
) -> None:
    company.publish("c-one", with_picture(b"not there"))
    agent.runtime.sync_once()
    assert agent.runtime.select(PresenceState()).held == {"c-one": HoldReason.MEDIA_MISSING}
    agent.clock.advance(limits.MEDIA_WAIT_S)
    assert [item.campaign.campaign_id for item in agent.runtime.select(PresenceState()).show] == ["c-one"]


@pytest.mark.expected_logs("A file was refused")
def test_one_refused_file_does_not_keep_the_others_away(agent: Agent, company: Company) -> None:
    company.publish("c-bad", with_picture(b"tiny"))
    company.publish("c-good", with_picture(CONTENT))
    agent.runtime.sync_once()
    assert agent.runtime.media_path(sha256(CONTENT)) is not None


def test_one_file_that_never_comes_whole_does_not_keep_the_others_away(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    company.publish("c-bad", with_picture(b"tiny"))
    company.publish("c-good", with_picture(CONTENT))

    def cutting(request: Any) -> Reply:
        if request.path.endswith(sha256(b"tiny")):
            return Reply(200, b"t", {"Content-Type": "image/png", "Content-Length": "4"})
        return company(request)

    server.answer = cutting
    for _ in range(2):
        with pytest.raises(errors.ServerUnreachable):
            agent.runtime.sync_once()
    assert agent.runtime.media_path(sha256(CONTENT)) is not None


@pytest.mark.expected_logs("A file of the cache is not what was signed")
@pytest.mark.parametrize("left", [b"", CONTENT[:70], b"x" * len(CONTENT)])
def test_a_picture_that_was_damaged_in_the_cache_is_fetched_again(
    agent: Agent, company: Company, server: LoopbackServer, left: bytes
) -> None:
    company.publish("c-one", with_picture(CONTENT))
    agent.runtime.sync_once()
    path = agent.runtime.media_path(sha256(CONTENT))
    assert path is not None
    path.write_bytes(left)
    agent.runtime.sync_once()
    assert path.read_bytes() == CONTENT
    assert len([request for request in server.requests if "/media/" in request.path]) == 2


def test_a_file_that_is_here_is_not_fetched_again(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    company.publish("c-one", with_picture(CONTENT))
    company.publish("c-two", with_picture(CONTENT))
    agent.runtime.sync_once()
    agent.runtime.sync_once()
    assert len([request for request in server.requests if "/media/" in request.path]) == 1
