"""What each operation of the administration API has: who is let in, and how a refusal is answered."""

import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

from ninja import Path

from server.access.roles import Right
from server.access.tokens import Allowed
from server.core import problems
from server.core.errors import Refused
from server.core.schemas import problem_answers
from server.publishing.recall import EmergencyKept

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


def needs(right: Right, *statuses: int) -> dict[str, Any]:
    """The keywords of an operation's decorator: who is let in, and what its description says of that."""
    described = problem_answers(401, 403, 429, 503, *statuses) | {"x-tidings-right": str(right)}
    return {"auth": Allowed(right), "openapi_extra": described}


@contextlib.contextmanager
def refused_with(status: HTTPStatus, code: str) -> Iterator[None]:
    """Answer a refusal of what was asked with a problem of this status."""
    try:
        yield
    except EmergencyKept:
        raise
    except Refused as refused:
        raise problems.Problem(code, status, refused.title, refused.message) from refused
