"""The second factor of an account: codes of an app (TOTP, RFC 6238), passkeys, and recovery codes. allauth keeps them."""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from server.accounts.models import Account


def is_on(account: Account) -> bool:
    """Whether the account has a second factor: recovery codes alone are none."""
    return of(account).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def told_with(accounts: "QuerySet[Account]") -> "QuerySet[Account]":
    """The accounts, of each of which `was_on` needs no query."""
    others = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return accounts.annotate(had_second_factor=Exists(others))


def was_on(account: Account) -> bool:
    """Whether the account had a second factor when it was read; whether it has one now, where nobody asked then."""
    had: bool | None = getattr(account, "had_second_factor", None)
    return is_on(account) if had is None else had


def switch_off(account: Account) -> None:
    """Delete the second factor and its recovery codes: the person sets up another one when they next sign in."""
    of(account).delete()


def end_app(account: Account) -> None:
    """Delete the app's secret and the recovery codes, before another app takes its place. Passkeys stay."""
    app_of(account).delete()


def use_up(account: Account, code: str) -> None:
    """Let a code that the app has shown be good for nothing else. allauth notes it when it looks at it."""
    of(account).get(type=Authenticator.Type.TOTP).wrap().validate_code(code)


def of(account: Account) -> "QuerySet[Authenticator]":
    """The account's second factors and recovery codes."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=account.pk)
    return found


def app_of(account: Account) -> "QuerySet[Authenticator]":
    """The app and the recovery codes."""
    return of(account).exclude(type=Authenticator.Type.WEBAUTHN)


def passkeys_of(account: Account) -> "QuerySet[Authenticator]":
    """The passkeys, the oldest first."""
    return of(account).filter(type=Authenticator.Type.WEBAUTHN).order_by("pk")
