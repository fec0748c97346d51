"""Make, list, revoke and recognise the tokens of the administration API."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from server.access.models import AccessToken
from server.access.roles import RIGHTS, Right, Role, require_bindable
from server.audit import log
from server.campaigns.scopes import Scope
from server.core import clock, concurrency, problems
from server.core.errors import Refused
from server.core.schemas import CAMPAIGN_ID
from server.database.transactions import tried_again
from server.devices.tokens import LONGEST_TOKEN, TOKEN_BYTES, token_hash
from server.directory.models import Company, Group
from server.erasure_ledger import ledger

TOKEN_PREFIX = "tat_"


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who is calling: a token's number, its role, and the company that it is for."""

    token_id: int
    role: Role
    company: Company
    scope: Scope = field(default_factory=Scope)

    @property
    def actor(self) -> str:
        """How the audit log names them."""
        return f"token {self.token_id} ({self.role})"


class AdministratorRequest(HttpRequest):
    """A request that `Allowed` let in."""

    auth: Administrator


def create(
    company: Company,
    role: Role,
    name: str,
    valid_for: timedelta,
    actor: str,
    groups: Sequence[Group] | None = None,
) -> tuple[AccessToken, str]:
    """A new token, and its text, which is nowhere else. Those that have expired are deleted on the way.

    `groups`: to which it is bound; None: to none. Raises `Refused` for a role that addresses nobody.
    """
    if groups is not None:
        require_bindable([role])
    text = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    with transaction.atomic():
        AccessToken.objects.filter(company=company, expires_at__lte=now).delete()
        token = AccessToken.objects.create(
            company=company,
            role=role,
            name=name,
            token_hash=token_hash(text),
            created_at=now,
            expires_at=now + valid_for,
            is_bound=groups is not None,
        )
        token.bound_groups.set(groups or ())
        detail: dict[str, Any] = {"token": token.pk, "role": str(role)}
        if groups is not None:
            detail["groups"] = sorted(group.pk for group in groups)
        log.record(company, actor, "make-token", detail=detail)
    return token, text


def tokens_of(company: Company) -> QuerySet[AccessToken]:
    """The company's tokens, oldest first."""
    return AccessToken.objects.filter(company=company).order_by("pk")


@tried_again
def revoke(company: Company, number: int, actor: str) -> None:
    """End a token at once.

    Raises `Refused` when there is none with this number, and `EnvironmentFault` when the erasure ledger cannot be written;
    nothing has changed then.
    """
    with transaction.atomic():
        token = AccessToken.objects.select_for_update().filter(company=company, pk=number).first()
        if token is None:
            raise Refused(
                _("There is no token {number}").format(number=number), _("See: tidings-server token list.")
            )
        ledger.write([take_token_away(token)])
        log.record(company, actor, "revoke-token", detail={"token": number})


def take_token_away(token: AccessToken) -> ledger.Fact:
    """Delete the token, in the caller's transaction. Answers the fact to be written."""
    token.delete()
    return ledger.Fact("access-revoked", token.company_id, token=ledger.token_digest(token.token_hash))


class Allowed(HttpBearer):
    """`Authorization: Bearer tat_…` of a role that has the right. Reading, and a refusal, are put on record."""

    def __init__(self, right: Right) -> None:
        super().__init__()
        self.right = right

    def authenticate(self, request: HttpRequest, token: str) -> Administrator | None:
        """The caller, or nobody when the token is unknown or expired. Raises `Problem`: 403, 429."""
        row = _row(token)
        if row is None:
            return None
        # Computers are counted under positive numbers.
        concurrency.request_rate.take(-row.pk)
        caller = Administrator(row.pk, Role(row.role), row.company, row.scope)
        if self.right not in RIGHTS[caller.role]:
            with concurrency.write_turns:
                log.record(caller.company, caller.actor, "denied", detail={"right": str(self.right)})
            raise problems.forbidden(caller.role)
        if request.method == "GET":
            with concurrency.write_turns:
                log.record(caller.company, caller.actor, str(self.right), detail=_read(request))
        return caller


def administrator_holder(token: str) -> concurrency.Holder | None:
    """Who holds this token, without counting the request; None when it is unknown or expired."""
    row = _row(token)
    return concurrency.Holder(-row.pk, row.company_id) if row else None


def _row(token: str) -> AccessToken | None:
    if len(token) > LONGEST_TOKEN or not token.startswith(TOKEN_PREFIX):
        return None
    found = AccessToken.objects.select_related("company").filter(
        token_hash=token_hash(token), expires_at__gt=clock.now()
    )
    return found.first()


def _read(request: HttpRequest) -> dict[str, str]:
    """Which campaign is read, for the record. The address is the caller's, and not checked yet."""
    named = request.resolver_match.kwargs.get("campaign_id", "") if request.resolver_match else ""
    return {"campaign": named} if re.fullmatch(CAMPAIGN_ID, named) else {}
