"""The zone in which a page writes times: that of the account's company."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from server.accounts.models import Account
from server.console.times import zone_of

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class TimeZoneMiddleware:
    """Needs the account. Before the sign-in it is UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        account = request.user
        if not isinstance(account, Account):
            return self.get_response(request)
        with timezone.override(zone_of(account.company)):
            return self.get_response(request)
