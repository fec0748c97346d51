"""The test of an announcement that somebody sent to their own computers, in their own feed.

Whoever has none pays nothing for it: which people have one is remembered for each revision of the company's tests.
"""

import threading
from collections.abc import Hashable
from datetime import datetime
from uuid import UUID

from cachetools import LRUCache, cached

from server.campaigns.models import Media
from server.devices.auth import Caller
from server.drafts.models import Trial

REMEMBERED_COMPANIES = 200


def trial_of(caller: Caller, now: datetime) -> str:
    """The id of the caller's test, empty where there is none now. Queries once for each revision, not for each poll."""
    if not caller.trial_revision:
        return ""
    found = _trials(caller.company_id, caller.trial_revision).get(caller.person_id)
    return found[0] if found is not None and now < found[1] else ""


@cached(LRUCache[Hashable, dict[UUID, tuple[str, datetime]]](REMEMBERED_COMPANIES), lock=threading.Lock())
def _trials(company_id: str, _revision: int) -> dict[UUID, tuple[str, datetime]]:
    rows = Trial.objects.filter(person__company_id=company_id).values_list("person_id", "trial_id", "ends")
    return {person: (trial_id, ends) for person, trial_id, ends in rows}


def documents(person_id: UUID, trial_id: str, most_bytes: int) -> list[str]:
    """The person's test, as it is signed; none where it is gone, or longer than what is left of the feed."""
    found = Trial.objects.filter(person_id=person_id, trial_id=trial_id).values_list("document", flat=True)
    return [document for document in found if len(document) <= most_bytes]


def file_of_trial(caller: Caller, sha256: str, now: datetime) -> Media | None:
    """The description of a file, in no table, if the caller's test names it."""
    lists = Trial.objects.filter(person_id=caller.person_id, ends__gt=now).values_list("files", flat=True)
    found = (file for files in lists for file in files if file["sha256"] == sha256)
    return next((Media(company_id=caller.company_id, **file) for file in found), None)
