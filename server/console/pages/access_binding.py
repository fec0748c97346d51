"""To which groups an account is bound: an administrator says it, looks twice where it frees somebody, and can undo it."""

from http import HTTPStatus

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from server.access.roles import Right, is_bindable
from server.accounts.invitations import accounts_of, bind
from server.accounts.models import Account
from server.console.access import READING, AccountRequest, page
from server.console.posted import LARGEST
from server.console.posted import number as number_in
from server.core.errors import Refused

EVERYBODY = "everybody"


@page(Right.BIND_ACCOUNTS)
def binding(request: AccountRequest, number: int) -> HttpResponse:
    """Everybody, or the people of some groups."""
    return _page(request, _account_of(request, number))


@page(Right.BIND_ACCOUNTS, fresh=True, methods=(*READING, "POST"))
def bind_account(request: AccountRequest, number: int) -> HttpResponseBase:
    """Bind it. What the page showed has to hold still; to free somebody takes a second look."""
    account = _account_of(request, number)
    if request.method != "POST":  # back from showing the second factor
        return redirect("access-binding", number)
    before, is_free = _bound_to(account), request.POST.get("whom") == EVERYBODY
    if request.POST.get("before") != _sealed(before):
        note = _("It was changed since you looked. Look once more.")
        return _page(request, account, {"note": note}, HTTPStatus.CONFLICT)
    wanted = {number_in(one) for one in request.POST.getlist("group")}
    groups = None if is_free else list(account.company.groups.filter(pk__among=wanted))
    if groups == [] or (is_free and before is None and wanted):
        note = _("Choose groups, or everybody.")
        return _page(request, account, {"note": note}, HTTPStatus.UNPROCESSABLE_ENTITY)
    if groups is None and before is not None and "sure" not in request.POST:
        return _page(request, account, {"asks": True})
    try:
        bind(account, groups, request.user.actor)
    except Refused as refused:  # other roles since
        return _page(request, account, {"note": f"{refused.title}. {refused.message}"}, HTTPStatus.CONFLICT)
    done: dict[str, object] = {
        "is_done": True,
        "undo": before,
        "undo_frees": before is None,
        "can_undo": before != [],
    }
    return _page(request, _account_of(request, number), done)


def _account_of(request: AccountRequest, number: int) -> Account:
    """Raises `Http404` for one of another company, and for one whose roles cannot be bound."""
    found = (
        accounts_of(request.user.company).filter(pk=number) if number <= LARGEST else Account.objects.none()
    )
    account = found.select_related("company").first()
    if account is None or not is_bindable(account.roles):
        raise Http404
    return account


def _bound_to(account: Account) -> list[int] | None:
    return sorted(account.bound_groups.values_list("pk", flat=True)) if account.is_bound else None


def _sealed(bound: list[int] | None) -> str:
    return EVERYBODY if bound is None else ",".join(map(str, bound))


def _page(
    request: AccountRequest,
    account: Account,
    more: dict[str, object] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    bound = _bound_to(account)
    shown = {
        "of": account,
        "told": account.told_scope(),
        "before": _sealed(bound),
        "is_free": bound is None,
        "groups": [(group, group.pk in (bound or ())) for group in account.company.groups.order_by("name")],
        "is_fresh": did_recently_reauthenticate(request),
    }
    return render(request, "pages/access_binding.html", shown | (more or {}), status=status)
