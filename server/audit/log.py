"""Append to the audit log. One chain for each company; see `verifying` for how tampering is found.

What a person chose to share is never recorded: the log is read by administrators, and they may not learn it.
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from server.audit import heads
from server.audit.heads import Head
from server.audit.models import Chain, Entry
from server.clock import now, utc_text
from server.directory.models import Company
from server.errors import EnvironmentFault
from server.signing.digests import canonical_json

GAP = "gap"
"""The database was older than the end that the data folder remembers: its entries in between are lost."""
RESTORED = "restored"
"""An administrator, or the program, says that a gap comes from a backup that was restored."""

HASHED = ("number", "time", "actor", "action", "subject", "detail", "previous")
ACTION = re.compile(r"[a-z][a-z-]{0,39}")
LONGEST_DETAIL = 4000
COMMAND_LINE = "command-line"

_log = logging.getLogger(__name__)


def record(
    company: Company | str,
    actor: str,
    action: str,
    subject: UUID | None = None,
    detail: Mapping[str, Any] = {},
) -> Entry:
    """Append one act to the company's chain, in the caller's transaction if there is one.

    `actor`: a role, command or program, such as `command-line`, `agent`, `token 3 (dpo)`. `subject`: the person whom it
    is about. `detail`: JSON without fractions, that names no person and none of their choices.
    """
    if not ACTION.fullmatch(action):
        raise ValueError(f"no action's name: {action}")
    company_id = company if isinstance(company, str) else company.pk
    with transaction.atomic():
        chain = _locked_chain(company_id)
        _note_gap(chain)
        return _append(chain, actor, action, subject_hash(subject) if subject else "", detail)


def restored(company: Company | str, actor: str = "server") -> Entry:
    """Continue the chain of a database that was restored from a backup, with both ends on record.

    Call it in, or right after, the transaction that replays the erasure ledger.
    """
    company_id = company if isinstance(company, str) else company.pk
    with transaction.atomic():
        chain = _locked_chain(company_id)
        before, remembered = Head(chain.number, chain.digest), _remembered(company_id)
        detail: dict[str, Any] = {}
        if remembered and remembered.number > before.number:
            detail = _lost(before, remembered)
            chain.number = remembered.number
        return _append(chain, actor, RESTORED, "", detail)


def subject_hash(person_id: UUID) -> str:
    """How a person is named in the log. The id is random: without the person's row nobody can be found from it."""
    return hashlib.sha256(b"tidings audit person " + person_id.bytes).hexdigest()


def digest(entry: Entry) -> str:
    """SHA-256, in hex, over the canonical JSON of the entry with the digest of the one before."""
    content = {name: getattr(entry, name) for name in HASHED} | {"company": entry.company_id}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def _locked_chain(company_id: str) -> Chain:
    Chain.objects.get_or_create(company_id=company_id)
    return Chain.objects.select_for_update().get(company_id=company_id)


def _note_gap(chain: Chain) -> None:
    """The remembered end is written after the entries are: when it is ahead, entries are gone."""
    before, remembered = Head(chain.number, chain.digest), _remembered(chain.company_id)
    if remembered and remembered.number > before.number:
        chain.number = remembered.number
        _append(chain, "server", GAP, "", _lost(before, remembered))


def _remembered(company_id: str) -> Head | None:
    """What the data folder says; a broken file is for `verify` to complain about, and must not stop an act."""
    try:
        return heads.kept(company_id)
    except EnvironmentFault as fault:
        _log.error("%s %s", fault.title, fault.message)
        return None


def _lost(before: Head, remembered: Head) -> dict[str, Any]:
    return {
        "database": {"number": before.number, "digest": before.digest},
        "data_folder": {"number": remembered.number, "digest": remembered.digest},
    }


def _append(chain: Chain, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> Entry:
    text = canonical_json(detail)
    if len(text) > LONGEST_DETAIL:
        raise ValueError(f"the detail of {action} has {len(text)} characters, {LONGEST_DETAIL} are allowed")
    entry = Entry(
        company_id=chain.company_id,
        number=chain.number + 1,
        time=utc_text(now()),
        actor=actor[:100],
        action=action,
        subject=subject,
        detail=text,
        previous=chain.digest,
    )
    entry.digest = digest(entry)
    entry.save(force_insert=True)
    chain.number, chain.digest = entry.number, entry.digest
    chain.save(force_update=True)
    transaction.on_commit(partial(_keep_head, chain.company_id, Head(entry.number, entry.digest)))
    return entry


def _keep_head(company_id: str, head: Head) -> None:
    """The act has happened and is on record: a full disk must not make it look failed."""
    try:
        heads.keep(company_id, head)
    except (OSError, EnvironmentFault) as error:
        _log.error("the end of the audit log of %s cannot be kept in the data folder: %s", company_id, error)
