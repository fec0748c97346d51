"""Makes Django know of this room."""

from django.apps import AppConfig


class ErasureLedgerConfig(AppConfig):
    """Its tables have the names that they were made with."""

    name = "server.erasure_ledger"
    label = "privacy"
