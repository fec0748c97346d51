"""New signing keys for a company whose keys were stolen.

The old keys cannot vouch for the new ones: the thief has them too. So every computer is disconnected, and meets the new keys
when its person connects it again with a new code.
"""

from django.db import transaction

from server.audit import log
from server.core.clock import now
from server.devices.enrolment import revoke
from server.devices.models import Device
from server.directory.models import Company
from server.recovery.replay import leap
from server.signing.documents import publish_under_new_key
from server.signing.signers import Use, create_keys, key_file, public_keys

AT_ONCE = 500
USES: tuple[Use, ...] = ("campaign", "receipt")


def replace_keys(company: Company) -> int:
    """Make new keys, sign all that is in feeds with them, and end every connection. Answers how many there were.

    The old files stay beside the new ones, under other names. Raises `EnvironmentFault`; nothing has changed then.
    """
    stamp = f"{now():%Y%m%dT%H%M%S}"
    aside = {use: key_file(company.pk, use).with_suffix(f".{stamp}.replaced") for use in USES}
    there = [use for use in USES if key_file(company.pk, use).exists()]  # unless they were lost
    for use in there:
        key_file(company.pk, use).rename(aside[use])
    try:
        create_keys(company.pk)
        with transaction.atomic():
            locked = Company.objects.select_for_update().get(pk=company.pk)
            publish_under_new_key(locked)
            leap(locked)
            count = _disconnect_all(company)
            named = {key["tidings_use"]: key["kid"] for key in public_keys(company.pk)["keys"]}
            log.record(company, log.COMMAND_LINE, "keys-replaced", detail=named | {"computers": count})
    except BaseException:
        for use in USES:
            key_file(company.pk, use).unlink(missing_ok=True)
        for use in there:
            aside[use].replace(key_file(company.pk, use))
        raise
    return count


def _disconnect_all(company: Company) -> int:
    devices = Device.objects.filter(person__company=company, revoked_at=None)
    numbers = list(devices.order_by("pk").values_list("pk", flat=True))
    return sum(revoke(numbers[start : start + AT_ONCE]) for start in range(0, len(numbers), AT_ONCE))
