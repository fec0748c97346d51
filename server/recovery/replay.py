"""Before anything is served: do again what a restored backup has undone.

A database from a backup knows fewer lines of the erasure ledger than there are, or an older end of the audit log than
the data folder. Then the missing lines are applied, and the counters of signed documents make a leap: agents have seen
higher ones than the backup holds, and refuse documents whose counter goes back.
"""

import itertools
import logging
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from server.access.models import AccessToken
from server.accounts import recovery_codes, sessions
from server.accounts.revoked import revoke_again
from server.archives.closing import delete_files, finish_moves, on_the_move
from server.archives.deleting import delete_rows
from server.audit import chain_heads, log
from server.audit.models import Chain
from server.campaigns.models import Campaign
from server.core import clock, under_way
from server.core.errors import EnvironmentFault
from server.database.transactions import Pieces
from server.devices.models import Device
from server.directory.models import Company, Person
from server.erasure.erasure import PEOPLE_AT_ONCE, at_once, empty_write_ahead_log, erase_rows
from server.erasure_ledger import ledger
from server.erasure_ledger.ledger import Fact, Mark
from server.erasure_ledger.models import LedgerState
from server.feedback.consents import Decision, withdraw
from server.publishing.recall import recall_row
from server.retention.campaign_closing import close
from server.signals.models import Consent
from server.signals.queries import GIVEN, WITHDRAWN, lock_person
from server.signing.checking import HalfReplaced, require_own_keys
from server.signing.documents import publish_company, publish_under_new_key, sign_campaign

COUNTER_LEAP = 1_000_000
"""More documents than any company signs between two backups. Agents take counters up to 2**53."""

WITHDRAWALS_AT_ONCE = 20
"""Of one transaction: each may have rows in every campaign."""
CAMPAIGNS_AT_ONCE = 100

_log = logging.getLogger(__name__)


def catch_up(*, thorough: bool = False) -> dict[str, int]:
    """Bring the database up to the ledger. Answers how much was done, by kind of fact; nothing is the usual answer.

    `thorough` checks every line of the ledger, and not only its end.
    Raises `EnvironmentFault` when the ledger is damaged, too short or of another database, or where there is something to do
    and a company's keys are not there: nothing may be served or shown then.
    """
    if not _has_tables():
        return {}
    # In this order: whoever writes meanwhile only makes the ledger longer than what was read here.
    applied = _applied()
    if ledger.end() != applied or _is_older_than_its_audit_log():
        return _replay()
    if thorough:
        for _line in ledger.after(applied):
            pass
    return {}


def apply_to(company: Company) -> dict[str, int]:
    """Apply all that the ledger says of people and campaigns of a company that was just imported from an older export.

    Raises `EnvironmentFault` as `catch_up` does.
    """
    told = _Told.after(ledger.START)
    of_company = {
        (kind, named) for kind, named in told.what if named == company.pk and kind != "company-closed"
    }
    return _apply(replace(told, what=of_company))


def _replay() -> dict[str, int]:
    """One process after the other, in short transactions.

    Where that is interrupted, the next one does all of it again: what is done already is found done, and the database only
    then takes the ledger for applied.
    """
    with under_way.turn("replay"):
        told = _Told.after(_applied())
        if not told.lines and not _is_older_than_its_audit_log():  # another process was quicker
            return {}
        finish_moves()
        # Read again, as that may have written a line. Where a process is at it, it applies all at the end or deletes all.
        told = _Told.after(_applied()).without(on_the_move())
        companies = _that_can_sign(told)
        for company in companies:
            _take_up_new_key(company)
        done = _apply(told)
        for company in companies:
            leap(company)
        with transaction.atomic():
            sessions.end_everybodys()
            recovery_codes.end_everybodys()
            LedgerState.objects.update_or_create(
                pk=1, defaults={"number": told.end.number, "digest": told.end.digest}
            )
            for company in companies:
                if told.lines:
                    log.record(company, "server", "replay-ledger")
                else:
                    log.record(company, "server", "sign-afresh")
        empty_write_ahead_log()
    # Not what, nor how often: it may be one person's withdrawal.
    _log.warning(
        "The database was older than what happened since. That was done again, and all documents are signed afresh."
    )
    return done


def _that_can_sign(told: "_Told") -> list[Company]:
    """All companies but those that were closed since. Raises `EnvironmentFault` where one of them cannot sign.

    Whoever went on without it would serve, report and keep what its people took back. Nothing has changed yet.
    """
    gone = told.companies("company-closed") | on_the_move()
    companies = list(Company.objects.exclude(pk__in=gone).order_by("pk"))
    for company in companies:
        try:
            require_own_keys(company, or_replaced=True)
        except HalfReplaced:
            raise
        except EnvironmentFault as error:
            raise EnvironmentFault(
                _("The database is older than what happened since, and {company} cannot sign").format(
                    company=company.pk
                ),
                _(
                    "{title}. {reason} Nothing is served, shown or changed before all is done again that the backup does not "
                    "know. Put keys/{company} of the data folder back from your backup. If its keys are lost for good: "
                    "tidings-server keys replace --yes --company {company}. If it was closed since: tidings-server company "
                    "close --yes {company}"
                ).format(title=error.title, reason=error.message, company=company.pk),
            ) from error
    return companies


def _take_up_new_key(company: Company) -> None:
    """Where the backup is older than the replacement of stolen keys. From here on nothing is signed with other keys."""
    try:
        require_own_keys(company)
    except EnvironmentFault:
        publish_under_new_key(company)


@dataclass(frozen=True)
class _Told:
    """What the ledger says after one place and up to another. It is read again for each kind of facts, and never held."""

    applied: Mark
    end: Mark
    lines: int
    what: Set[tuple[str, str]]
    """The kinds of facts, each with the companies that they are of."""

    @classmethod
    def after(cls, applied: Mark) -> "_Told":
        """All that is there now."""
        end, lines, what = applied, 0, set()
        for mark, fact in ledger.after(applied):
            end, lines = mark, lines + 1
            what.add((fact.kind, fact.company))
        return cls(applied, end, lines, what)

    def without(self, moving: Collection[str]) -> "_Told":
        """The same but for these companies."""
        return replace(self, what={(kind, of) for kind, of in self.what if of not in moving})

    def companies(self, kind: str) -> set[str]:
        """Of which companies there is anything of this kind."""
        return {company for one, company in self.what if one == kind}

    def facts(self, kind: str) -> Iterator[Fact]:
        """Those of a kind, of all its companies."""
        companies = self.companies(kind)
        if not companies:
            return
        for mark, fact in ledger.after(self.applied):
            if mark.number > self.end.number:
                return
            if fact.kind == kind and fact.company in companies:
                yield fact


def _has_tables() -> bool:
    """Whether the ledger's table is there. Raises `EnvironmentFault` when a ledger waits for a database that is older."""
    if LedgerState._meta.db_table in connection.introspection.table_names():
        return True
    if ledger.end() != ledger.START:
        raise EnvironmentFault(
            _("The database is older than this program"),
            _("Start the server once, it brings the tables up to date: tidings-server serve"),
        )
    return False


def _applied() -> Mark:
    state = LedgerState.objects.filter(pk=1).first()
    return Mark(state.number, state.digest) if state else ledger.START


def _is_older_than_its_audit_log() -> bool:
    """The end of the log is confirmed in the data folder after the commit, so only a restored database can be behind it."""
    companies = set(Company.objects.values_list("pk", flat=True)) - on_the_move()
    kept = {company: _kept_number(company) for company in companies}
    stored = dict(Chain.objects.values_list("pk", "number"))
    return any(number > stored.get(company, 0) for company, number in kept.items())


def _kept_number(company_id: str) -> int:
    try:
        head = chain_heads.kept(company_id)
    except EnvironmentFault as error:  # for `tidings-server audit verify` to complain about
        _log.error("%s %s", error.title, error.message)
        return 0
    return head.end.number if head else 0


def _apply(told: _Told) -> dict[str, int]:
    """In the order of `_STEPS`. Erasures first, then withdrawals: what is closed is counted without them."""
    done = {kind: step(told) for kind, step in _STEPS.items() if told.companies(kind)}
    return {kind: count for kind, count in done.items() if count}


def _close_companies(told: _Told) -> int:
    closed = list(
        Company.objects.filter(pk__in=told.companies("company-closed")).values_list("pk", flat=True)
    )
    for company in closed:
        # Files first: as long as there is a row, the company is found here again.
        delete_files(company)
        delete_rows(company)
    return len(closed)


def _erase_people(told: _Told) -> int:
    count, pieces = 0, Pieces()
    for company, people in _people_of(told, "person-erased"):
        named = (people.get(fact.person) for fact in told.facts("person-erased"))
        for some in at_once(company, [person for person in set(named) if person]):
            with pieces.piece():
                count += len(erase_rows(company, some)[1])
    return count


def _withdraw_consents(told: _Told) -> int:
    count, pieces = 0, Pieces()
    for company, people in _people_of(told, "consent-withdrawn"):
        facts = (fact for fact in told.facts("consent-withdrawn") if fact.person in people)
        while some := list(itertools.islice(facts, WITHDRAWALS_AT_ONCE)):
            with pieces.piece():
                count += sum(_withdraw(company, people[fact.person], fact) for fact in some)
    return count


def _withdraw(company: Company, person: UUID, fact: Fact) -> bool:
    """Whether it had been undone. The receipt that the person has stays valid; the one stored here is signed anew."""
    own = Consent.objects.filter(person=person, receipt_id=fact.receipt_id)
    if own.filter(status=WITHDRAWN).exists():
        return False
    given = own.filter(status=GIVEN).first()
    lock_person(person)
    decision = Decision(
        receipt_id=UUID(fact.receipt_id),
        signal=fact.signal,
        status=WITHDRAWN,
        notice_version=given.notice_version if given else company.notice_version(),
        time=datetime.fromisoformat(fact.time),
        language=given.language if given else "en",
        agent_version=given.agent_version if given else "unknown",
    )
    withdraw(company, person, decision)
    return True


def _revoke_devices(told: _Told) -> int:
    tokens = {fact.token for fact in told.facts("device-revoked")}
    enrolled = Device.objects.filter(revoked_at=None).values_list("pk", "family", "token_hash")
    ended = [
        pk for pk, *hashes in enrolled.iterator() if ledger.token_digest(hashes[0] or hashes[1]) in tokens
    ]
    for start in range(0, len(ended), PEOPLE_AT_ONCE):
        Device.objects.filter(pk__in=ended[start : start + PEOPLE_AT_ONCE]).update(revoked_at=clock.now())
    return len(ended)


def _revoke_access(told: _Told) -> int:
    tokens = {fact.token for fact in told.facts("access-revoked")}
    ended = [token for token in AccessToken.objects.all() if ledger.token_digest(token.token_hash) in tokens]
    for token in ended:
        token.delete()
    return len(ended) + revoke_again(tokens)


def _recall_campaigns(told: _Told) -> int:
    count, pieces = 0, Pieces()
    for campaign in _campaigns_of(told.facts("campaign-recalled")):
        with pieces.piece():
            owner = Company.objects.select_for_update(no_key=True).get(pk=campaign.company_id)
            count += recall_row(owner, campaign)
    return count


def _close_campaigns(told: _Told) -> int:
    return sum(close(campaign, again=True) for campaign in _campaigns_of(told.facts("campaign-closed")))


def _campaigns_of(facts: Iterator[Fact]) -> Iterator[Campaign]:
    """The campaigns that the facts name, and that are here."""
    for fact in facts:
        named = Campaign.objects.filter(company=fact.company, campaign_id=fact.campaign)
        yield from named.select_related("company")


def _people_of(told: _Told, kind: str) -> Iterator[tuple[Company, dict[str, UUID]]]:
    """The companies that facts of this kind are of, each with its people by their hashes."""
    for company in Company.objects.filter(pk__in=told.companies(kind)):
        people = Person.objects.filter(company=company).values_list("pk", flat=True).iterator()
        yield company, {ledger.person_hash(person): person for person in people}


def leap(company: Company) -> None:
    """Sign the company and what is in feeds afresh, under counters that no agent has seen; in short transactions.

    Where it is interrupted it has to be done again: some of the documents have leapt, and others not.
    """
    pieces = Pieces()
    with pieces.piece():
        Company.objects.filter(pk=company.pk).update(counter=F("counter") + COUNTER_LEAP)
        publish_company(company)
    signed = Campaign.objects.filter(company=company, ends__gt=clock.now()).order_by("pk")
    last = 0
    some: list[Campaign] | None = None
    while some is None or some:
        with pieces.piece():
            some = list(signed.filter(pk__gt=last)[:CAMPAIGNS_AT_ONCE])
            for campaign in some:
                _sign_again(company, campaign)
                last = campaign.pk


def _sign_again(company: Company, campaign: Campaign) -> None:
    document = sign_campaign(company, campaign.campaign_id, campaign.content, campaign.ends)
    campaign.document, campaign.counter = document.jws, document.counter
    campaign.save(update_fields=["document", "counter"])


_STEPS = {
    "company-closed": _close_companies,
    "person-erased": _erase_people,
    "consent-withdrawn": _withdraw_consents,
    "device-revoked": _revoke_devices,
    "access-revoked": _revoke_access,
    "campaign-recalled": _recall_campaigns,
    "campaign-closed": _close_campaigns,
}
