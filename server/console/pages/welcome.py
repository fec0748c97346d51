"""Where a one-time link leads. Opening it shows a form; only the form uses it, so that a scanner of mail does not."""

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth import password_validation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from server.accounts.invitations import link_of, use_link
from server.accounts.models import Account

LONGEST_PASSWORD = 256


class PasswordForm(forms.Form):
    """A password of the person's own, twice."""

    password = forms.CharField(
        label=_("Password"),
        help_text=_("At least 12 characters. A sentence is easy to remember and hard to guess."),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same password again"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, account: Account, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.account = account

    def clean_password(self) -> str:
        """Raises `ValidationError` for one that is easily guessed."""
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.account)
        return password

    def clean(self) -> None:
        """Both are the same."""
        first, second = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if first and second and first != second:
            self.add_error("again", _("This is another password than the one above."))


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
