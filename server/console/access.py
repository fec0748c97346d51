"""Who may open which page. Pages ask for rights, never for roles; refusals and looks are put on record."""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from server.access.roles import Right
from server.accounts.models import Account
from server.audit import log
from server.core.schemas import CAMPAIGN_ID

P = ParamSpec("P")


class AccountRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: Account


View = Callable[Concatenate[AccountRequest, P], HttpResponse]


def page(right: Right | None, *, on_record: bool = False) -> Callable[[View[P]], Callable[..., HttpResponse]]:
    """A page for those who have the right; for everybody who is signed in where there is None.

    `on_record`: opening it is an entry of the audit log, as reading over the API is.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            asked = cast(AccountRequest, request)
            account = asked.user
            if right is not None and right not in account.rights:
                log.record(account.company, account.actor, "denied", detail={"right": str(right)})
                raise PermissionDenied
            if right is not None and on_record and request.method == "GET":
                log.record(account.company, account.actor, str(right), detail=_campaign_of(kwargs))
            return view(asked, *args, **kwargs)

        found = login_required(checked)
        found.right = right  # type: ignore[attr-defined]
        return cast(Callable[..., HttpResponse], found)

    return decorate


def _campaign_of(words: Mapping[str, Any]) -> dict[str, str]:
    """Which campaign is read. The address is the caller's, and not checked yet."""
    named = str(words.get("campaign_id", ""))
    return {"campaign": named} if re.fullmatch(CAMPAIGN_ID, named) else {}
