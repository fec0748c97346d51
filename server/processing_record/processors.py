"""The list of those who process data for the company: somebody adds one, and ends one; both are on record."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.audit import log
from server.core import clock, plain_text
from server.core.errors import Refused
from server.directory.models import Company
from server.processing_record.models import Processor

MOST = 200
"""Those of a company that are not over."""
FIRST_DAY = date(1990, 1, 1)
LATEST = timedelta(days=3660)
"""How far ahead a day may be."""
TEXTS = {"name": 200, "service": 300, "country": 100, "safeguards": 300}
"""With the most characters of each, which are those of the columns."""


def in_force(company: Company) -> list[Processor]:
    """Those that process today."""
    today = clock.now().date()
    return [one for one in listed(company) if one.since <= today and not is_over(one)]


def listed(company: Company) -> Sequence[Processor]:
    """All that there are, were or will be, by name."""
    return list(company.processors.order_by("name", "since", "pk"))


def is_over(processor: Processor) -> bool:
    """Whether its last day has passed."""
    return processor.until is not None and processor.until < clock.now().date()


def add(account: Account, values: Mapping[str, str], *, is_outside: bool) -> Processor:
    """Add one, on record. `values`: its texts, and `since` as a day. Raises `Refused` with all that is wrong."""
    texts = {name: plain_text.one_line(values.get(name, "")) for name in TEXTS}
    if not is_outside:
        texts["safeguards"] = ""
    faults = list(_faults(texts, is_outside=is_outside))
    since = _day(values.get("since", ""))
    if since is None:
        faults.append(_("The first day is missing, or no day."))
    if faults or since is None:
        raise Refused(_("The processor cannot be added"), " ".join(faults))
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=account.company_id)
        if sum(not is_over(one) for one in company.processors.all()) >= MOST:
            raise Refused(
                _("There are too many"),
                _("End one first: at most {most} process data at once.").format(most=MOST),
            )
        if company.processors.filter(**texts, since=since).exists():
            raise Refused(_("It is there already"), _("Nothing more is needed."))
        processor = Processor.objects.create(company=company, since=since, **texts)
        log.record(company, account.actor, "add-processor", detail={"processor": processor.pk})
    return processor


def end(account: Account, number: int, day: str) -> None:
    """Say which day was or will be its last, on record. Raises `Refused` where that is none, or it has one already."""
    last = _day(day)
    with transaction.atomic():
        found = Processor.objects.select_for_update().filter(company=account.company_id, pk=number).first()
        if found is None or found.until is not None:
            raise Refused(_("It is ended already, or not there"), _("Look at the list once more."))
        if last is None or last < found.since:
            raise Refused(_("That cannot be its last day"), _("Choose a day from its first day on."))
        found.until = last
        found.save(update_fields=["until"])
        log.record(found.company_id, account.actor, "end-processor", detail={"processor": found.pk})


def _faults(texts: Mapping[str, str], *, is_outside: bool) -> Sequence[str]:
    labels = {
        "name": _("Firm"),
        "service": _("What the firm does"),
        "country": _("Country"),
        "safeguards": _("On what the transfer rests"),
    }
    found = []
    for name, text in texts.items():
        if not text and (name != "safeguards" or is_outside):
            found.append(_("{field} is missing.").format(field=labels[name]))
        most = TEXTS[name]
        problem = plain_text.problem_of_line(text) or (
            _("at most {most} characters").format(most=most) if len(text) > most else ""
        )
        if problem:
            found.append(f"{labels[name]}: {problem}.")
    return found


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= clock.now().date() + LATEST else None
