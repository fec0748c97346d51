"""Two people erase somebody: one asks for it, another one has it carried out."""

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.accounts.models import Account
from server.accounts.two_people import Askers, others_with, second_for
from server.audit import log
from server.core import clock, under_way
from server.core.errors import EnvironmentFault, Refused
from server.database.transactions import tried_again
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from server.erasure.models import ErasureRequest
from server.mail import outbox
from server.mail.models import ConsoleMail

ORDER = "erasure-request"
ROWS_AT_ONCE = 500


def ask(account: Account, people: Sequence[UUID]) -> ErasureRequest:
    """Ask for the erasure of these people of the account's company, on record. Who is not there is left out.

    Raises `Refused` where nobody of them is there.
    """
    return _asked(account.company, account.actor, people, account)


def ask_by_program(company: Company, actor: str, people: Sequence[UUID]) -> ErasureRequest:
    """The same for a token of the API. What it asked for already, and nobody has decided, is not asked for twice."""
    return _asked(company, actor, people, None)


def needs_second_person(company: Company) -> bool:
    """Whether a program asks and somebody else decides: where two accounts or more may erase, as the console wants it."""
    return len(_who_may(company)) > 1


def _who_may(company: Company) -> list[Account]:
    return [one for one in Account.objects.filter(company=company) if Right.ERASE_PEOPLE in one.rights]


@tried_again
def _asked(company: Company, actor: str, people: Sequence[UUID], account: Account | None) -> ErasureRequest:
    """`account`: None for a program."""
    with transaction.atomic():
        # Before the people, as imports and erasures have it.
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        there = [
            pk
            for start in range(0, len(people), ROWS_AT_ONCE)
            for pk in company.people.filter(pk__in=people[start : start + ROWS_AT_ONCE]).values_list(
                "pk", flat=True
            )
        ]
        if not there:
            raise Refused(_("Nobody of them is in the directory"), _("Look them up once more."))
        if account is None and (known := _asked_before(company, actor, there)):
            return known
        request = ErasureRequest.objects.create(
            company=company, asked_by=account, asked_as=actor, asked_at=clock.now()
        )
        rows = [ErasureRequest.people.through(erasurerequest_id=request.pk, person_id=pk) for pk in there]
        ErasureRequest.people.through.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
        subject = there[0] if len(there) == 1 else None
        log.record(company, actor, "ask-erasure", subject, {"people": len(there)})
        told = _who_may(company) if account is None else others_with(Right.ERASE_PEOPLE, account)
        outbox.notify(told, path_of(request), ConsoleMail.Kind.ERASURE)
    return request


def _asked_before(company: Company, actor: str, people: Sequence[UUID]) -> ErasureRequest | None:
    seal = seal_of(people)
    found = ErasureRequest.objects.filter(company=company, asked_by=None, asked_as=actor, decided_at=None)
    return next((one for one in found if seal_of(one.people.values_list("pk", flat=True)) == seal), None)


def path_of(request: ErasureRequest) -> str:
    """Where the console shows it."""
    return f"erasures/{request.pk}"


def waiting(company: Company) -> "QuerySet[ErasureRequest]":
    """Those that nobody has decided, and those that are being carried out; with how many are left of each as `left`."""
    found = ErasureRequest.objects.filter(company=company).select_related("asked_by", "company")
    return found.annotate(left=Count("people")).filter(left__gt=0).order_by("asked_at", "pk")


def undecided_for(account: Account) -> "QuerySet[ErasureRequest]":
    """Those that wait for this account."""
    if Right.ERASE_PEOPLE not in account.rights:
        return ErasureRequest.objects.none()
    people = ErasureRequest.people.through.objects.filter(erasurerequest=OuterRef("pk"))
    found = ErasureRequest.objects.filter(Exists(people), company=account.company, decided_at=None)
    return (
        found.filter(second_for(account, "asked_by", "asked_at"))
        .select_related("asked_by")
        .order_by("asked_at", "pk")
    )


def people_of(request: ErasureRequest) -> "QuerySet[Person]":
    """Whom it is about, as far as they are there."""
    return request.people.order_by("email")


def is_under_way(request: ErasureRequest) -> bool:
    """Whether it is being carried out, or will be: what was decided is not called off."""
    return request.decided_at is not None


def may_decide(account: Account, request: ErasureRequest) -> bool:
    """Whether the account is a second person for it."""
    is_second = Askers.one(request.asked_by, request.asked_at).has_second(account)
    return is_second and request.company_id == account.company_id and Right.ERASE_PEOPLE in account.rights


def others_decide(account: Account, request: ErasureRequest) -> bool:
    """Whether the company has another account that could decide about this one."""
    return any(may_decide(other, request) for other in others_with(Right.ERASE_PEOPLE, account))


def seal_of(people: Iterable[UUID]) -> str:
    """Of whom it is about, in any order; in hex."""
    return hashlib.sha256("\n".join(sorted(person.hex for person in people)).encode()).hexdigest()


@tried_again
def decide(request: ErasureRequest, account: Account, seal: str) -> None:
    """Put on record that this account has it carried out. `seal`: of whom it has looked at.

    From here on they will be: where `carry_out` does not come to its end, `finish_decided` does. Nothing for one that was
    decided before. Raises `Refused` for who asked for it, and for other people than the account has seen.
    """
    with transaction.atomic():
        Company.objects.select_for_update(no_key=True).get(pk=request.company_id)
        locked = ErasureRequest.objects.select_for_update(of=("self",)).filter(pk=request.pk).first()
        if locked is None:
            raise Refused(_("It is done already, or being done"), _("Nothing more is needed."))
        if not may_decide(account, locked):
            raise Refused(
                _("A second person has to decide"),
                _("You asked for it, your account is too new, or your roles do not include it."),
            )
        if locked.decided_at is not None:
            return
        people = list(locked.people.values_list("pk", flat=True))
        if not people or seal_of(people) != seal:
            raise Refused(_("Some of them are not there any more"), _("Nobody was erased: look once more."))
        locked.decided_at = clock.now()
        locked.save(update_fields=["decided_at"])
        # On record first: an erasure cannot be undone if the record fails.
        subject = people[0] if len(people) == 1 else None
        detail = {"people": len(people), "asked_by": locked.asked_as}
        log.record(locked.company_id, account.actor, str(Right.ERASE_PEOPLE), subject, detail)


def carry_out(request: ErasureRequest) -> int:
    """Erase who is left of those that were decided. Answers how many people.

    Raises `Refused` while that is being done, and as `erase` does.
    """
    with under_way.order(
        ORDER, str(request.pk)
    ):  # the row says what is to be done, so that nothing is kept in the order
        people = list(request.people.values_list("pk", flat=True))
        if people:
            erase(request.company, people)
    return len(people)


def is_being_carried_out(request: ErasureRequest) -> bool:
    """Whether a process does it just now."""
    return under_way.is_held(ORDER, str(request.pk))


def finish_decided() -> int:
    """Erase who is left of what was decided and is not being carried out. Answers how many people.

    Raises as `erase` does, once all were tried.
    """
    finished, faults = 0, []
    for request in ErasureRequest.objects.exclude(decided_at=None).select_related("company"):
        try:
            finished += carry_out(request)
        except Refused:
            continue
        except EnvironmentFault as fault:
            faults.append(fault)
    if faults:
        raise faults[0]
    return finished


def take_back(request: ErasureRequest, account: Account) -> None:
    """Nobody shall be erased after all; anybody who may erase people can say so. Raises `Refused` while it is being done."""
    with transaction.atomic():
        locked = ErasureRequest.objects.select_for_update(of=("self",)).filter(pk=request.pk).first()
        if locked is None:
            return
        if is_under_way(locked):
            raise Refused(_("It is being done"), _("What was begun is carried out to the end."))
        count = locked.people.count()
        locked.delete()
        log.record(request.company_id, account.actor, "refuse-erasure", detail={"people": count})
