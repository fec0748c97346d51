"""Passkeys are added, named, removed and used. allauth leads through it; without a script there is the app for codes."""

from typing import Any

from allauth.core.internal import ratelimit
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView, ReauthenticateWebAuthnView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.generic.edit import FormView

from server.accounts import passkeys, sessions
from server.accounts.models import Account
from server.console.access import READING, AccountRequest, page
from server.console.passkey_forms import NameForm
from server.console.templatetags.console import PASSKEY_FAULT

CHALLENGE_S = 600
"""How long a browser that nobody is signed in with may take to use a passkey."""


class AddPasskey(AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """The browser makes one, after a fresh code. It has to ask for a fingerprint or a PIN, so that it is two factors."""

    template_name = "mfa/webauthn/add_form.html"

    def get(self, request: HttpRequest, *words: Any, **named: Any) -> HttpResponse:
        """Raises `Refused` where there are too many."""
        passkeys.refuse_too_many(self._account())
        response: HttpResponse = super().get(request, *words, **named)
        return response

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """With a challenge of its own for each page."""
        words = FormView.get_context_data(self, **named)
        return words | {"options": {"creation_options": auth.begin_registration(self._account(), True)}}

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep it."""
        passkeys.add(
            self._account(), form.cleaned_data["name"], form.cleaned_data["credential"], form.counter
        )
        return _back("passkey-added")

    def _account(self) -> Account:
        account: Account = self.request.user
        return account


@page(None, fresh=True, methods=(*READING, "POST"))
def passkey(request: AccountRequest, number: int) -> HttpResponse:
    """One of the person's own: its name, and the end of it."""
    found = passkeys.of(request.user).filter(pk=number).first()
    if found is None:
        raise Http404
    if "remove" in request.POST:
        passkeys.remove(request.user, found)
        sessions.end_others(request.user, request.session)
        return _back("passkey-removed")
    form = NameForm(request.POST or None, initial={"name": found.data["name"]})
    if form.is_valid():
        passkeys.rename(found, form.cleaned_data["name"] or found.data["name"])
        return _back("passkey-named")
    return render(request, "pages/passkey.html", {"form": form, "passkey": found})


class SecondStep(AuthenticateView):  # type: ignore[misc]
    """A code, or a passkey."""

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """What a browser needs to know to use one."""
        words: dict[str, Any] = super().get_context_data(**named)
        return words | {"options": _options(self.stage.login.user)}


class Confirm(ReauthenticateView):  # type: ignore[misc]
    """A code, or a passkey."""

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """What a browser needs to know to use one."""
        words: dict[str, Any] = super().get_context_data(**named)
        return words | {"options": _options(self.request.user)}


class ConfirmWithPasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]
    """Where the script of that page sends what it has."""

    def get(self, request: HttpRequest, *words: Any, **named: Any) -> HttpResponse:
        """There is one page for both."""
        return redirect(self.passthrough_next_url(reverse("mfa_reauthenticate")))

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to that page."""
        return _refused(self.request, self.passthrough_next_url(reverse("mfa_reauthenticate")), form)


class SignInWithPasskey(LoginWebAuthnView):  # type: ignore[misc]
    """In place of address, password and code."""

    def get(self, request: HttpRequest, *words: Any, **named: Any) -> HttpResponse:
        """The challenge, which is in a session; so there is a limit for an address on the network."""
        limited = ratelimit.consume_or_429(
            request, app="allauth.mfa", action="webauthn_login", limit_get=True
        )
        if limited:
            refused: HttpResponse = limited
            return refused
        response: HttpResponse = super().get(request, *words, **named)
        request.session.set_expiry(CHALLENGE_S)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in, as with a code."""
        self.request.session.set_expiry(0)
        response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to the form with the password."""
        onward = self.request.POST.get("next", "")
        query = f"?{urlencode({'next': onward})}" if onward else ""
        return _refused(self.request, f"{reverse('account_login')}{query}", form)


def _options(account: Account) -> dict[str, Any] | None:
    """A challenge of its own for each page; nothing where there is no passkey to be used."""
    if not passkeys.of(account).exists():
        return None
    return {"request_options": auth.begin_authentication(account)}


def _refused(request: HttpRequest, address: str, form: Any) -> HttpResponse:
    """Say on that page, once, that it did not work, and whether because of a copy."""
    is_copied = form.has_error("credential", "copied_passkey")
    request.session[PASSKEY_FAULT] = "copied" if is_copied else "refused"
    return redirect(address)


def _back(done: str) -> HttpResponse:
    return redirect(f"{reverse('account')}?{urlencode({'done': done})}")
