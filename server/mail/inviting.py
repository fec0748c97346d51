"""Everybody without a computer is invited by e-mail: a request asks for it, and the process that sends puts it in the outbox.

What is asked for is an order: it is carried out as a whole, also after a crash, and takes nobody's time in a request.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from server.core import clock, under_way
from server.core.errors import Refused
from server.devices.enrolment import in_pieces, record_all
from server.devices.reach import without_computer
from server.directory.models import Company, Group, Person
from server.mail import outbox
from server.mail.models import InvitationMail

ORDER = "invitations-by-mail"
ONE_AN = timedelta(hours=1)
"""A person is sent one invitation within this time."""


def invite_by_mail(company: Company, days: int, actor: str, group: Group | None = None) -> int:
    """Invite everybody, or everybody of a group, who has no connected computer; on record. Answers how many.

    Who was sent one within the hour, or is about to be, is left out. Raises `Refused` where there is nobody to invite, or
    others are about to be invited, and `EnvironmentFault` when the data folder cannot be used.
    """
    with under_way.order(ORDER, company.pk) as order:
        if order.content:
            raise Refused(_("This is being done already"), _("Wait until it is done."))
        count = _invited(company, group).count()
        if not count:
            raise Refused(
                _("Nobody to invite"), _("Everybody there has a connected computer, or is being invited.")
            )
        asked = {"days": days, "group": group.pk if group else None, "at": clock.now().isoformat()}
        try:
            with transaction.atomic():
                record_all(company, actor, count, days, group, by="mail")
                order.begin(json.dumps(asked).encode())
        except BaseException:
            order.done()  # nobody is invited without an entry
            raise
    outbox.set_flag()
    return count


def queue_invited() -> None:
    """Put into the outbox what was asked for; nothing where that was too long ago, or the company or the group is gone."""
    for name in under_way.interrupted(ORDER):
        with suppress(Refused), under_way.order(ORDER, name) as order:
            if order.content:
                _queue(name, json.loads(order.content))
            order.done()


def _queue(company_id: str, asked: Mapping[str, str | int | None]) -> None:
    company = Company.objects.filter(pk=company_id).first()
    group = Group.objects.filter(pk=asked["group"], company=company_id).first() if asked["group"] else None
    is_late = datetime.fromisoformat(str(asked["at"])) < clock.now() - outbox.LONGEST
    if company is None or is_late or (asked["group"] and group is None):
        return
    days = int(asked["days"] or 0)

    def wait(people: Mapping[UUID, str]) -> None:
        InvitationMail.objects.filter(person__in=people).delete()
        now = clock.now()
        InvitationMail.objects.bulk_create(
            InvitationMail(person_id=person, days=days, queued_at=now, next_at=now) for person in people
        )

    for _some in in_pieces(company, _invited(company, group), wait):
        pass


def _invited(company: Company, group: Group | None) -> "QuerySet[Person]":
    """Those without a computer, but whom an invitation waits for, or who were just sent one."""
    just_now = Q(sent_at__gt=clock.now() - ONE_AN)
    lately = InvitationMail.objects.filter(outbox.waiting() | just_now, person=OuterRef("pk"))
    return without_computer(company, group).filter(~Exists(lately))
