"""Whom figures leave out in place of somebody who was erased. See docs/adr/0007-blocks.md.

An erasure takes one person who shares out of each cohort and signal: the one who is erased, or, if that one does not share,
another who is drawn out of the same cohort. So what a cohort can count does not tell whom it lost.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from server.reports.audiences import agreed
from server.reports.models import CohortMember, Suppression

ROWS_AT_ONCE = 500

_random = secrets.SystemRandom()
Suppressed = dict[tuple[UUID, str], int]
"""A person and a signal, and up to which version of the notice a campaign may be that still counts the person. 0: none."""


def suppress(erased: Sequence[UUID], signals: Iterable[str]) -> Suppressed:
    """Draw whom figures leave out from now on, in place of these people. Before they are deleted, within the transaction.

    The drawn people stay suppressed until their cohort is dissolved, also if they withdraw and give again.
    """
    gone: dict[UUID, list[UUID]] = defaultdict(list)
    for start in range(0, len(erased), ROWS_AT_ONCE):
        rows = CohortMember.objects.filter(person__in=erased[start : start + ROWS_AT_ONCE])
        for person, cohort in rows.values_list("person_id", "cohort"):
            gone[cohort].append(person)
    drawn: Suppressed = {}
    cohorts = list(gone)
    for start in range(0, len(cohorts), ROWS_AT_ONCE):
        some = cohorts[start : start + ROWS_AT_ONCE]
        versions = agreed(some)
        left: dict[UUID, set[UUID]] = defaultdict(set)
        for person, cohort in CohortMember.objects.filter(cohort__in=some).values_list("person_id", "cohort"):
            left[cohort].add(person)
        for cohort in some:
            for signal in signals:
                found = draw(gone[cohort], left[cohort].difference(gone[cohort]), versions[signal])
                drawn |= {(person, signal): version for person, version in found}
    Suppression.objects.bulk_create(
        [
            Suppression(person_id=person, signal=signal, notice_version=drawn[person, signal])
            for person, signal in drawn
        ],
        batch_size=ROWS_AT_ONCE,
        update_conflicts=True,
        update_fields=["notice_version"],
        unique_fields=["person", "signal"],
    )
    return drawn


def draw(
    erased: Iterable[UUID], left: Iterable[UUID], versions: dict[UUID, int]
) -> Iterator[tuple[UUID, int]]:
    """For each of the erased, one of those left who agreed to the newest notice, where the erased did not.

    That one counts from now on as the erased did. Where the erased agreed to as new a notice as anybody, they are the one
    person fewer themselves. `versions` are those of one signal and are changed; who shares nothing has none.
    """
    left = sorted(left)
    for person in erased:
        own = versions.get(person, 0)
        newest = max((versions.get(one, 0) for one in left), default=0)
        if newest > own:
            chosen = _random.choice([one for one in left if versions.get(one, 0) == newest])
            versions[chosen] = own
            yield chosen, own
