"""Whose request it is, asked before it may take a place. The views ask again, with all that they check."""

from django.db import InterfaceError, OperationalError, close_old_connections

from server import problems
from server.access.tokens import TOKEN_PREFIX, administrator_holder
from server.delivery.callers import device_holder
from server.load import Holder


def holder_of(authorization: str) -> Holder | None:
    """Who holds this `Authorization: Bearer …`; None for nobody. Raises `Problem` (503) when the database is away."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        if token.startswith(TOKEN_PREFIX):
            return administrator_holder(token)
        return device_holder(token)
    except (OperationalError, InterfaceError) as error:
        close_old_connections()
        raise problems.database_unavailable(error) from error
