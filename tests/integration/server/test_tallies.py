"""What a snapshot counts: compared with a count by hand of the same rows, in both databases."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from server.campaigns.models import Campaign
from server.directory.models import Person
from server.reports.blocks import form
from server.reports.models import Block, BlockMember
from server.reports.tallies import counted
from server.signals.models import Signal
from tests.support.server import bulk_data, large_company
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago

pytestmark = pytest.mark.both_databases

ALL = ("seen", "click", "like")
IN_ONE_VARIANT = "only-here"


def _variants() -> dict[str, list[str]]:
    return {"en": ["l1", "l2", IN_ONE_VARIANT], "fr": ["l1", "l2"]}


def _live_at_random(chance: random.Random, campaign: Campaign, key: str) -> list[Signal]:
    """Of one person: each act once or more, or not at all, on whichever days and in whichever order."""

    def row(signal: str, **more: object) -> Signal:
        day = campaign.starts.date() + timedelta(days=chance.randrange(4))
        return Signal(campaign=campaign, event_id=uuid4(), person_key=key, signal=signal, date=day, **more)

    seen = [row("seen") for _time in range(chance.randrange(3))]
    clicks = [
        row("click", link_id=chance.choice(["l1", "l2", IN_ONE_VARIANT]))
        for _time in range(chance.randrange(5))
    ]
    seqs = chance.sample(range(50), chance.randrange(4))
    likes = [row("like", seq=seq, value=chance.randrange(2)) for seq in seqs]
    return seen + clicks + likes


def _by_hand(block: Block, names: dict[str, str]) -> tuple[int, Counter[str], Counter[str]]:
    """The people of a block, the dates on which they did it first, and what they clicked."""
    days, links = Counter[str](), Counter[str]()
    people = BlockMember.objects.filter(block=block)
    for member in people:
        rows = list(
            Signal.objects.filter(campaign=block.campaign, person_key=member.person_key, signal=block.signal)
        )
        if block.signal == "click":
            rows = [row for row in rows if row.link_id in names]
            links.update({names[row.link_id] for row in rows})
        if block.signal == "like":
            latest = max(rows, key=lambda row: row.seq or 0, default=None)
            rows = [latest] if latest is not None and latest.value else []
        if rows:
            days[min(row.date for row in rows).isoformat()] += 1
    return len(people), days, links


@pytest.mark.parametrize("seed", range(4))
def test_each_block_is_counted_as_somebody_would_count_it_by_hand(northwind: ServerHome, seed: int) -> None:
    chance = random.Random(seed)
    people: list[Person] = bulk_data.add_people(24)
    life.share_all(people, ALL)
    campaigns = [
        bulk_data.publish(f"c-{number}", starts=an_hour_ago(), variants=_variants()) for number in range(2)
    ]
    for campaign in campaigns:
        form(campaign)
        keys = sorted(
            set(BlockMember.objects.filter(block__campaign=campaign).values_list("person_key", flat=True))
        )
        large_company.store(row for key in keys for row in _live_at_random(chance, campaign, key))
    left = chance.choice(list(Block.objects.filter(campaign=campaigns[0])))
    Block.objects.filter(pk=left.pk).update(live=False)
    for campaign in campaigns:
        blocks = Block.objects.filter(campaign=campaign, live=True)
        assert blocks.count() >= 9 - (left.campaign_id == campaign.pk)
        assert IN_ONE_VARIANT not in campaign.counted
        tallies = ((pk, tally.counts) for pk, tally in counted(campaign))
        found = {pk: (one.size, one.days, one.links) for pk, one in tallies}
        assert found == {block.pk: _by_hand(block, campaign.counted) for block in blocks}
