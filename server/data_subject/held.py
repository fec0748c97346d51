"""All that the company holds about a person (GDPR articles 15 and 20), in the form of `docs/protocol`."""

from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Model

from server.campaigns.models import Campaign
from server.core import clock, problems
from server.core.clock import utc_text
from server.data_subject.models import DETAILS, CorrectionRequest
from server.data_subject.personal_rows import declared, fields_of, leading_models, rows_about
from server.devices.auth import Caller
from server.directory.models import Person
from server.feed.feed import for_person
from server.signals.queries import signals_of

Row: TypeAlias = dict[str, Any]

ROWS_AT_ONCE = 500
"""Of campaigns: their contents and documents are a hundred times what is told of them."""

TOLD: dict[str, frozenset[str]] = {
    "directory.Person": frozenset({*DETAILS, "company"}),
    "directory.Person_groups": frozenset({"id", "person", "group"}),
    "campaigns.Campaign_audience_people": frozenset({"id", "campaign", "person"}),
    "delivery.Device": frozenset({"person", "platform", "agent_version", "enrolled_at", "revoked_at"}),
    "signals.Consent": frozenset(
        [
            "person",
            "receipt_id",
            "signal",
            "status",
            "notice_version",
            "time",
            "language",
            "agent_version",
            "receipt",
        ]
    ),
    "signals.Signal": frozenset(["id", "campaign", "event_id", "signal", "date", "link_id", "value", "seq"]),
    "acknowledgements.Acknowledgement": frozenset({"campaign", "person", "event_id", "time"}),
    "rights.CorrectionRequest": frozenset({"person", "field", "value"}),
    "audit.EntrySubject": frozenset({"entry", "person"}),
}
"""What the sections of the answer tell, by table. Every other column of a row about the person is in `other`."""


def held(caller: Caller, most_signals: int) -> Row:
    """The answer of `GET /api/v1/me`.

    Raises `Person.DoesNotExist` when the person has just been erased, and `Problem` (413) when there are more signals than
    one answer may hold, before they are read.
    """
    person = Person.objects.select_related("company").get(pk=caller.person_id)
    if signals_of(person.pk, person.company_id).count() > most_signals:
        raise problems.too_large(person.company.dpo_email)
    return {
        "v": 1,
        "time": utc_text(clock.now()),
        "controller": _controller(person),
        "details": _details(person),
        "groups": list(person.groups.order_by("name").values_list("name", flat=True)),
        "computers": _computers(person, caller.device_id),
        "consents": _consents(person),
        "signals": _signals(person),
        "acknowledgements": _acknowledgements(person),
        "campaigns": _campaigns(person),
        "other": {
            model._meta.label_lower: rows for model in leading_models() if (rows := _others(model, person))
        },
    }


def _controller(person: Person) -> Row:
    company = person.company
    return {
        "name": company.legal_name,
        "dpo_name": company.dpo_name,
        "dpo_email": company.dpo_email,
        "region": company.region,
        "notice_version": company.notice_version(),
    }


def _details(person: Person) -> list[Row]:
    waiting = dict(CorrectionRequest.objects.filter(person=person).values_list("field", "value"))
    directory = person.company.directory_fields
    return [
        {
            "field": field,
            "value": getattr(person, field),
            "owner": "directory" if field in directory else "person",
            "requested": waiting.get(field),
        }
        for field in DETAILS
    ]


def _computers(person: Person, this: int) -> list[Row]:
    return [
        {
            "platform": device.platform,
            "agent_version": device.agent_version,
            "enrolled": utc_text(device.enrolled_at),
            "revoked": utc_text(device.revoked_at) if device.revoked_at else None,
            "this": device.pk == this,
        }
        for device in person.devices.order_by("pk")
    ]


def _consents(person: Person) -> list[Row]:
    return [
        {
            "receipt_id": str(consent.receipt_id),
            "signal": consent.signal,
            "status": consent.status,
            "notice_version": consent.notice_version,
            "time": utc_text(consent.time),
            "language": consent.language,
            "agent_version": consent.agent_version,
            "receipt": consent.receipt,
        }
        for consent in person.consents.order_by("pk")
    ]


def _signals(person: Person) -> list[Row]:
    names = ("event_id", "campaign__campaign_id", "signal", "date", "link_id", "value", "seq")
    rows = signals_of(person.pk, person.company_id).order_by("pk").values_list(*names)
    return [
        {
            "event_id": str(event_id),
            "campaign_id": campaign_id,
            "signal": signal,
            "date": day.isoformat(),
            "link_id": link_id,
            "value": value,
            "seq": seq,
        }
        for event_id, campaign_id, signal, day, link_id, value, seq in rows
    ]


def _acknowledgements(person: Person) -> list[Row]:
    rows = person.acknowledgements.order_by("pk").values_list("event_id", "campaign__campaign_id", "time")
    return [
        {"event_id": str(event_id), "campaign_id": campaign_id, "time": utc_text(time)}
        for event_id, campaign_id, time in rows
    ]


def _campaigns(person: Person) -> list[Row]:
    """Those addressed to the person. What has not begun yet has no title here: it is not theirs to know before."""
    campaigns = for_person(Campaign.objects.filter(company=person.company), person.pk)
    by_name = set(person.campaigns.values_list("pk", flat=True))
    now = clock.now()
    rows = campaigns.order_by("-starts", "pk").values_list(
        "pk", "campaign_id", "starts", "to_everyone", "content"
    )
    return [
        {
            "campaign_id": campaign_id,
            "title": _title(content) if starts <= now else "",
            "addressed": "everyone" if to_everyone else "person" if pk in by_name else "group",
        }
        for pk, campaign_id, starts, to_everyone, content in rows.iterator(ROWS_AT_ONCE)
    ]


def _title(content: Row) -> str:
    variant = content.get("variants", {}).get(content.get("default_language"), {})
    return str(variant.get("title", ""))


def _others(model: type[Model], person: Person) -> list[Row]:
    names = _untold(model)
    if not names:
        return []
    joined = [name for name in names if fields_of(model)[name].is_relation]
    rows = rows_about(model, person).select_related(*joined) if joined else rows_about(model, person)
    return [{name: _plain(getattr(row, name)) for name in names} for row in rows]


def _untold(model: type[Model]) -> list[str]:
    """The columns that no section tells. Of a table that has a section, its own row numbers say nothing more."""
    told = TOLD.get(model._meta.label, frozenset())
    return [
        name
        for name, field in fields_of(model).items()
        if name not in told
        and not declared(model, name).secret
        and field.related_model is not Person
        and not (told and name == "id" and model is not Person)
    ]


def _plain(value: Any) -> Any:
    """A stored value as JSON has it."""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (UUID, Model)):
        return str(value)
    return value
