"""The record of processing activities (GDPR article 30), made from what the models declare about their own fields."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.apps import apps
from django.utils.html import escape
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext as _

from server.core import clock
from server.core.csv_export import csv_text
from server.core.data_map import Personal, Retention, data_map_of
from server.directory.models import Company
from server.processing_record.processors import in_force
from server.processing_record.record_words import FIELDS
from server.region.region import region_name


@dataclass(frozen=True)
class Activity:
    """One purpose. `people`: categories of data subjects; `data`: categories of personal data."""

    purpose: str
    people: str
    data: Sequence[str]
    retention: str


@dataclass(frozen=True)
class Record:
    """All that article 30(1) asks for, in one language. `activities` is (b), (c) and (f)."""

    controller: str
    contact: str
    region: str
    made: str
    recipients: Sequence[str]
    transfers: str
    measures: Sequence[str]
    activities: Sequence[Activity]


def declared_fields() -> dict[str, Personal]:
    """Every personal field of the server, as `directory.person.email`."""
    return {
        f"{model._meta.label_lower}.{name}": said
        for model in apps.get_models()
        for name, said in data_map_of(model._meta.label_lower, getattr(model, "data_map", None)).items()
        if isinstance(said, Personal)
    }


def record_of(company: Company) -> Record:
    """The company's record, in the current language."""
    return Record(
        controller=company.legal_name,
        contact=f"{company.dpo_name}, {company.dpo_email}",
        region=region_name(company.region),
        made=clock.utc_text(clock.now()),
        recipients=_recipients(company),
        transfers=_transfers(company),
        measures=_measures(),
        activities=_activities(),
    )


def _transfers(company: Company) -> str:
    """Article 30(1)(e)."""
    outside = [one for one in in_force(company) if one.safeguards]
    if not outside:
        return _("None: this server refuses data of other regions, and computers refuse servers of others.")
    named = "; ".join(f"{one.name}, {one.country} ({one.safeguards})" for one in outside)
    return _("By processors: {named}. Not by this server, which refuses data of other regions.").format(
        named=named
    )


def _processors(company: Company) -> list[str]:
    line = _("{name}, as processor (GDPR article 28): {service}; {country}; since {day}")
    return [
        line.format(name=one.name, service=one.service, country=one.country, day=one.since.isoformat())
        for one in in_force(company)
    ]


def _activities() -> list[Activity]:
    grouped: dict[tuple[str, Retention], list[str]] = {}
    for name, said in declared_fields().items():
        grouped.setdefault((said.purpose, said.retention), []).append(gettext(FIELDS[name]))
    return [
        Activity(gettext(purpose), _people(retention), list(dict.fromkeys(data)), gettext(retention.value))
        for (purpose, retention), data in grouped.items()
    ]


def _people(retention: Retention) -> str:
    if retention in (Retention.ACCOUNT, Retention.SESSION, Retention.ATTEMPT, Retention.DRAFT):
        return _("people with an account of the console")
    return _("contacts and administrators") if retention is Retention.OFFICE else _("employees")


def _recipients(company: Company) -> list[str]:
    reports = (
        _("communicators of the company: reports, which name those who share")
        if company.named_reporting
        else _("communicators of the company: reports, as totals of at least {minimum} people").format(
            minimum=company.minimum
        )
    )
    return [
        _("administrators of the company: the directory, never a person's choices"),
        reports,
        _("communicators of the company: by name, who has confirmed an announcement that asks for it"),
        *(_processors(company) or [_("the operator of this server, as processor (GDPR article 28)")]),
    ]


def _measures() -> list[str]:
    """A general description (article 30(1)(g), article 32(1))."""
    return [
        _("TLS between computers and server; plain connections are refused outside of one machine"),
        _("tokens and invitation codes are stored as digests only"),
        _("what people share is stored under a pseudonym whose key is destroyed when the campaign closes"),
        _("each of the three kinds of sharing is off until the person switches it on"),
        _("announcements are signed; computers show nothing else"),
        _("an audit log that shows tampering; reading personal data is recorded too"),
        _("a ledger of erasures, replayed before a restored backup is served"),
        _("roles with only the rights that they need"),
    ]


def as_table(record: Record) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """What the columns are called, and one row for each purpose."""
    header = (
        _("Controller"), _("Data protection contact"), _("Region"), _("Purpose"), _("People"), _("Data"),
        _("Kept"), _("Recipients"), _("Transfers"), _("Security measures"),
    )  # fmt: skip
    rows = [
        (
            *(record.controller, record.contact, record.region),
            *(activity.purpose, activity.people, "; ".join(activity.data), activity.retention),
            *("; ".join(record.recipients), record.transfers, "; ".join(record.measures)),
        )
        for activity in record.activities
    ]
    return header, rows


def as_csv(record: Record) -> str:
    """The same; safe to open in a spreadsheet."""
    return csv_text(*as_table(record))


STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #4a5565; --line: #c9d1db; --paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf2; --soft: #b4becb; --line: #46505e; --paper: #14181e; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; } dt, .made { color: var(--soft); }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .5rem .7rem; text-align: left; vertical-align: top; }
@media print {
  :root { --ink: #000; --soft: #333; --line: #888; --paper: #fff; }
  body { margin: 0; font-size: 10pt; } tr { break-inside: avoid; }
}
"""


def as_html(record: Record) -> str:
    """One file that needs nothing else: for reading on a screen, light or dark, and for printing."""
    title = _("Record of processing activities")
    facts = (
        (_("Controller"), record.controller),
        (_("Data protection contact"), record.contact),
        (_("Data is stored in"), record.region),
        (_("Transfers to other countries"), record.transfers),
    )
    header = (_("Purpose"), _("People"), _("Data"), _("Kept"))
    rows = [(one.purpose, one.people, ", ".join(one.data), one.retention) for one in record.activities]
    heading = _("What is processed, and why")
    made = _("GDPR article 30. Made on {time} from the fields that this server stores.").format(
        time=record.made
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{get_language()}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}: {escape(record.controller)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f'<body>\n<main>\n<h1>{escape(title)}</h1>\n<p class="made">{escape(made)}</p>\n<dl>\n'
        + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts)
        + f"</dl>\n<h2>{escape(heading)}</h2>\n<table>\n<thead><tr>"
        + "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
        + "</tr></thead>\n<tbody>\n"
        + "".join(_row(row) for row in rows)
        + "</tbody>\n</table>\n"
        + _list(_("Who receives it"), record.recipients)
        + _list(_("Security measures"), record.measures)
        + "</main>\n</body>\n</html>\n"
    )


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in others)
    return f'<tr><th scope="row">{escape(first)}</th>{rest}</tr>\n'


def _list(title: str, items: Sequence[str]) -> str:
    return (
        f"<h2>{escape(title)}</h2>\n<ul>\n"
        + "".join(f"<li>{escape(item)}</li>\n" for item in items)
        + "</ul>\n"
    )
