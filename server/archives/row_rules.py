"""Rows that come from elsewhere are held against the rules under which they are set: on import, and by `check`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from django.db.models import Model
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from server.archives.rows import label, rows_of
from server.campaigns.models import Campaign, Link, Media
from server.campaigns.stored import MOST_BYTES, Fault, campaign_faults, link_faults, logo_fault
from server.companies.company_file import CompanySection, NoticeSection
from server.core.schemas import Sha256
from server.data_subject.models import DETAILS
from server.directory.models import SMALLEST_GROUP, Company, Group, Notice, Person
from server.people_files.cells import (
    MAX_ADDRESS_CHARACTERS,
    MAX_ADDRESSES,
    email_objection,
    limit_of,
    text_objection,
)
from server.reports.figures import Report
from server.reports.models import Block, Snapshot

LARGEST_COUNTER = 2**53
"""What agents take (docs/protocol)."""
TEXTS = ("first_name", "last_name", "title", "work_landline", "work_cell", "external_id")


class _Tally(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    size: Annotated[int, Field(ge=SMALLEST_GROUP)]
    days: dict[str, Annotated[int, Field(ge=0)]]
    links: dict[str, Annotated[int, Field(ge=0)]]


class _SizesOf(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    assigned: Annotated[int, Field(ge=0)]
    groups: dict[str, Annotated[int, Field(ge=0)]]


_Counts = TypeAdapter(_Tally | None)
_Sizes = TypeAdapter(_SizesOf)
_Report = TypeAdapter(Report)
_Sha256 = TypeAdapter(Sha256)


def faults_of(row: Model) -> Iterator[Fault]:
    """What is wrong with a row: columns, and why. Rows of other models have types and choices only."""
    rule = RULES.get(type(row))
    return rule(row) if rule else iter(())


def without_sums(row: Model) -> None:
    """What blocks add up to does not travel: it is added up again where they arrive."""
    if isinstance(row, Snapshot):
        row.sums = None


def without_wrong_counts(row: Model) -> None:
    """Take out what is kept of a report only so that it need not be counted again, where it has another form."""
    if isinstance(row, Block) and any(_faults(lambda: _Counts.validate_python(row.counts))):
        row.counts = None
    without_sums(row)
    if isinstance(row, Snapshot) and any(_faults(lambda: _Sizes.validate_python(row.sizes))):
        row.sizes = {"assigned": 0, "groups": {}}


def wrong_rows(company: Company) -> Iterator[str]:
    """What is wrong with the rows of a company that is stored here, with their tables and columns."""
    for model in RULES:
        for row in rows_of(model, company.pk).iterator():
            for column, reason in faults_of(row):
                yield f"{label(model)}: {column}: {reason}"


def _company(row: Company) -> Iterator[Fault]:
    values = {name: getattr(row, name) for name in CompanySection.model_fields if name != "logo"}
    yield from _faults(lambda: CompanySection.model_validate(values))
    if fault := logo_fault(row.logo):
        yield fault
    if row.counter > LARGEST_COUNTER:
        yield "counter", _("agents take none above {most}").format(most=LARGEST_COUNTER)


def _notice(row: Notice) -> Iterator[Fault]:
    values = {"version": row.version, "date": row.date, "text": row.text}
    yield from _faults(lambda: NoticeSection.model_validate(values))


def _group(row: Group) -> Iterator[Fault]:
    if not row.name.strip():
        yield "name", _("it is empty")
    yield from _text("name", row.name, limit_of(Group, "name"))


def _person(row: Person) -> Iterator[Fault]:
    if objection := email_objection(row.email):
        yield "email", objection[0]
    for name in TEXTS:
        yield from _text(name, getattr(row, name), limit_of(Person, name))
    for name in ("site_addresses", "own_fields"):
        lines = getattr(row, name)
        if not (isinstance(lines, list) and all(isinstance(line, str) for line in lines)):
            yield name, _("it is no list of texts")
            continue
        for line in lines:
            yield from _text(name, line, MAX_ADDRESS_CHARACTERS)
        if len(lines) > MAX_ADDRESSES:
            yield name, _("it has more than {most} lines").format(most=MAX_ADDRESSES)
    if not isinstance(row.own_fields, list) or set(map(str, row.own_fields)) - set(DETAILS):
        yield "own_fields", _("there is no such field")


def _media(row: Media) -> Iterator[Fault]:
    yield from (("sha256", reason) for _place, reason in _faults(lambda: _Sha256.validate_python(row.sha256)))
    if not 1 <= row.size <= MOST_BYTES:
        yield "size", _("it is not between {least} and {most}").format(least=1, most=MOST_BYTES)


def _campaign(row: Campaign) -> Iterator[Fault]:
    if row.counter > LARGEST_COUNTER:
        yield "counter", _("agents take none above {most}").format(most=LARGEST_COUNTER)
    if row.result is not None:
        yield from (
            ("result", f"{place} {reason}")
            for place, reason in _faults(lambda: _Report.validate_python(row.result))
        )
    yield from campaign_faults(row)


RULES: Mapping[type[Model], Callable[[Any], Iterator[Fault]]] = {
    Company: _company,
    Notice: _notice,
    Group: _group,
    Person: _person,
    Media: _media,
    Campaign: _campaign,
    Link: link_faults,
}


def _text(column: str, text: str, limit: int) -> Iterator[Fault]:
    if objection := text_objection(text, limit):
        yield column, objection[0]


def _faults(check: Callable[[], object]) -> Iterator[Fault]:
    try:
        check()
    except ValidationError as error:
        for fault in error.errors():
            yield ".".join(map(str, fault["loc"])), fault["msg"]
