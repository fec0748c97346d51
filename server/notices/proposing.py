"""How a version of the notice comes into force in the console: one proposes it, and somebody looks at what it does.

Where the company wants a second person for campaigns, it is another one than who proposed it. What the change does is
computed and nobody's tick: consents are given to a version, so that another version ends all of them.
"""

import difflib
import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from pydantic import ValidationError

from server.access.roles import Right
from server.accounts.models import Account
from server.accounts.two_people import Askers, others_with, second_for
from server.audit import log
from server.companies.companies import new_notice
from server.companies.company_file import NoticeSection
from server.core import clock, plain_text
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.directory.models import Company, Notice
from server.mail import outbox
from server.notices.models import NoticeProposal
from server.signing.digests import canonical_json, notice_digest

PATH = "notice/proposal"
MOST_LANGUAGES = 30
MOST_COMPARED = 160_000
"""The product of how many sentences two texts have, without those that are equal at both ends: about 0.3 s of processor."""
_SENTENCE = re.compile(r"(?<=[.!?…:])\s+|\n+")


@dataclass(frozen=True)
class Effect:
    """What another text does: `ends_consents` to all who gave one, who are among `people`, and are asked again."""

    ends_consents: bool
    people: int
    added: list[str]
    dropped: list[str]
    changed: list[str]
    """Languages."""


@dataclass(frozen=True)
class Piece:
    """A sentence of both versions, or of one: `kept`, `removed`, `added`."""

    kind: str
    text: str


def effect_of(company: Company, text: Mapping[str, str]) -> Effect:
    """What putting this text in force would do. How many consents end is on no page: whoever watches it could tell whose."""
    now = company.current_notice().text
    return Effect(
        ends_consents=dict(text) != now,
        people=company.people.count(),
        added=sorted(text.keys() - now.keys()),
        dropped=sorted(now.keys() - text.keys()),
        changed=sorted(one for one in text.keys() & now.keys() if text[one] != now[one]),
    )


def difference(before: str, after: str) -> list[Piece]:
    """Sentence by sentence."""
    old, new = _sentences(before), _sentences(after)
    return list(_pieces(old, new))


def checked(text: Mapping[str, str]) -> dict[str, str]:
    """The text as it would be stored, without languages that are empty. Raises `Refused`."""
    kept = {language: plain_text.several_lines(one) for language, one in text.items() if one.strip()}
    if len(kept) > MOST_LANGUAGES or len({language.casefold() for language in kept}) < len(kept):
        raise Refused(
            _("The notice has too many languages, or one of them twice"),
            _("It can have {most}, each once: EN and en are the same.").format(most=MOST_LANGUAGES),
        )
    if not kept:
        raise Refused(_("The notice is empty"), _("Write it in one language at least."))
    for language, one in kept.items():
        if problem := plain_text.problem_of_lines(one):
            raise Refused(_("The notice cannot be taken"), f"{language}: {problem}")
    try:
        NoticeSection(version=1, date=clock.now().date(), text=kept)
    except ValidationError as error:
        raise Refused(
            _("The notice cannot be taken"),
            _("A language's code has two or three letters, and a text 20,000 characters at most."),
        ) from error
    return kept


def seal_of(proposal: NoticeProposal) -> str:
    """Of what somebody looks at; in hex."""
    seen = {"text": proposal.text, "instead_of": proposal.instead_of, "by": proposal.proposed_as}
    return hashlib.sha256(canonical_json(seen).encode()).hexdigest()


def waiting(company: Company) -> NoticeProposal | None:
    """The one that waits, if there is one."""
    return NoticeProposal.objects.select_related("company", "proposed_by").filter(company=company).first()


def decidable_by(account: Account) -> "QuerySet[NoticeProposal]":
    """The one that waits for this account, if there is one."""
    if Right.EDIT_NOTICE not in account.rights:
        return NoticeProposal.objects.none()
    of_others = Q(company__second_person_from=None) | second_for(account, "proposed_by", "proposed_at")
    return NoticeProposal.objects.filter(of_others, company=account.company)


def needs_two(company: Company) -> bool:
    """Whether the company wants another person to look at it."""
    return company.second_person_from is not None


def may_put_in_force(account: Account, proposal: NoticeProposal) -> bool:
    """Whether the account may decide about it: as a second person, where the company wants one."""
    is_second = Askers.one(proposal.proposed_by, proposal.proposed_at).has_second(account)
    return (
        (is_second or not needs_two(proposal.company))
        and Right.EDIT_NOTICE in account.rights
        and account.company_id == proposal.company_id
    )


def others_decide(account: Account, proposal: NoticeProposal) -> bool:
    """Whether the company has another account that could decide about this one."""
    return any(may_put_in_force(other, proposal) for other in others_with(Right.EDIT_NOTICE, account))


@tried_again
def propose(account: Account, text: Mapping[str, str], instead_of: int) -> NoticeProposal:
    """Keep it for whoever puts it in force, on record.

    Raises `Refused` for a text that will not do or says what is said already, where another one waits, or another version
    is in force than the author began from.
    """
    kept = checked(text)
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=account.company_id)
        if waiting(company):
            raise Refused(_("Another version waits already"), _("Put it in force or take it back first."))
        if company.notice_version() != instead_of:
            raise _overtaken()
        if not effect_of(company, kept).ends_consents:
            raise Refused(_("That is the notice in force"), _("Change it first, or leave it as it is."))
        proposal = NoticeProposal.objects.create(
            company=company,
            text=kept,
            instead_of=instead_of,
            proposed_by=account,
            proposed_as=account.actor,
            proposed_at=clock.now(),
        )
        log.record(company, account.actor, "propose-notice", detail=_detail(proposal))
        if needs_two(company):
            outbox.notify(others_with(Right.EDIT_NOTICE, account), PATH)
    return proposal


@tried_again
def put_in_force(account: Account, seal: str) -> Notice:
    """Make it the notice, as this account has seen it; everybody is asked again. On record.

    Raises `Refused` for who must not, and where it is not what the account has seen; `EnvironmentFault` where it cannot be
    signed. Nothing has changed then.
    """
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=account.company_id)
        proposal = waiting(company)
        if proposal is None or seal_of(proposal) != seal:
            raise Refused(_("Another version waits by now, or none"), _("Look at it once more."))
        if not may_put_in_force(account, proposal):
            raise Refused(
                _("A second person has to decide"),
                _("You proposed it, your account is too new, or your roles do not include it."),
            )
        if company.notice_version() != proposal.instead_of:
            raise _overtaken()
        detail = _detail(proposal) | {"proposed_by": proposal.proposed_as}
        notice = new_notice(company, proposal.text)
        proposal.delete()
        outbox.forget(company, PATH)
        log.record(company, account.actor, "change-notice", detail=detail)
    return notice


@tried_again
def take_back(account: Account, seal: str) -> None:
    """Let it wait no more, on record; anybody with the right can. Raises `Refused` where it is another one by now."""
    with transaction.atomic():
        company = Company.objects.select_for_update(no_key=True).get(pk=account.company_id)
        proposal = waiting(company)
        if proposal is None:
            return
        if seal_of(proposal) != seal:
            raise Refused(_("Another version waits by now, or none"), _("Look at it once more."))
        log.record(company, account.actor, "take-back-notice", detail=_detail(proposal))
        proposal.delete()
        outbox.forget(company, PATH)


def _overtaken() -> Refused:
    return Refused(
        _("Another version came into force meanwhile"),
        _("Nothing was changed. Look at the notice in force, and propose the change anew."),
    )


def _detail(proposal: NoticeProposal) -> dict[str, object]:
    return {"notice": proposal.instead_of + 1, "sha256": notice_digest(proposal.text)}


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in _SENTENCE.split(text) if one.strip()]


def _pieces(old: list[str], new: list[str]) -> Iterator[Piece]:
    # Comparing costs more than the product of both lengths, so very long changes are told as a whole.
    begins = _equal(old, new)
    ends = _equal(old[begins:][::-1], new[begins:][::-1])
    between_old, between_new = old[begins : len(old) - ends], new[begins : len(new) - ends]
    yield from (Piece("kept", one) for one in new[:begins])
    if len(between_old) * len(between_new) > MOST_COMPARED:
        yield from (Piece("removed", one) for one in between_old)
        yield from (Piece("added", one) for one in between_new)
    else:
        yield from _compared(between_old, between_new)
    yield from (Piece("kept", one) for one in new[len(new) - ends :])


def _equal(old: list[str], new: list[str]) -> int:
    """How many are equal at the beginning of both."""
    return sum(
        1 for _both in itertools.takewhile(lambda both: both[0] == both[1], zip(old, new, strict=False))
    )


def _compared(old: list[str], new: list[str]) -> Iterator[Piece]:
    for kind, start, end, begin, stop in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            yield from (Piece("kept", one) for one in new[begin:stop])
            continue
        yield from (Piece("removed", one) for one in old[start:end])
        yield from (Piece("added", one) for one in new[begin:stop])
