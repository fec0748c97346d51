"""What browsers send of passkeys, checked. allauth does it by WebAuthn's rules; here is what it leaves to others.

The page that a passkey was used on has to be one of this console, and not of another host under its name; a copy is
noticed; and whatever else may be sent is refused in words.
"""

import struct
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.utils.translation import gettext_lazy as _

from server.accounts import console_address, passkeys
from server.core import plain_text

LONGEST_NAME = 60
LONGEST_CREDENTIAL = 16 * 1024
"""As text: a certificate of the maker's may be in it."""
DAMAGED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    OverflowError,
    RecursionError,
    NotImplementedError,
    struct.error,
)
"""What reading raises of something that is no credential."""
KEPT = {"id", "rawId", "type", "response", "clientExtensionResults"}
"""Of what a browser tells of a new passkey; the parts of `response` that are kept are below."""
KEPT_OF_RESPONSE = {"clientDataJSON", "attestationObject"}


class CredentialField(forms.JSONField):
    """What the script puts into the form."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """Raises `ValidationError`."""
        if isinstance(value, str) and len(value) > LONGEST_CREDENTIAL:
            raise _refused()
        try:
            return super().to_python(value)
        except (RecursionError, ValueError, forms.ValidationError) as error:
            raise _refused() from error


class _Checked:
    """Of all forms in which a passkey is used."""

    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Authenticator:
        """The passkey. Raises `ValidationError`."""
        credential = self.cleaned_data["credential"]
        try:
            response = auth.parse_authentication_response(credential).response
            _require_own_origin(response.client_data.origin)
            passkey: Authenticator = super().clean_credential()  # type: ignore[misc]
            counter = response.authenticator_data.counter
        except forms.ValidationError as error:
            raise (error if error.code == "too_many_login_attempts" else _refused()) from error
        except DAMAGED as error:
            raise _refused() from error
        try:
            is_single = passkeys.was_used(passkey, counter, response.client_data.challenge)
        except LookupError as error:
            raise _refused() from error
        if not is_single:
            raise get_adapter().validation_error("copied_passkey")
        return passkey


class SecondStepForm(_Checked, AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """After the password."""

    credential = CredentialField()


class SignInForm(_Checked, LoginWebAuthnForm):  # type: ignore[misc]
    """In place of address, password and code."""

    credential = CredentialField()


class ConfirmForm(_Checked, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Before what is well protected."""

    credential = CredentialField()


class NameForm(forms.Form):
    """What the person calls a passkey."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("So that you know it again, such as “Work laptop”."),
        max_length=LONGEST_NAME,
        required=False,
    )

    def clean_name(self) -> str:
        """On one line; empty where nothing can be read in it."""
        name = " ".join(plain_text.one_line(self.cleaned_data["name"]).split())
        return "" if plain_text.problem_of_line(name) else name


class AddForm(NameForm, AddWebAuthnForm):  # type: ignore[misc]
    """A new one. `counter` is what it told."""

    passwordless = None
    credential = CredentialField()
    field_order = ("name", "credential")
    counter = 0

    def clean_name(self) -> str:
        """One of our own where there is none: the device has the passkey by now."""
        return super().clean_name() or str(get_adapter().generate_authenticator_name(self.user, "webauthn"))

    def clean(self) -> dict[str, Any]:
        """Raises `ValidationError`."""
        credential = self.cleaned_data.get("credential")
        try:
            if credential is not None:
                response = auth.parse_registration_response(credential).response
                _require_own_origin(response.client_data.origin)
                self.counter = response.attestation_object.auth_data.counter
            cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        except (forms.ValidationError, *DAMAGED) as error:
            raise _refused() from error
        if credential is not None:
            kept = {key: value for key, value in credential.items() if key in KEPT}
            answer = credential["response"]
            kept["response"] = {key: value for key, value in answer.items() if key in KEPT_OF_RESPONSE}
            kept["clientExtensionResults"] = {}
            cleaned["credential"] = kept
        return cleaned


def _require_own_origin(origin: str) -> None:
    """Raises `ValueError` for a page of another host, also of one whose name ends with the console's."""
    if _origin(origin) != _origin(console_address.in_use()):
        raise ValueError("the origin is another")


def _origin(text: str) -> tuple[str, str, int]:
    parts = urlsplit(text)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port


def _refused() -> forms.ValidationError:
    found: forms.ValidationError = get_adapter().validation_error("incorrect_passkey")
    return found
