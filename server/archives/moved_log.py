"""The audit log of a company that moves: what its data folder knows goes with it, and nothing is hidden by the way."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from server.archives.archive import LOG_END, damaged
from server.audit import chain_heads
from server.audit.chain_heads import START, Break, Explanation, Head, Kept
from server.audit.log import BREAK, EXPLAIN, head_of
from server.audit.models import Chain, Entry
from server.audit.verifying import Verdict, verify
from server.core.clock import now, utc_text
from server.core.errors import EnvironmentFault, Refused
from server.core.json_text import read_json
from server.directory.models import Company
from server.signing.digests import canonical_json

ENTRIES = "rows/audit.entry.jsonl"


@dataclass(frozen=True)
class Known:
    """What the archive says of the log. `faults`: the keys of those that were known, and not explained, where it was made."""

    kept: Kept
    faults: frozenset[str]


def taken_out(company_id: str, verdict: Verdict) -> bytes:
    """What is known of the log that is being read: within the export's transaction. `verdict`: on it, from shortly before."""
    chain, last = _end_of(company_id)
    end, found = Head(chain.number, chain.digest) if chain else head_of(last), verdict.broken
    try:
        kept = chain_heads.kept(company_id) or Kept(START)
    except EnvironmentFault:  # what it knew is lost, which stays to be explained
        kept, found = Kept(START), Break("", None, end)
    new = (replace(found, time=utc_text(now())),) if found else ()
    there = Kept(end, breaks=(*kept.breaks, *new), explanations=kept.explanations)
    faults = sorted({fault.key for fault in (*verdict.found, *new) if fault.key})
    return canonical_json({"log": chain_heads.to_fields(there), "faults": faults}).encode()


def brought_in(company: Company, content: bytes | None) -> list[str]:
    """Remember what is known of the log that came with the company. Answers what is wrong with it, in words.

    `content`: None in an archive of an older version. What was wrong where the archive was made is told here, too, until
    somebody explains it. Raises `Refused` where more is wrong: the log was changed on its way.
    """
    known = _known(content) if content is not None else None
    chain, last = _end_of(company.pk)
    end = Head(chain.number, chain.digest) if chain else head_of(last)
    if known is not None and known.kept.end != end:
        raise _changed([_("{file}: it names another end than the log has").format(file=LOG_END)])
    entries = Entry.objects.filter(company=company)
    explanations = known.kept.explanations if known else ()
    if untrue := [
        one.entry for one in explanations if not _is_on_record(one, entries.filter(number=one.entry))
    ]:
        text = _("{file}: entry {number} does not say what is explained").format(
            file=LOG_END, number=untrue[0]
        )
        raise _changed([text])
    breaks = known.kept.breaks if known else ()
    told = {one.key for one in breaks}
    lost = [one for one in map(_break_of, entries.filter(action=BREAK).order_by("number")) if one]
    more = tuple(one for one in lost if one.key not in told)
    chain_heads.begin(company.pk, Kept(end, breaks=(*breaks, *more), explanations=explanations))
    verdict = verify(company)
    if known is not None and (new := [one.text for one in verdict.found if one.key not in known.faults]):
        raise _changed(new)
    return verdict.faults


def _end_of(company_id: str) -> tuple[Chain | None, Entry | None]:
    last = Entry.objects.filter(company=company_id).order_by("-number").first()
    return Chain.objects.filter(company=company_id).first(), last


def _known(content: bytes) -> Known:
    try:
        fields: dict[str, Any] = read_json(content)
        kept, faults = chain_heads.from_fields(fields.pop("log")), frozenset(map(str, fields.pop("faults")))
        if fields or kept.announced:
            raise ValueError(_("it holds what no log has"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(f"{LOG_END}: {error}") from error
    return Known(kept, faults)


def _is_on_record(said: Explanation, entries: Iterable[Entry]) -> bool:
    """Whether the log itself says that somebody explained so many faults for this reason."""
    expected = {"by": said.by, "reason": said.reason, "faults": len(said.faults)}
    return any(
        entry.action == EXPLAIN and entry.time == said.time and entry.detail == canonical_json(expected)
        for entry in entries
    )


def _break_of(entry: Entry) -> Break | None:
    """The break that an entry tells. One that cannot be read was changed, which is a fault of its own."""
    try:
        detail = json.loads(entry.detail)
        remembered = detail["data_folder"]
        return Break(
            entry.time,
            Head(int(remembered["number"]), str(remembered["digest"])) if remembered else None,
            Head(int(detail["database"]["number"]), str(detail["database"]["digest"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _changed(faults: Sequence[str]) -> Refused:
    return Refused(
        _("The audit log in the archive was changed"),
        _("{file}: {faults} Nothing was imported. Take the company out again, where it is.").format(
            file=ENTRIES, faults=" ".join(f"{fault.rstrip('.')}." for fault in faults[:5])
        ),
    )
