"""Every page of the console, an address of it, and the right that it needs. Use within `console_settings()`."""

import functools
from collections.abc import Mapping
from uuid import UUID

from django.urls import URLPattern

from server.access.roles import Right

OPEN_TO_ALL = {"account_login", "mfa_authenticate", "account_logout", "mfa_login_webauthn", "welcome"}
"""What leads to a sign-in, or away from one."""
OF_ALLAUTH = {
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
}
"""About the account itself: for everybody who is signed in."""


def pages() -> dict[str, URLPattern]:
    from server.console import urls

    return {str(pattern.name): pattern for pattern in urls.urlpatterns}


def address(name: str, known: Mapping[str, str] | None = None) -> str:
    """One of a page, with something in place of each part that varies: what is known, or what is not there."""
    route = str(pages()[name].pattern)
    parts = {
        "<str:token>": "x" * 43,
        "<campaign:campaign_id>": "c-none",
        "<hex:draft_id>": "0" * 16,
        "<hex:template_id>": "0" * 16,
        "<digest:sha256>": "0" * 64,
        "<file:name>": "picture.png",
        "<upload:upload_id>": "0" * 32,
        "<number:number>": "7",
        "<hex:number>": "0" * 16,
        "<int:number>": "7",
        "<uuid:person_id>": str(UUID(int=0)),
    } | dict(known or {})
    return "/" + functools.reduce(lambda built, part: built.replace(part, parts[part]), parts, route)


def right_of(name: str) -> Right | None:
    found: Right | None = pages()[name].callback.right  # type: ignore[attr-defined]
    return found


def of_rights() -> list[str]:
    return sorted(pages().keys() - OPEN_TO_ALL - OF_ALLAUTH)
