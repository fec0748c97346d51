"""People are erased, and what they want corrected is decided."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from ninja import Router, Status
from pydantic import Field

from server.access.roles import Right
from server.access.tokens import AdministratorRequest
from server.accounts import console_address
from server.admin_api.operations import Number, needs, refused_with
from server.audit import log
from server.core import problems
from server.core.clock import utc_text
from server.core.schemas import Message, UtcTime
from server.data_subject.decisions import accept, decline, waiting
from server.data_subject.models import DetailName
from server.erasure.erasure import erase, find_people
from server.erasure.requests import ask_by_program, needs_second_person, path_of

router = Router(tags=["administration"])

MOST_PEOPLE = 1000
Address = Annotated[str, Field(min_length=3, max_length=254)]


class PeopleToErase(Message):
    """Whom to erase, all of them or nobody."""

    emails: Annotated[list[Address], Field(min_length=1, max_length=MOST_PEOPLE)]


class ErasureAnswer(Message):
    """How many people were erased."""

    people: int


class ErasureWaits(Message):
    """Nobody is erased yet: a person has to decide."""

    people: int
    address: str
    """Where the console shows it to those who may decide."""


class WaitingCorrection(Message):
    """What a person wants changed in a field that the directory owns."""

    id: int
    email: str
    field: DetailName
    value: str | list[str]
    requested: str | list[str]
    requested_at: UtcTime


class CorrectionsAnswer(Message):
    """The corrections that nobody has decided yet."""

    corrections: list[WaitingCorrection]


class CorrectionDecision(Message):
    """What becomes of a correction."""

    decision: Literal["accept", "decline"]


@router.post(
    "/erasures",
    response={200: ErasureAnswer, 202: ErasureWaits},
    summary="Erase everything about people, or ask for it where a second person decides",
    **needs(Right.ERASE_PEOPLE, 400, 404, 413, 415, 422),
)
def erase_people(request: AdministratorRequest, body: PeopleToErase) -> Status[dict[str, Any]]:
    """All of them, or nobody if one is not known. How many rows went is not told: it would tell what they chose."""
    company = request.auth.company
    people, unknown = find_people(company, body.emails)
    if unknown:
        detail = f"Nobody was erased. Not known: {', '.join(unknown)}"[: problems.LARGEST_DETAIL]
        raise problems.Problem("not-found", HTTPStatus.NOT_FOUND, "Somebody is not known", detail)
    if needs_second_person(company):
        with refused_with(HTTPStatus.NOT_FOUND, "not-found"):
            asked = ask_by_program(company, request.auth.actor, list(people.values()))
        address = f"{console_address.of_links()}/{path_of(asked)}"
        return Status(202, {"people": len(people), "address": address})
    # On record first: an erasure cannot be undone if the record fails.
    subject = next(iter(people.values())) if len(people) == 1 else None
    log.record(company, request.auth.actor, str(Right.ERASE_PEOPLE), subject, {"people": len(people)})
    erase(company, list(people.values()))
    return Status(200, {"people": len(people)})


@router.get(
    "/corrections",
    response=CorrectionsAnswer,
    summary="What people want corrected in the directory's fields",
    **needs(Right.READ_CORRECTIONS),
)
def list_corrections(request: AdministratorRequest) -> dict[str, Any]:
    """The corrections that nobody has decided yet, the oldest first."""
    return {
        "corrections": [
            {
                "id": correction.pk,
                "email": correction.person.email,
                "field": correction.field,
                "value": getattr(correction.person, correction.field),
                "requested": correction.value,
                "requested_at": utc_text(correction.requested_at),
            }
            for correction in waiting(request.auth.company)
        ]
    }


@router.post(
    "/corrections/{number}",
    response=CorrectionDecision,
    summary="Accept or decline a correction",
    **needs(Right.DECIDE_CORRECTIONS, 400, 404, 409, 413, 415, 422),
)
def decide_correction(
    request: AdministratorRequest, number: Number, body: CorrectionDecision
) -> dict[str, str]:
    """Accept or decline; 409 where somebody else decided meanwhile."""
    caller = request.auth
    if not waiting(caller.company).filter(pk=number).exists():
        raise problems.not_found()
    decide = accept if body.decision == "accept" else decline
    with refused_with(HTTPStatus.CONFLICT, "conflict"):
        decide(caller.company, number, caller.actor)
    return {"decision": body.decision}
