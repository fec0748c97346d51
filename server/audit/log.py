"""Append to the audit log. One chain for each company; see `verifying` for how tampering is found.

What a person chose to share is never recorded: the log is read by administrators, and they may not learn it.
"""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from server.audit import chain_heads
from server.audit.chain_heads import START, Break, Damaged, Explanation, Head, Kept
from server.audit.models import Chain, Entry, EntrySubject
from server.core.clock import now, utc_text
from server.core.errors import EnvironmentFault
from server.directory.models import Company, Person
from server.signing.digests import canonical_json

BREAK = "chain-broken"
"""The log does not go on from the end that the data folder remembers: it was changed, cut off, or restored from a backup."""
EXPLAIN = "explain-audit-log"
"""A person says why the log is not whole."""
GAP, RESTORED = "gap", "restored"
"""What versions before this one wrote for entries that were lost, and for a backup that explained it."""

HASHED = ("number", "time", "actor", "action", "subject", "detail", "previous")
ACTION = re.compile(r"[a-z][a-z-]{0,39}")
LONGEST_DETAIL = 4000
COMMAND_LINE = "command-line"
NONCE_BYTES = 32

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
        # The person before the chain, as whoever changes a person does: two that wait for each other both fail.
        known = subject is not None and _is_locked(subject)
        chain = _locked_chain(company_id)
        _compare(chain)
        if subject is None:
            return _append(chain, actor, action, "", detail)
        nonce = secrets.token_bytes(NONCE_BYTES)
        entry = _append(
            chain, actor, action, subject_of(company_id, chain.number + 1, subject, nonce), detail
        )
        if known:
            EntrySubject.objects.create(entry=entry, person_id=subject, nonce=nonce)
        return entry


def explain(company: Company, actor: str, by: str, reason: str, faults: Sequence[str]) -> Entry:
    """Put on record what a person says about faults of the log, given by their keys.

    Raises `OSError` or `EnvironmentFault` when the data folder cannot keep it: the faults are then not explained.
    """
    with transaction.atomic():
        entry = record(company, actor, EXPLAIN, detail={"by": by, "reason": reason, "faults": len(faults)})
        said = Explanation(entry.time, by, reason, entry.number, tuple(faults))
        transaction.on_commit(lambda: chain_heads.explain(company.pk, said))
    return entry


def _is_locked(person_id: UUID) -> bool:
    """Whether the person is there, and stays until the end of the transaction. Who is being erased gets no row any more."""
    locked = Person.objects.select_for_update(no_key=True).filter(pk=person_id)
    return locked.values_list("pk").first() is not None


def subject_of(company_id: str, number: int, person_id: UUID, nonce: bytes) -> str:
    """How a person is named in one entry. Without its nonce, which goes with the person, it can be of anybody (ADR 21)."""
    text = f"tidings audit subject {company_id} {number} {person_id}"
    return hmac.digest(nonce, text.encode(), "sha256").hex()


def old_subject_of(person_id: UUID) -> str:
    """How versions before this one named a person: alike in all entries. The id is random, and goes with the person."""
    return hashlib.sha256(b"tidings audit person " + person_id.bytes).hexdigest()


def digest(entry: Entry) -> str:
    """SHA-256, in hex, over the canonical JSON of the entry with the digest of the one before."""
    content = {name: getattr(entry, name) for name in HASHED} | {"company": entry.company_id}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def _locked_chain(company_id: str) -> Chain:
    locked = Chain.objects.select_for_update().filter(company_id=company_id)
    if (chain := locked.first()) is not None:
        return chain
    Chain.objects.get_or_create(company_id=company_id)
    return locked.get()


def _compare(chain: Chain) -> None:
    """Hold the database against the data folder before the log goes on. A break is put on record, and stops no act."""
    try:
        kept = chain_heads.kept(chain.company_id)
    except Damaged as error:
        _log.error("%s %s", error.title, error.message)
        kept = None
    except EnvironmentFault as error:  # the disk may answer again later, and nothing is lost
        _log.error("%s %s", error.title, error.message)
        return
    last = Entry.objects.filter(company=chain.company_id).order_by("-number").first()
    if is_continued(kept, chain, last):
        return
    found = Break(utc_text(now()), kept.end if kept else None, head_of(last))
    _log.error(
        "The audit log of %s does not go on from the remembered end (%s), but from %s. See: tidings-server audit verify",
        chain.company_id,
        found.remembered,
        found.database,
    )
    try:
        chain_heads.note_break(chain.company_id, found)
    except OSError as error:  # it is found again by the next act
        _log.error("the break in the audit log of %s cannot be kept: %s", chain.company_id, error)
        return
    noted = Head(chain.number, chain.digest)
    remembered = found.remembered.number if found.remembered else 0
    chain.number, chain.digest = max(found.database.number, remembered), found.database.digest
    detail = {
        "database": asdict(found.database),
        "data_folder": asdict(found.remembered) if found.remembered else None,
        "noted": asdict(noted),
    }
    _append(chain, "server", BREAK, "", detail)


def is_continued(kept: Kept | None, chain: Chain | None, last: Entry | None) -> bool:
    """Whether the database ends as it was left: the last entry, what `Chain` notes of it, and what the data folder knows."""
    head = head_of(last)
    noted = Head(chain.number, chain.digest) if chain else START
    if noted != head or (last is not None and digest(last) != last.digest):
        return False
    if kept is None:
        return head == START
    return kept.knows(head) or (
        kept.announced is None and last is not None and _is_shortly_before(kept.end, last)
    )


def _is_shortly_before(end: Head, last: Entry) -> bool:
    """Older versions remembered an end after the commit only: where they were killed, there are some entries more."""
    entries = Entry.objects.filter(company=last.company_id, number__gte=end.number).order_by("number")
    before = None if end.number else START
    for entry in entries.iterator():
        follows = entry.number == end.number if before is None else entry.previous == before.digest
        if not follows or entry.digest != digest(entry):
            return False
        before = Head(entry.number, entry.digest)
        if entry.number == end.number and before != end:
            return False
    return before is not None


def head_of(entry: Entry | None) -> Head:
    """Where the chain ends with this entry, or without any."""
    return Head(entry.number, entry.digest) if entry else START


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
    before, head = Head(chain.number, chain.digest), Head(entry.number, entry.digest)
    _tell_data_folder(chain.company_id, partial(chain_heads.announce, chain.company_id, before, head))
    entry.save(force_insert=True)
    chain.number, chain.digest = head.number, head.digest
    chain.save(force_update=True)
    confirm = partial(chain_heads.confirm, chain.company_id, head)
    transaction.on_commit(partial(_tell_data_folder, chain.company_id, confirm))
    return entry


def _tell_data_folder(company_id: str, tell: Callable[[], None]) -> None:
    """A disk that takes nothing must not stop an emergency or a withdrawal. What was not announced is a break later."""
    try:
        tell()
    except (OSError, EnvironmentFault) as error:
        _log.error("the end of the audit log of %s cannot be kept in the data folder: %s", company_id, error)
