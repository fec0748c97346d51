"""Bring the tables to this version."""

from django.core.management import call_command
from django.db import connection, transaction

from server.database.transactions import take_turns


def migrate() -> None:
    """All of it or nothing, whenever the process is killed, and one process at a time.

    Django's own transactions are one for each migration, and it notes some as done in a second one: a process killed between
    the two leaves tables that the next start would make again, and could not.
    """
    with connection.constraint_checks_disabled(), transaction.atomic():
        take_turns("migrations")
        call_command("migrate", verbosity=0, interactive=False)
