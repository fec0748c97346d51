"""What allauth asks of us: who may sign up (nobody), what a sign-in notes, how a second factor's secret is kept."""

import base64
import hashlib
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from server.accounts import console_address, second_factor, sessions
from server.accounts.models import Account
from server.core import clock
from server.core.errors import EnvironmentFault
from server.directory.addresses import canonical


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Who is signed in, with what each page asks of them, in one query."""

    def get_user(self, user_id: int) -> Account | None:
        """The account of a session."""
        found = Account.objects.select_related("company").filter(pk=user_id)
        return second_factor.told_with(found).first()


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Of addresses and passwords."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("The address and the password do not belong together."),
        "too_many_login_attempts": _("Too many attempts. Wait five minutes, and try again."),
        "rate_limited": _("Too many attempts. Wait five minutes, and try again."),
        "incorrect_code": _("That code is not right. Take the one that the app shows now."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited."""
        return False

    def is_reauthentication_required(self, *, app: str, **words: Any) -> bool:
        """Always but for the first second factor: nothing else is there yet to show who it is."""
        account = self.request.user if self.request else None
        return not isinstance(account, Account) or second_factor.is_on(account)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By the account alone. allauth's own key has the host in it, whose port the caller chooses."""
        return canonical(credentials["email"])

    def pre_login(self, request: HttpRequest, user: Account, **words: Any) -> HttpResponse | None:
        """Before the second step."""
        sessions.note_password(request.session, user)
        response: HttpResponse | None = super().pre_login(request, user, **words)
        return response

    def login(self, request: HttpRequest, user: Account) -> None:
        """Begin a session; of the sign-in only the month is kept."""
        super().login(request, user)
        sessions.begin(request.session)
        month = clock.now().date().replace(day=1)
        if user.signed_in_month != month:
            user.signed_in_month = month
            user.save(update_fields=["signed_in_month"])


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Of codes."""

    error_messages: ClassVar[dict[str, Any]] = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That code is not right. Take the one that the app shows now."),
        "incorrect_passkey": _("The passkey was not accepted. Try again, or use the code of your app."),
        "copied_passkey": _(
            "Somebody may have copied this passkey, so it is ended and lets nobody in any more. Tell who runs the console."
        ),
    }

    def generate_authenticator_name(self, user: Account, type: str) -> str:
        """What a passkey is called that its person gave no name."""
        return _("Passkey {number}").format(number=second_factor.passkeys_of(user).count() + 1)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The console's own host, whatever the request says."""
        return {"id": urlsplit(console_address.in_use()).hostname or "", "name": self.get_totp_issuer()}

    def get_public_key_credential_user_entity(self, user: Account) -> dict[str, Any]:
        """What a device shows to its person, and the account's number, by which a passkey alone finds it again."""
        return {"id": user_pk_to_url_str(user).encode(), "name": user.email, "display_name": user.email}

    def encrypt(self, text: str) -> str:
        """Under a key that is made of the server's secret, so that the database alone gives no codes."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `EnvironmentFault` where the server's secret is another one by now."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise EnvironmentFault(
                str(_("Your second factor cannot be read")),
                str(_("The server's secret key was replaced. Ask who runs the server for a new link.")),
            ) from error


def _cipher() -> Fernet:
    digest = hashlib.sha256(b"tidings second factor " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
