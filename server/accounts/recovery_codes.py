"""Recovery codes, which allauth keeps. What happens to them is on record, so that a restored backup is found to be older."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_reset, authenticator_used
from django.dispatch import receiver

from server.accounts.models import Account
from server.audit import log


@receiver(authenticator_used)
def _note_use(user: Account, authenticator: Authenticator, **_words: Any) -> None:
    """Somebody used one: it lets nobody in again."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        log.record(user.company, user.actor, "use-recovery-code")


@receiver(authenticator_reset)
def _note_new(user: Account, **_words: Any) -> None:
    """Somebody made new ones: the former let nobody in again."""
    log.record(user.company, user.actor, "make-recovery-codes")


def end_everybodys() -> None:
    """End all of them: a restored backup may hold some that were used or replaced since. The apps stay."""
    Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES).delete()
