"""A password of the person's own: the form that sets it, and the page that changes it."""

from allauth.core.internal import ratelimit
from django import forms
from django.contrib.auth import password_validation, update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from server.accounts import sessions
from server.accounts.choices import choose_password
from server.accounts.models import Account
from server.console.access import READING, AccountRequest, page

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


class ChangeForm(PasswordForm):
    """The present password, and another one."""

    present = forms.CharField(
        label=_("Present password"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("present", "password", "again")

    def __init__(self, request: AccountRequest) -> None:
        super().__init__(request.user, request.POST if request.method == "POST" else None)
        self.fields["password"].label = _("New password")
        self.fields["again"].label = _("The new password again")
        self._request = request

    def clean_present(self) -> str:
        """Raises `ValidationError` for a wrong one, and after five attempts within a minute."""
        present: str = self.cleaned_data["present"]
        if not ratelimit.consume(self._request, app="allauth.account", action="change_password"):
            raise forms.ValidationError(_("Too many attempts. Wait a minute, and try again."))
        if not self.account.check_password(present):
            raise forms.ValidationError(_("This is not your present password."))
        return present


@sensitive_post_parameters()
@page(None, fresh=True, methods=(*READING, "POST"))
def change_password(request: AccountRequest) -> HttpResponse:
    """Set another password. Every other session of the account ends."""
    form = ChangeForm(request)
    if request.method == "POST" and form.is_valid():
        account = choose_password(request.user, form.cleaned_data["password"])
        if account is not None:
            update_session_auth_hash(request, account)
            sessions.end_others(account, request.session)
            return redirect(f"{reverse('account')}?done=password")
        form.add_error("present", _("Your password was changed elsewhere at this moment. Sign in with it."))
    return render(request, "pages/password.html", {"form": form})
