"""Who may sign in to the console, the links by which they come in for the first time, and their sessions."""

from dataclasses import replace
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from server.access.bound import Bound
from server.access.roles import RIGHTS, Right, Role
from server.core.data_map import IMPERSONAL, SECRET, SIGNING_IN, DataMap, Personal, Retention
from server.directory.models import AddressField, Company

SIGNED_IN = Personal("keep the person signed in to the console", Retention.SESSION)
ATTEMPTED = Personal("stop who tries passwords and codes", Retention.ATTEMPT, secret=True)


class Account(AbstractBaseUser, Bound):
    """A person who works in the console, for one company. An address has one account on a server."""

    class Language(models.TextChoices):
        BROWSER = "", "as the browser says"
        ENGLISH = "en", "English"
        FRENCH = "fr", "Français"

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="accounts")
    email = AddressField(max_length=254, unique=True)
    roles = models.JSONField(default=list, help_text="Names of `access.roles.Role`; they combine.")
    language = models.CharField(max_length=2, blank=True, default="", choices=Language.choices)
    wants_mail = models.BooleanField(
        default=True, help_text="Whether the person is told by e-mail that something waits for them."
    )
    created_at = models.DateTimeField()
    signed_in_month = models.DateField(
        null=True, default=None, help_text="The first day of the month of the last sign-in."
    )
    reviewed_at = models.DateTimeField(
        null=True, default=None, help_text="When somebody else last decided that it is kept."
    )
    last_login = None  # to the second, which nobody needs

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[BaseUserManager["Account"]] = BaseUserManager()  # type: ignore[assignment]

    data_map: ClassVar[DataMap] = {
        "id": SIGNING_IN,
        "company": SIGNING_IN,
        "email": SIGNING_IN,
        "password": replace(SIGNING_IN, secret=True),
        "roles": SIGNING_IN,
        "language": SIGNING_IN,
        "wants_mail": SIGNING_IN,
        "created_at": SIGNING_IN,
        "signed_in_month": SIGNING_IN,
        "reviewed_at": SIGNING_IN,
        "is_bound": SIGNING_IN,
        "bound_groups": SIGNING_IN,
    }
    publishes_as: ClassVar[str] = "account"
    stays_here: ClassVar[bool] = True
    """Not taken out with the company: who may act for it on another server, somebody there says."""

    def __str__(self) -> str:
        return f"account {self.pk}"

    @property
    def rights(self) -> frozenset[Right]:
        """What the account's roles allow together. A role that this version does not know allows nothing."""
        return frozenset().union(*(RIGHTS[Role(role)] for role in self.roles if role in set(Role)))

    @property
    def actor(self) -> str:
        """How the audit log names it: by its number, never by a person's name."""
        return f"account {self.pk} ({', '.join(self.roles)})"


class SignInLink(models.Model):
    """A link by which an account's person sets their password, once. It is deleted when it is used."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="sign_in_link")
    token_hash = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the link's token, in hex."
    )
    expires_at = models.DateTimeField()

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "account": SIGNING_IN,
        "token_hash": SECRET,
        "expires_at": SIGNING_IN,
    }
    stays_here: ClassVar[bool] = True
    """As the account does."""

    def __str__(self) -> str:
        return f"link of account {self.account_id}"


class Session(AbstractBaseSession):
    """A browser's session. It ends with its account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="sessions")

    data_map: ClassVar[DataMap] = {
        "session_key": replace(SIGNED_IN, secret=True),
        "session_data": replace(SIGNED_IN, secret=True),
        "expire_date": SIGNED_IN,
        "account": SIGNED_IN,
    }
    of_the_server: ClassVar[bool] = True
    """Before the sign-in it leads to no company; after it, it goes with the account."""

    def __str__(self) -> str:
        return f"session of account {self.account_id}"


class Attempt(models.Model):
    """Attempts to sign in of late, or a code that was used: what `attempts.AttemptCache` holds for minutes."""

    key_digest = models.CharField(
        max_length=64, primary_key=True, help_text="HMAC of allauth's key under the server's secret, in hex."
    )
    whose_digest = models.CharField(
        max_length=64, help_text="HMAC of the account's number, or of what was typed, in hex."
    )
    value = models.JSONField(help_text="As allauth sets it: the times of attempts, in seconds.")
    expires_at = models.DateTimeField(db_index=True)

    data_map: ClassVar[DataMap] = {
        "key_digest": ATTEMPTED,
        "whose_digest": ATTEMPTED,
        "value": ATTEMPTED,
        "expires_at": ATTEMPTED,
    }
    of_the_server: ClassVar[bool] = True
    """Who tries need have no account, so it leads to no company."""

    def __str__(self) -> str:
        return f"attempt until {self.expires_at.isoformat()}"
