"""Sessions end, and nobody works in the console without a second factor."""

from collections.abc import Callable
from typing import Any, cast

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from server.accounts import second_factor, sessions
from server.accounts.models import Account
from server.console.known_sessions import SIGNED_IN
from server.core.concurrency import Holder

SETTING_UP = frozenset({"mfa_activate_totp", "account_logout"})
"""What an account without a second factor may open."""

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class SessionEndMiddleware:
    """Needs the account."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            if sessions.goes_on(request.session):
                account = cast(Account, request.user)
                request.META[SIGNED_IN] = Holder(-account.pk, account.company_id)
            else:
                get_adapter().logout(request)
        if sessions.waits_in_vain(request.session):
            request.session.flush()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_words: Any) -> HttpResponse | None:
        """Send who has no second factor yet to where it is set up."""
        account = request.user
        if not isinstance(account, Account):
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in SETTING_UP or second_factor.was_on(account):
            return None
        return redirect("mfa_activate_totp")
