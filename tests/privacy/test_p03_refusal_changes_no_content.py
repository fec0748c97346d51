"""P3: whatever somebody chose, they are sent the same bytes (GDPR recital 42: no detriment)."""

import itertools
import json
import random

import pytest

from server.campaigns.models import Media
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago, consent, event, give, send

SIGNALS = ("seen", "click", "like")
STATES = ("nothing said", "given", "withdrawn", "given again")


@pytest.mark.proves("P3")
def test_deliveries_are_the_same_in_all_states_of_consent(
    northwind: ServerHome, serving: RunningServer, proof: Proof
) -> None:
    states = list(itertools.product(STATES, repeat=len(SIGNALS)))
    chosen = random.Random(3).sample(states, proof.trials(full=len(states), few=8))
    people = bulk_data.add_people(len(chosen))
    video = bulk_data.add_media(b"video" * 1000, Media.Type.MP4)
    bulk_data.publish("c-video", starts=an_hour_ago(), media=[video])
    bulk_data.publish("c-group", starts=an_hour_ago(), groups=["Everyone"])
    computers = [Computer(serving.url, {"device_token": token}) for token in bulk_data.add_computers(people)]
    before = [_delivered(computer, video.sha256) for computer in computers]
    for computer, state in zip(computers, chosen, strict=True):
        for signal, one in zip(SIGNALS, state, strict=True):
            _bring_into(computer, signal, one)
    after = [_delivered(computer, video.sha256) for computer in computers]
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    unlike = len({_without_person(delivered) for delivered in after}) - 1
    proof.found("deliveries that differ between states of consent", changed + unlike, len(chosen))
    assert (changed, unlike) == (0, 0)


def _bring_into(computer: Computer, signal: str, state: str) -> None:
    if state == "nothing said":
        return
    receipt = give(computer, signal)
    assert send(computer, event(signal, "c-video", receipt)) == ["stored"]
    if state != "given":
        computer.post("/consents", consent(signal, "withdrawn", receipt_id=receipt))
    if state == "given again":
        give(computer, signal)


def _delivered(computer: Computer, media: str) -> tuple[str, dict[str, str], bytes, bytes]:
    """All that a poll and a download answer, but for the clock."""
    feed, video = computer.get("/feed"), computer.get(f"/media/{media}")
    assert (feed.status_code, video.status_code) == (200, 200)
    headers = {name.lower(): value for name, value in feed.headers.items() if name.lower() != "date"}
    return headers.pop("etag"), headers, feed.content, video.content


def _without_person(delivered: tuple[str, dict[str, str], bytes, bytes]) -> str:
    """The same without the two things that are of the person by design: the tag, and their own name and address."""
    _tag, headers, feed, video = delivered
    content = json.loads(feed)
    content.pop("person")
    headers = {name: value for name, value in headers.items() if name != "content-length"}
    return json.dumps([headers, content, video.hex()], sort_keys=True)
