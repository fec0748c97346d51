"""Who may open which page. Pages ask for rights, never for roles; refusals and looks are put on record."""

import functools
from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, cast

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from server.access.roles import Right
from server.accounts.models import Account
from server.audit import log
from server.campaigns.models import Campaign
from server.console.kept_forms import answer_unsigned

P = ParamSpec("P")


class AccountRequest(HttpRequest):
    """A request of somebody who is signed in. `campaign`: the one that the address names, where it names one."""

    user: Account
    campaign: Campaign


View = Callable[Concatenate[AccountRequest, P], HttpResponseBase]


READING = ("GET", "HEAD")


class WrongMethod(Exception):
    """A page was asked by a method of HTTP that it does not take."""

    def __init__(self, methods: Sequence[str]) -> None:
        super().__init__(", ".join(methods))


def page(
    right: Right | None,
    *,
    on_record: bool = False,
    fresh: bool = False,
    keeps_form: bool = False,
    methods: Sequence[str] = READING,
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """A page for those who have the right; for everybody who is signed in where there is None.

    `on_record`: opening it is an entry of the audit log, as reading over the API is. `fresh`: whoever asks has shown
    their second factor within the last five minutes, and is sent there else; what they sent is not kept. `keeps_form`:
    what somebody sends whose session ended is shown to them again. `methods`: those of HTTP that it takes; no other reads
    it unseen. A campaign that the address names has to be one of the company, and for those alone whom the account may
    address.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            asked = cast(AccountRequest, request)
            account = asked.user
            if right is not None and right not in account.rights:
                raise denied(account, right)
            if request.method not in methods:
                raise WrongMethod(methods)
            if fresh and not did_recently_reauthenticate(request):
                return to_confirm(request.path)
            detail = {}
            if named := kwargs.get("campaign_id"):
                asked.campaign = _campaign_of(account, str(named))
                detail = {"campaign": asked.campaign.campaign_id}
            if right is not None and on_record:
                log.record(account.company, account.actor, str(right), detail=detail)
            return view(asked, *args, **kwargs)

        signed_in = login_required(checked)

        @functools.wraps(signed_in)
        def found(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated and (
                answer := answer_unsigned(request, keeps_form=keeps_form)
            ):
                return answer
            return signed_in(request, *args, **kwargs)

        found.right = right  # type: ignore[attr-defined]
        found.keeps_form = keeps_form  # type: ignore[attr-defined]
        return found

    return decorate


def to_confirm(onward: str) -> HttpResponseBase:
    """To where the person shows their second factor, and from there to an address of the console."""
    return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': onward})}")


def denied(account: Account, right: Right, message: str = "", **detail: str) -> PermissionDenied:
    """What to raise for somebody who lacks a right; it is on record by then."""
    log.record(account.company, account.actor, "denied", detail={"right": str(right)} | detail)
    return PermissionDenied(message) if message else PermissionDenied()


def _campaign_of(account: Account, named: str) -> Campaign:
    """The campaign that is read; nothing that is not there comes into the log."""
    campaigns = Campaign.objects.filter(company=account.company_id, campaign_id=named)
    found = account.scope.those_of(campaigns).first()
    if found is None:
        raise Http404
    found.company = account.company
    return found
