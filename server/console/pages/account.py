"""The person's own account."""

from collections.abc import Mapping

from allauth.account.adapter import get_adapter
from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.accounts import passkeys, sessions
from server.accounts.choices import choose_language, choose_mail
from server.accounts.models import Account
from server.audit import log
from server.console.access import READING, AccountRequest, page
from server.mail import transport

DONE: Mapping[str, Promise | str] = {
    "password": _("Your password is changed. All your other sessions have ended."),
    "passkey-added": _("The passkey is added. You can sign in with it alone, or after your password."),
    "passkey-named": _("The passkey has its new name."),
    "passkey-removed": _("The passkey is removed. All your other sessions have ended."),
}
"""What another page did before it led here."""


class LanguageForm(forms.Form):
    """Which language the console speaks."""

    language = forms.ChoiceField(
        label=_("Language of the console"),
        required=False,
        choices=[("", _("As the browser says")), ("en", "English"), ("fr", "Français")],
    )


@page(None, methods=("POST",))
def choose_notices(request: AccountRequest) -> HttpResponse:
    """Whether the person is told by e-mail that something waits for them."""
    choose_mail(request.user, wanted="wanted" in request.POST)
    return redirect("account")


@page(None, methods=(*READING, "POST"))
def account(request: AccountRequest) -> HttpResponse:
    """What the person may change about their account."""
    form = LanguageForm(
        request.POST if request.method == "POST" else None, initial={"language": request.user.language}
    )
    if request.method == "POST" and form.is_valid():
        choose_language(request.user, Account.Language(form.cleaned_data["language"]))
        return redirect("account")
    words = {
        "form": form,
        "bound_groups": request.user.group_names or [],
        "passkeys": passkeys.of(request.user),
        "sends_mail": transport.is_on(),
        "done": DONE.get(request.GET.get("done", "")),
    }
    return render(request, "pages/account.html", words)


@page(None)
def signed_in(request: AccountRequest) -> HttpResponse:
    """Where somebody ends who signed in in a second window, to go on in the first."""
    return render(request, "pages/signed_in.html")


@page(None, methods=("POST",))
def sign_out_everywhere(request: AccountRequest) -> HttpResponse:
    """End every session of the account, this one too."""
    sessions.end_all(request.user)
    # On record, so that a restored backup is found to be older, and lets nobody in again.
    log.record(request.user.company, request.user.actor, "sign-out-everywhere")
    get_adapter().logout(request)
    return redirect("account_login")
