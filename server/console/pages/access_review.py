"""Who may do what: the accounts and tokens of the company, looked at every 90 days."""

from http import HTTPStatus

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from server.access.roles import RIGHTS, Right, Role
from server.accounts.review import COLUMNS, access_in, decide, due_among, seal_of
from server.console.access import READING, AccountRequest, page
from server.console.table_files import FileKind, table_file
from server.core.errors import ServerError


@page(Right.REVIEW_ACCESS, on_record=True)
def access(request: AccountRequest) -> HttpResponse:
    """Each account and token, to be kept or taken away by whoever has just shown their second factor."""
    return _page(request)


@page(Right.REVIEW_ACCESS, fresh=True, methods=(*READING, "POST"))
def decide_access(request: AccountRequest) -> HttpResponseBase:
    """Carry out what was decided. What nobody decided about stays as it is."""
    if request.method != "POST":  # back from showing the second factor
        return redirect("access")
    try:
        kept, taken = decide(request.user, request.POST.dict(), request.POST.get("seal", ""))
    except ServerError as error:
        return _page(request, f"{error.title}. {error.message}", HTTPStatus.CONFLICT)
    return _page(request, done=_("Kept: {kept}. Taken away: {taken}.").format(kept=kept, taken=taken))


@page(Right.REVIEW_ACCESS, fresh=True, on_record=True)
def access_file(request: AccountRequest, kind: FileKind) -> HttpResponseBase:
    """The same list, for a spreadsheet: it names people."""
    company = request.user.company
    return table_file(kind, f"{company.pk}-access", COLUMNS, (one.row for one in access_in(company)))


def _page(
    request: AccountRequest, note: str = "", status: HTTPStatus = HTTPStatus.OK, done: str = ""
) -> HttpResponse:
    found = access_in(request.user.company)
    own = f"account-{request.user.pk}"
    administrators = [one for one in found if one.is_account and Role.ADMINISTRATOR in one.roles]
    words = {
        "found": found,
        "own": own,
        "has_others": any(one.key != own for one in found),
        "seal": seal_of(found),
        "may_bind": Right.BIND_ACCOUNTS in request.user.rights,
        "due": due_among(found, request.user),
        "is_single": len(administrators) == 1,
        "rights": [(role, sorted(RIGHTS[role])) for role in Role],
        "is_fresh": did_recently_reauthenticate(request),
        "note": note,
        "done": done,
    }
    return render(request, "pages/access.html", words, status=status)
