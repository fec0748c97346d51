"""Blocks: the smallest things that figures are made of. See docs/adr/0007-blocks.md.

Each figure is a sum over whole live blocks of one campaign and signal. Blocks have at least `Campaign.minimum` people, are
never changed, and share nobody: so no sum and no difference of figures is about fewer.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from server import clock
from server.campaigns.models import Campaign
from server.directory.models import Person
from server.reports.audiences import audience, sharing
from server.reports.cohorts import SMALLEST, Groups, assign, cohorts_of, groups_of
from server.reports.models import Block, BlockMember, CohortMember
from server.signals.keys import person_key
from server.signals.models import CampaignKey

KEYS_AT_ONCE = 500
ROWS_AT_ONCE = 500

_random = secrets.SystemRandom()


@transaction.atomic
def form(campaign: Campaign) -> None:
    """Put people who share and wait into blocks, as far as enough of their cohort do.

    At least `Campaign.minimum` of each cohort are never counted, even if all share: the others tell nothing of them.

    Nothing happens before the campaign starts: one that nobody gets would show who shares and disturb nobody.
    """
    if clock.now() < campaign.starts:
        return
    company = campaign.company
    homeless = Person.objects.filter(company=company).exclude(pk__in=CohortMember.objects.values("person"))
    # People before keys, as erasure and withdrawal lock them.
    list(homeless.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    key = _locked_keys(company.pk).get(campaign.pk)
    if key is None:
        return
    assign(company, homeless.values_list("pk", flat=True))
    people, groups = audience(campaign), groups_of(company)
    whole = {
        cohort: members
        for cohort, members in cohorts_of(company).items()
        if len(members) >= SMALLEST * campaign.minimum and members <= people
    }
    for signal in company.signals:
        _form(campaign, signal, key, whole, groups)


def _form(
    campaign: Campaign,
    signal: str,
    key: bytes,
    cohorts: dict[UUID, set[UUID]],
    groups: dict[UUID, Groups],
) -> None:
    share = sharing(campaign, signal)
    counted = set(
        BlockMember.objects.filter(block__campaign=campaign, block__signal=signal).values_list(
            "person_key", flat=True
        )
    )
    drawn: list[tuple[Block, list[str]]] = []
    for cohort, members in cohorts.items():
        keys = {person: person_key(key, person) for person in members}
        waiting = {keys[person] for person in members & share} - counted
        room = len(members) - campaign.minimum - len(counted.intersection(keys.values()))
        common = frozenset.intersection(*(groups.get(person, frozenset()) for person in members))
        block = {"campaign": campaign, "signal": signal, "cohort": cohort, "groups": sorted(common)}
        drawn += [(Block(**block), people) for people in split(waiting, campaign.minimum, room)]
    Block.objects.bulk_create([block for block, _people in drawn], batch_size=ROWS_AT_ONCE)
    members_of = [BlockMember(block=block, person_key=one) for block, people in drawn for one in people]
    BlockMember.objects.bulk_create(members_of, batch_size=ROWS_AT_ONCE)


def split(waiting: Iterable[str], minimum: int, room: int) -> list[list[str]]:
    """Draw blocks of `minimum` to `2 * minimum - 1` out of those who wait: none if there are fewer.

    All of them, but `room` at most: so many of a cohort are never counted that nobody can say they all share.
    """
    drawn = sorted(waiting)
    _random.shuffle(drawn)
    drawn = drawn[: max(room, 0)]
    count = len(drawn) // minimum
    return [sorted(drawn[start::count]) for start in range(count)]


def leave(people: Iterable[UUID], company_id: str, signals: Iterable[str], *, erased: bool = False) -> int:
    """Take these people's blocks out of all figures, for good. Answers how many blocks that were.

    To be called in the transaction of a withdrawal, for its signal, or of an erasure, with `erased` and before the people
    are deleted. Where somebody is erased who is in no live block, one of their cohort goes in its place: otherwise the
    figures would tell whether an erased person shared. The rows of people who withdraw stay until the campaign closes,
    so that nobody is in two blocks of a campaign; those of erased people go.
    """
    people, signals = list(people), set(signals)
    keys = _locked_keys(company_id)
    cohorts = dict(CohortMember.objects.filter(person__in=people).values_list("person_id", "cohort"))
    gone: set[int] = set()
    for campaign, key in keys.items():
        named = {person_key(key, person): cohorts.get(person) for person in people}
        gone |= _leave(campaign, named, signals, erased)
    return Block.objects.filter(pk__in=gone, live=True).update(live=False)


def _leave(campaign: int, named: dict[str, UUID | None], signals: set[str], erased: bool) -> set[int]:
    """The blocks of one campaign that go. `named`: the people's keys in it, with their cohorts."""
    live: dict[tuple[str, UUID], list[int]] = defaultdict(list)
    blocks = Block.objects.filter(campaign=campaign, signal__in=signals, live=True)
    for pk, signal, cohort in blocks.values_list("pk", "signal", "cohort"):
        live[signal, cohort].append(pk)
    signal_of = {pk: signal for (signal, _cohort), pks in live.items() for pk in pks}
    own: dict[tuple[str, str], int] = {}
    keys = list(named)
    for start in range(0, len(keys), KEYS_AT_ONCE):
        # A key is of one campaign only. With the campaign in the query, SQLite would begin with all of its blocks.
        rows = BlockMember.objects.filter(person_key__in=keys[start : start + KEYS_AT_ONCE])
        for person, block in rows.values_list("person_key", "block"):
            if block in signal_of:
                own[signal_of[block], person] = block
        if erased:
            rows.delete()
    gone = set(own.values())
    if erased:
        gone |= {
            _random.choice(live[signal, cohort])
            for person, cohort in named.items()
            for signal in signals
            if cohort is not None and (signal, person) not in own and (signal, cohort) in live
        }
    return gone


def _locked_keys(company_id: str) -> dict[int, bytes]:
    """The keys of the campaigns that are not closed. They are locked, so that people are not put into a block while they
    withdraw: the other then waits, and sees what was done."""
    rows = CampaignKey.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.filter(campaign__company_id=company_id)
    # Whole rows: Django locks the joined tables too where single values are asked for.
    return {row.campaign_id: bytes(row.key) for row in rows.order_by("pk")}
