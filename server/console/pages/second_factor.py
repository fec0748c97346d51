"""Where a second factor is set up, and replaced. allauth does it; whoever has just typed a code has shown who they are."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.views import ActivateTOTPView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.generic.edit import FormView

from server.accounts import revoked, second_factor, sessions
from server.accounts.models import Account
from server.audit import log
from server.erasure_ledger import ledger


class SetUpApp(ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """The app's first code. The recovery codes, which the next page shows once, need a fresh one."""

    replaces = False

    def form_valid(self, form: Any) -> HttpResponse:
        """Let this app, and this browser, be the account's only ones from now on."""
        with transaction.atomic():
            account = Account.objects.select_for_update(no_key=True).get(pk=self.request.user.pk)
            ended = revoked.app_of(account)
            if self.replaces:
                second_factor.end_app(account)
            elif second_factor.is_on(account):  # set up in another browser a moment ago
                return redirect("mfa_deactivate_totp")
            response: HttpResponse = super().form_valid(form)
            sessions.end_others(account, self.request.session)
            if ended:
                ledger.write(ended)
            log.record(account.company, account.actor, "set-up-second-factor")
        second_factor.use_up(account, form.cleaned_data["code"])
        record_authentication(self.request, account, "mfa", reauthenticated=True)
        return response


class ReplaceApp(SetUpApp):
    """Another app's first code. The present app holds until then, and a code of it was typed just before."""

    template_name = "mfa/totp/replace_form.html"
    replaces = True

    @method_decorator(reauthentication_required(app="allauth.mfa"))
    def dispatch(self, request: HttpRequest, *words: Any, **named: Any) -> HttpResponseBase:
        """Without what leads those who have an app from setting one up to here."""
        response: HttpResponseBase = FormView.dispatch(self, request, *words, **named)
        return response
