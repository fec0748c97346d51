"""Blocks: the smallest things that figures are made of. See docs/adr/0007-blocks.md.

Each figure is a sum over whole live blocks of one campaign and signal. Blocks have at least `Campaign.minimum` people, are
never changed, and share nobody: so no sum and no difference of figures is about fewer.
"""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from server.campaigns.models import Campaign
from server.core import clock
from server.database.bulk import insert, insert_numbered
from server.database.transactions import Pieces, take_turns
from server.directory.models import Company, Person
from server.reports.audiences import countable_cohorts, numbers_sharing, partly_addressed, sharing
from server.reports.cohorts import (
    SMALLEST,
    are_enough_waiting,
    assign,
    common_groups,
    people_of,
    too_small_cohorts,
)
from server.reports.models import Block, BlockMember, dissolve
from server.reports.suppression import Suppressed, suppress
from server.signals.keys import many_keys, person_key
from server.signals.models import CampaignKey

ROWS_AT_ONCE = 500
COHORTS_AT_ONCE = 400

_random = secrets.SystemRandom()
_Item = TypeVar("_Item")


def form(campaign: Campaign) -> None:
    """Put people who share and wait into blocks, as far as enough of their cohort do.

    At least `Campaign.minimum` of each cohort are never counted, even if all share: the others tell nothing of them.

    Nothing happens before the campaign starts: one that nobody gets would show who shares and disturb nobody. It is done in
    short transactions, each for some cohorts.
    """
    if clock.now() < campaign.starts:
        return
    if are_enough_waiting(campaign.company):
        _assign(campaign.company)
    pieces = Pieces()
    cohorts = with_room(campaign)
    for start in range(0, len(cohorts), COHORTS_AT_ONCE):
        with pieces.piece():
            _form(campaign, cohorts[start : start + COHORTS_AT_ONCE])


@transaction.atomic
def _assign(company: Company) -> None:
    too_small = too_small_cohorts(company)
    concerned = Q(cohort_member=None) | Q(cohort_member__cohort__in=too_small)
    # People before the turn, as erasure and withdrawal have it.
    people = Person.objects.filter(concerned, company=company).order_by("pk")
    waiting = set(people.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    take_turns(turn(company.pk))
    without = company.people.filter(cohort_member=None)
    assign(company, waiting.intersection(without.values_list("pk", flat=True)), too_small)


def with_room(campaign: Campaign) -> list[UUID]:
    """The cohorts of which a block may be drawn, at most: enough people share and may still be counted, by the numbers alone.

    Nobody leaves the others of a live block: all its people share. So at most those of a cohort wait who share and are in no
    live block of it, and a cohort that is left out here has no block to draw.
    """
    minimum, signals = campaign.smallest_group, campaign.company.signals
    formed = _formed(campaign)
    roomy = {
        (cohort, signal)
        for cohort, size in countable_cohorts(campaign).items()
        for signal in signals
        if size >= SMALLEST * minimum
        and size - minimum - formed.get((cohort, signal), NOBODY).ever >= minimum
    }
    if formed and roomy:
        share = numbers_sharing(campaign, sorted({cohort for cohort, _signal in roomy}))
        roomy = {one for one in roomy if share[one] - formed.get(one, NOBODY).live >= minimum}
    return sorted({cohort for cohort, _signal in roomy})


def _form(campaign: Campaign, cohorts: Sequence[UUID]) -> None:
    take_turns(turn(campaign.company_id))
    key = CampaignKey.objects.filter(campaign=campaign).values_list("key", flat=True).first()
    partly = partly_addressed(campaign, cohorts)
    whole = {
        cohort: people
        for cohort, people in people_of([one for one in cohorts if one not in partly]).items()
        if len(people) >= SMALLEST * campaign.smallest_group
    }
    if key is None or not whole:
        return
    keys = {person: person_key(key, UUID(person)) for people in whole.values() for person in people}
    counted: dict[str, set[str]] = defaultdict(set)
    rows = BlockMember.objects.filter(person_key__among=keys.values())
    for one, signal in rows.values_list("person_key", "block__signal"):
        counted[signal].add(one)
    formed = _formed(campaign, list(whole))
    share = sharing(campaign, list(whole))
    drawn: list[_Drawn] = []
    for cohort, people in whole.items():
        named = {keys[person] for person in people}
        for signal in campaign.company.signals:
            waiting = {keys[person] for person in people & share[signal]} - counted[signal]
            ever = max(formed.get((cohort, signal), NOBODY).ever, len(counted[signal] & named))
            room = len(people) - campaign.smallest_group - ever
            sets = split(waiting, campaign.smallest_group, room)
            drawn += [_Drawn(signal, cohort, some) for some in sets]
    if drawn:
        _store(campaign, {cohort: len(people) for cohort, people in whole.items()}, drawn)


class _Formed(NamedTuple):
    """How many people were put into blocks: ever, those who were erased since included; and into blocks that still live."""

    ever: int
    live: int


NOBODY = _Formed(0, 0)


def _formed(campaign: Campaign, cohorts: Sequence[UUID] | None = None) -> dict[tuple[UUID, str], _Formed]:
    """Of each cohort, or of each of these, and each signal, that has blocks."""
    blocks = Block.objects.filter(campaign=campaign).order_by()
    if cohorts is not None:
        blocks = blocks.filter(cohort__in=cohorts)
    sums = blocks.values_list("cohort", "signal").annotate(
        ever=Sum("size"), live=Sum("size", filter=Q(live=True), default=0)
    )
    return {(cohort, signal): _Formed(*both) for cohort, signal, *both in sums}


class _Drawn(NamedTuple):
    """A block that is not stored yet."""

    signal: str
    cohort: UUID
    people: list[str]


def _store(campaign: Campaign, sizes: Mapping[UUID, int], drawn: Sequence[_Drawn]) -> None:
    """`sizes`: how many people each cohort has."""
    common = common_groups({cohort: sizes[cohort] for _signal, cohort, _people in drawn})
    groups = {cohort: json.dumps(names) for cohort, names in common.items()}
    numbers = insert_numbered(
        Block,
        ("campaign_id", "signal", "cohort", "size", "groups", "live"),
        [
            (campaign.pk, signal, cohort.hex, len(people), groups[cohort], True)
            for signal, cohort, people in drawn
        ],
    )
    insert(
        BlockMember,
        ("block_id", "person_key"),
        # In the order of the index by person, of which fewer pages are changed again and again then.
        sorted(
            ((number, one) for number, block in zip(numbers, drawn, strict=True) for one in block.people),
            key=itemgetter(1),
        ),
    )


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
    are deleted. An erasure takes the blocks of those along whom figures leave out in the place of the erased: otherwise they
    would tell whether an erased person shared. The rows of people who withdraw stay until the campaign closes,
    so that nobody is in two blocks of a campaign; those of erased people go.
    """
    people, signals = list(people), set(signals)
    take_turns(turn(company_id))
    keys = CampaignKey.objects.filter(campaign__company_id=company_id).filter(
        Exists(Block.objects.filter(campaign=OuterRef("campaign")))
    )
    gone: set[int] = set()
    for named in many_keys(people, keys):
        members = BlockMember.objects.filter(person_key__among=named)
        gone |= set(
            members.filter(block__live=True, block__signal__in=signals).values_list("block", flat=True)
        )
        if erased:
            members.delete()
    if erased:
        gone |= set(_blocks_of(suppress(people, signals), keys))
    left = 0
    for some in _chunks(sorted(gone)):
        left += dissolve(Block.objects.filter(pk__in=some))
    return left


def _blocks_of(suppressed: Suppressed, keys: QuerySet[CampaignKey]) -> Iterator[int]:
    """The live blocks that these people are in and can be in no longer."""
    for named in many_keys(list({person for person, _signal in suppressed}), keys):
        rows = BlockMember.objects.filter(person_key__among=named, block__live=True)
        for key, block, signal, version in rows.values_list(
            "person_key", "block", "block__signal", "block__campaign__notice_version"
        ):
            if version > suppressed.get((named[key][1], signal), version):
                yield block


def turn(company_id: str) -> str:
    """The turn that whoever puts people into blocks or takes them out has.

    Nobody is put into a block while they withdraw: the other waits, and sees what was done.
    """
    return f"figures of {company_id}"


def _chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), ROWS_AT_ONCE):
        yield items[start : start + ROWS_AT_ONCE]
