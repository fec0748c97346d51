"""Two people: one submits a draft, another one, who wrote nothing of it, approves or returns it.

What is approved is what was submitted, to the byte: both pages carry the draft's seal, and so does the submission.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from server.access.bound import Bound
from server.access.roles import Right
from server.accounts.models import Account
from server.accounts.two_people import Askers, younger
from server.attention.budget import set_budget
from server.audit import log
from server.campaigns.models import Campaign
from server.core import clock
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.directory.models import Company
from server.drafts.models import Draft
from server.drafts.publication import check_draft, locked_draft, publish_draft, seal_of
from server.drafts.writing import Overtaken, end_submission, note_writer, path_of
from server.mail import outbox
from server.mail.models import ConsoleMail
from server.publishing.publish import LONGEST_REASON
from server.publishing.second_person import Approval


def is_submitted(draft: Draft, seal: str | None = None) -> bool:
    """Whether it waits for approval, as it is now: who left its audience since changed it.

    It waits no more when the account or token that submitted it is gone. `seal`: of what somebody looks at, if that is known.
    """
    if not draft.submitted_seal or not draft.has_submitter:
        return False
    return draft.submitted_seal == (seal_of(draft) if seal is None else seal)


def may_approve(account: Account, draft: Draft) -> bool:
    """Whether the account may decide about the draft: it has the rights for it, and wrote nothing of it."""
    return account.pk in {one.pk for one in who_may_approve(draft, [account])}


def who_may_approve(draft: Draft, accounts: Iterable[Account]) -> list[Account]:
    """Those of the accounts that may decide about the draft, as second persons for all who wrote any of it."""
    needed = {Right.APPROVE_CAMPAIGNS}
    if draft.fields["urgency"] == Campaign.Urgency.EMERGENCY:
        needed.add(Right.PUBLISH_EMERGENCIES)
    writers = set(draft.writers.values_list("pk", flat=True))
    askers = Askers(writers | {draft.submitted_by_id}, draft.begun_at, len(writers) < draft.writers_ever)
    return [
        account
        for account in accounts
        if needed <= account.rights
        and account.company_id == draft.company_id
        and askers.has_second(account)
        and _sees_all(account, draft)
    ]


def _sees_all(account: Account, draft: Draft) -> bool:
    """Whether the account may address everybody whom the draft is for."""
    return not account.is_bound or account.scope.those_of(Draft.objects.filter(pk=draft.pk)).exists()


def waiting_for(account: Account) -> "QuerySet[Draft]":
    """The drafts that wait for this account's approval, the first submitted first."""
    if Right.APPROVE_CAMPAIGNS not in account.rights:
        return Draft.objects.none()
    waiting = Draft.objects.filter(company=account.company, campaign=None).exclude(submitted_seal="")
    gone = Q(submitted_by=None, submitted_token=None) & ~Q(submitted_program=log.COMMAND_LINE)
    mine = Q(writers=account) | Q(submitted_by=account) | gone
    if Right.PUBLISH_EMERGENCIES not in account.rights:
        mine |= Q(fields__urgency=Campaign.Urgency.EMERGENCY)
    is_one_gone = Q(writers_there__lt=F("writers_ever"))
    return (
        account.scope.those_of(waiting)
        .annotate(writers_there=Count("writers"))
        .exclude(mine)
        .exclude(is_one_gone & younger(account, "begun_at"))
        .select_related("submitted_by", "submitted_token")
        .order_by("submitted_at", "pk")
    )


@tried_again
def submit(draft: Draft, account: Account, seal: str) -> None:
    """Have another person look at what this one has just looked at. Who submits is one of its writers.

    What waits already goes on waiting, as who submitted it first wants it.
    Raises `Overtaken` where the draft says something else by now, and `Refused` as `check_draft` does.
    """
    check_draft(draft, with_reason=True)
    with transaction.atomic():
        locked = locked_draft(draft)
        _require_scope(account, locked)
        if locked.campaign is not None or seal_of(locked) != seal:
            raise Overtaken(locked)
        if is_submitted(locked, seal):
            return
        locked.wait_no_more()
        locked.submitted_seal, locked.submitted_at, locked.submitted_by = seal, clock.now(), account
        locked.returned_for, locked.returned_by = "", None
        locked.save()
        note_writer(locked, account)
        log.record(draft.company, account.actor, "submit-campaign", detail=_detail(draft, seal))
        others = Account.objects.filter(company=draft.company_id).order_by("pk")
        outbox.notify(who_may_approve(locked, others), path_of(draft), ConsoleMail.Kind.APPROVAL)


@tried_again
def take_back(draft: Draft, account: Account) -> None:
    """Let it wait no more, on the wish of somebody who writes it; on record where it waited."""
    with transaction.atomic():
        locked = locked_draft(draft)
        seal = locked.wait_no_more()
        locked.save()
        if seal:
            end_submission(locked, account, seal)


@tried_again
def give_back(draft: Draft, account: Account, seal: str, reason: str) -> None:
    """Return it with a reason, for those who write it. Raises `Overtaken`, and `Refused` without a reason."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Refused(
            _("A reason is missing, or it is too long"),
            _("Say what has to change, in {most} characters at most.").format(most=LONGEST_REASON),
        )
    with transaction.atomic():
        locked = locked_draft(draft)
        _refuse_others(account, locked)
        if locked.campaign is not None or not is_submitted(locked, seal):
            raise Overtaken(locked)
        outbox.forget(draft.company, path_of(draft))
        if locked.submitted_by is not None:
            outbox.notify([locked.submitted_by], path_of(draft))
        locked.wait_no_more()
        locked.returned_for, locked.returned_by = reason.strip(), account
        locked.save()
        log.record(draft.company, account.actor, "return-campaign", detail=_detail(draft, seal))


def approve(draft: Draft, account: Account, seal: str, people: int) -> Campaign:
    """Publish what was submitted and what this account has looked at, to no more `people` than it was told.

    Raises `Overtaken` where it is not the same, waits no more or is for more people, `Refused` for somebody who wrote any
    of it.
    """

    def approved(locked: Draft) -> Approval:
        _refuse_others(account, locked)
        if not is_submitted(locked, seal):
            raise Overtaken(locked)
        submitter = locked.submitted_by or locked.submitted_token
        if submitter is not None:
            _require_scope(submitter, locked)
        outbox.forget(draft.company, path_of(draft))
        if locked.submitted_by is not None:
            outbox.notify([locked.submitted_by], "campaigns")
        author = locked.submitted_by.actor if locked.submitted_by else locked.submitted_program
        return Approval(author=author, digest=seal)

    if draft.campaign is None:
        _refuse_others(account, draft)  # before it is checked, which takes long
    return publish_draft(draft, seal, people, account, approved)


def require_two_people(company: Company | None) -> None:
    """Raise `Refused` for a company in which nobody could approve what another one wrote."""
    accounts = list(Account.objects.filter(company=company)) if company else []
    approving = [account for account in accounts if Right.APPROVE_CAMPAIGNS in account.rights]
    writing = [account for account in accounts if Right.DRAFT_CAMPAIGNS in account.rights]
    if not approving or len({account.pk for account in (*approving, *writing)}) < 2:
        raise Refused(
            _("Nobody could approve what another one wrote"),
            _(
                "Invite two people first, one of them as approver or administrator: tidings-server console invite EMAIL "
                "--role approver"
            ),
        )


def change_budget(company: Company, popups: int, rule: Company.OverBudget, actor: str) -> None:
    """Set the attention budget. Raises `Refused` for a number that is none, and as `require_two_people` does."""
    if rule is Company.OverBudget.SECOND_PERSON:
        require_two_people(company)
    set_budget(company, popups, rule, actor)


def _require_scope(account: Bound, draft: Draft) -> None:
    account.scope.require(
        everyone=draft.to_everyone,
        groups=draft.audience_groups.all(),
        people=draft.audience_people.all(),
        excluded=draft.excluded_groups.all(),
    )


def _refuse_others(account: Account, draft: Draft) -> None:
    if not may_approve(account, draft):
        raise Refused(
            _("You cannot approve this one"),
            _("Somebody else has to look at it: you wrote part of it, or your roles do not include it."),
        )


def _detail(draft: Draft, seal: str) -> dict[str, str]:
    return {"draft": draft.draft_id, "digest": seal}
