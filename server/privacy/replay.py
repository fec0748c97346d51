"""Before anything is served: do again what a restored backup has undone.

A database from a backup knows fewer lines of the erasure ledger than there are, or an older end of the audit log than
the data folder. Then the missing lines are applied, and the counters of signed documents make a leap: agents have seen
higher ones than the backup holds, and refuse documents whose counter goes back.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from server import clock
from server.access.models import AccessToken
from server.audit import heads, log
from server.audit.models import Chain
from server.campaigns.models import Campaign
from server.campaigns.recalling import recall_row
from server.delivery.models import Device
from server.directory.models import Company, Person
from server.errors import EnvironmentFault
from server.privacy import ledger
from server.privacy.erasure import PEOPLE_AT_ONCE, empty_write_ahead_log, erase_rows
from server.privacy.ledger import Fact, Mark
from server.privacy.models import LedgerState
from server.signals.closing import close_rows
from server.signals.consents import GIVEN, WITHDRAWN, Decision, lock_person, withdraw
from server.signals.models import Consent
from server.signing.documents import publish_company, sign_campaign
from server.tenants.closing import delete_files

COUNTER_LEAP = 1_000_000
"""More documents than any company signs between two backups. Agents take counters up to 2**53."""

_log = logging.getLogger(__name__)


def catch_up(*, thorough: bool = False) -> dict[str, int]:
    """Bring the database up to the ledger. Answers how much was done, by kind of fact; nothing is the usual answer.

    `thorough` checks every line of the ledger, and not only its end.
    Raises `EnvironmentFault` when the ledger is damaged, too short or of another database, or a key cannot be used: nothing
    may be served then.
    """
    if not _has_tables():
        return {}
    # In this order: whoever writes meanwhile only makes the ledger longer than what was read here.
    applied = _applied()
    if ledger.end() != applied or _is_older_than_its_audit_log():
        return _replay()
    if thorough:
        ledger.after(ledger.read(), applied)
    return {}


def apply_to(company: Company) -> dict[str, int]:
    """Apply all that the ledger says of people and campaigns of a company that was just imported from an older export.

    Call it in the transaction of the import. Raises `EnvironmentFault` as `catch_up` does.
    """
    facts = [fact for _mark, fact in ledger.read() if fact.company == company.pk]
    return _apply([fact for fact in facts if fact.kind != "company-closed"])


def _replay() -> dict[str, int]:
    with transaction.atomic():
        LedgerState.objects.get_or_create(pk=1)
        state = LedgerState.objects.select_for_update().get(pk=1)
        facts = ledger.read()
        missing = ledger.after(facts, Mark(state.number, state.digest))
        if not missing and not _is_older_than_its_audit_log():  # another process had not committed yet
            return {}
        done = _apply(missing)
        if facts:
            state.number, state.digest = facts[-1][0].number, facts[-1][0].digest
            state.save()
        for company in Company.objects.select_for_update().order_by("pk"):
            leap(company)
            if missing:
                log.record(company, "server", "replay-ledger", detail={"lines": len(missing)})
            else:
                log.record(company, "server", "sign-afresh")
    empty_write_ahead_log()
    _log.warning(
        "The database is older than what happened since: %d lines of the erasure ledger were applied (%s), and all "
        "documents are signed afresh.",
        len(missing),
        ", ".join(f"{kind}: {count}" for kind, count in done.items()) or "nothing to change",
    )
    return done


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
    companies = list(Company.objects.values_list("pk", flat=True))
    kept = {company: _kept_number(company) for company in companies}
    stored = dict(Chain.objects.values_list("pk", "number"))
    return any(number > stored.get(company, 0) for company, number in kept.items())


def _kept_number(company_id: str) -> int:
    try:
        head = heads.kept(company_id)
    except EnvironmentFault as fault:  # for `tidings-server audit verify` to complain about
        _log.error("%s %s", fault.title, fault.message)
        return 0
    return head.end.number if head else 0


def _apply(facts: Iterable[Fact]) -> dict[str, int]:
    """In the order of `_STEPS`. Erasures first, then withdrawals: what is closed is counted without them."""
    by_kind: dict[str, list[Fact]] = {kind: [] for kind in _STEPS}
    for fact in facts:
        by_kind[fact.kind].append(fact)
    done = Counter({kind: step(by_kind[kind]) for kind, step in _STEPS.items()})
    return {kind: count for kind, count in done.items() if count}


def _close_companies(facts: list[Fact]) -> int:
    closed = list(Company.objects.filter(pk__in={fact.company for fact in facts}))
    for company in closed:
        company_id = company.pk
        company.delete()
        delete_files(company_id)
    return len(closed)


def _erase_people(facts: list[Fact]) -> int:
    count = 0
    for company, people in _people_of(facts).items():
        named = [
            people[fact.person] for fact in facts if fact.company == company.pk and fact.person in people
        ]
        if named:
            count += len(erase_rows(company, list(dict.fromkeys(named)))[1])
    return count


def _withdraw_consents(facts: list[Fact]) -> int:
    count = 0
    for company, people in _people_of(facts).items():
        for fact in facts:
            if fact.company == company.pk and fact.person in people:
                count += _withdraw(company, people[fact.person], fact)
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


def _revoke_devices(facts: list[Fact]) -> int:
    tokens = {fact.token for fact in facts}
    enrolled = Device.objects.filter(revoked_at=None).values_list("pk", "family", "token_hash")
    ended = [pk for pk, *hashes in enrolled if ledger.token_digest(hashes[0] or hashes[1]) in tokens]
    for start in range(0, len(ended), PEOPLE_AT_ONCE):
        Device.objects.filter(pk__in=ended[start : start + PEOPLE_AT_ONCE]).update(revoked_at=clock.now())
    return len(ended)


def _revoke_access(facts: list[Fact]) -> int:
    tokens = {fact.token for fact in facts}
    ended = [token for token in AccessToken.objects.all() if ledger.token_digest(token.token_hash) in tokens]
    for token in ended:
        token.delete()
    return len(ended)


def _recall_campaigns(facts: list[Fact]) -> int:
    count = 0
    for fact in facts:
        campaigns = Campaign.objects.filter(company=fact.company, campaign_id=fact.campaign)
        for campaign in campaigns.select_related("company"):
            count += recall_row(campaign.company, campaign)
    return count


def _close_campaigns(facts: list[Fact]) -> int:
    count = 0
    for fact in facts:
        campaigns = Campaign.objects.filter(company=fact.company, campaign_id=fact.campaign)
        count += sum(close_rows(campaign) for campaign in campaigns)
    return count


def _people_of(facts: list[Fact]) -> dict[Company, dict[str, UUID]]:
    """The people of the companies that the facts name, by their hashes."""
    companies = Company.objects.filter(pk__in={fact.company for fact in facts})
    return {
        company: {
            ledger.person_hash(person): person
            for person in Person.objects.filter(company=company).values_list("pk", flat=True)
        }
        for company in companies
    }


def leap(company: Company) -> None:
    """Sign the company and what is in feeds afresh, under counters that no agent has seen."""
    Company.objects.filter(pk=company.pk).update(counter=F("counter") + COUNTER_LEAP)
    publish_company(company)
    for campaign in Campaign.objects.filter(company=company, ends__gt=clock.now()).order_by("pk"):
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
