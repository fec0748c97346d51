"""What every message has in common: no unknown field, and no value that is silently made to fit."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja.parser import Parser
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server.core import problems
from server.core.json_text import is_json, read_json


class Message(BaseModel):
    """A message of the protocol. Not ninja's `Schema`: that reads every field through a getter for Django models.

    An error does not hold the value: an answer is made of what is held about a person, and errors are logged.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class StrictParser(Parser):
    """Bodies are JSON and say so, and have one meaning, which Python's own parser does not ask for."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body's value. Raises `Problem` (400, 415): agents send again what something on the way has changed."""
        if not is_json(request.META.get("CONTENT_TYPE", "")):
            raise problems.unreadable("Bodies are JSON in UTF-8.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            return read_json(request.body)
        except ValueError as error:
            raise problems.unreadable(f"The body is not JSON as RFC 8259 has it: {error}.") from error


def _is_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _is_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def whole(value: Any) -> Any:
    """For `BeforeValidator`: JSON has one kind of number, and 1.0 is an integer there (JSON Schema, 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


CAMPAIGN_ID = r"^c-[a-z0-9-]{1,40}$"
UUID4 = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"

Uuid4 = Annotated[str, Field(pattern=UUID4, examples=["0d9b6c1e-3f2a-4c5d-8e7f-000000000001"])]
CampaignId = Annotated[str, Field(pattern=CAMPAIGN_ID)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
LinkId = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Version = Annotated[str, Field(pattern=r"^[0-9A-Za-z.+-]{1,40}$")]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
UtcDate = Annotated[
    str,
    Field(pattern=r"^20[0-9]{2}-[01]\d-[0-3]\d$", json_schema_extra={"format": "date"}),
    AfterValidator(_is_date),
]
UtcTime = Annotated[
    str,
    Field(
        pattern=r"^20[0-9]{2}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ$",
        json_schema_extra={"format": "date-time"},
    ),
    AfterValidator(_is_time),
]
SignalName = Literal["seen", "click", "like"]
CompactJws = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]


class ProblemAnswer(Message):
    """RFC 9457."""

    type: str
    title: str
    detail: str
    status: int


def problem_answers(*statuses: int) -> dict[str, Any]:
    """The part of an operation's OpenAPI description that says which problems it answers."""
    content = {"application/problem+json": {"schema": ProblemAnswer.model_json_schema()}}
    return {"responses": {status: {"description": "Problem", "content": content} for status in statuses}}
