"""Where a one-time link leads. Opening it shows a form; only the form uses it, so that a scanner of mail does not."""

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from server.accounts.invitations import link_of, use_link
from server.console.pages.password import PasswordForm


@sensitive_post_parameters()
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Set a password by a one-time link, and be signed in."""
    link = link_of(token)
    if link is None:
        return _gone(request)
    form = PasswordForm(link.account, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        account = use_link(token, form.cleaned_data["password"])
        if account is None:
            return _gone(request)
        get_adapter().login(request, account)
        return redirect("today")
    return render(request, "pages/welcome.html", {"form": form, "link": link})


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/link_gone.html", status=410)
