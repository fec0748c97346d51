"""New signing keys for a company whose keys were stolen.

The old keys cannot vouch for the new ones: the thief has them too. So every computer is disconnected, and meets the new keys
when its person connects it again with a new code.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path

from django.db import transaction

from server.audit import log
from server.core import under_way
from server.core.clock import now
from server.core.errors import EnvironmentFault
from server.devices.enrolment import revoke
from server.devices.models import Device
from server.directory.models import Company
from server.recovery.replay import leap
from server.signing.checking import REPLACEMENT, require_own_keys
from server.signing.documents import publish_under_new_key
from server.signing.signers import USES, create_keys, is_readable, key_file, public_keys

AT_ONCE = 500


def replace_keys(company: Company) -> int:
    """Make new keys, sign all that is in feeds with them, and end every connection. Answers how many there were.

    The old files stay beside the new ones, under other names. A process that is killed leaves an order that everything
    that needs the keys tells; then this is to be done again.

    Raises `EnvironmentFault`; nothing has changed then. Raises `Refused` while another process is at it.
    """
    with under_way.order(REPLACEMENT, company.pk) as order:
        was_interrupted = order.stands
        if not was_interrupted:
            order.begin(b"replace")
        aside = _set_aside(company.pk)
        try:
            create_keys(company.pk)
            count = _take_up(company)
        except BaseException:
            if not _is_taken_up(company.pk):
                _put_back(company.pk, aside)
                if was_interrupted:
                    raise
            order.done()
            raise
        order.done()
    return count


def settle(company: Company) -> None:
    """Forget that a replacement was interrupted, where that was after its last step."""
    if company.pk in under_way.interrupted(REPLACEMENT):
        with under_way.order(REPLACEMENT, company.pk) as order:
            order.done()


def _set_aside(company_id: str) -> dict[Path, Path]:
    """Where each key that is there lies from now on, by where it lay."""
    aside = {}
    for use in USES:
        place = key_file(company_id, use)
        if place.exists():
            aside[place] = _free_name(place, "replaced" if is_readable(place) else "damaged")
            place.rename(aside[place])
    return aside


def _free_name(place: Path, ending: str) -> Path:
    stamp = f"{now():%Y%m%dT%H%M%S}"
    numbers = itertools.chain([""], map("-{}".format, itertools.count(2)))
    names = (place.with_suffix(f".{stamp}{number}.{ending}") for number in numbers)
    return next(name for name in names if not name.exists())


@transaction.atomic
def _take_up(company: Company) -> int:
    locked = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    publish_under_new_key(locked)
    leap(locked)
    count = _disconnect_all(company)
    named = {key["tidings_use"]: key["kid"] for key in public_keys(company.pk)["keys"]}
    log.record(company, log.COMMAND_LINE, "keys-replaced", detail=named | {"computers": count})
    return count


def _is_taken_up(company_id: str) -> bool:
    """Whether the database has the new keys, although something failed. Raises `DatabaseError` where it cannot be asked."""
    try:
        require_own_keys(Company.objects.get(pk=company_id))
    except EnvironmentFault:
        return False
    return True


def _put_back(company_id: str, aside: Mapping[Path, Path]) -> None:
    for use in USES:
        key_file(company_id, use).unlink(missing_ok=True)
    for place, there in aside.items():
        there.replace(place)


def _disconnect_all(company: Company) -> int:
    devices = Device.objects.filter(person__company=company, revoked_at=None)
    numbers = list(devices.order_by("pk").values_list("pk", flat=True))
    return sum(revoke(numbers[start : start + AT_ONCE]) for start in range(0, len(numbers), AT_ONCE))
