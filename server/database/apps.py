"""Makes Django know of the rest of this package."""

from django.apps import AppConfig


class DatabaseConfig(AppConfig):
    """Sets up each connection as it is made, and registers the lookup for long lists."""

    name = "server.database"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created
        from django.db.models import CharField, IntegerField

        from server.database.lookups import Among
        from server.database.sessions import prepare

        CharField.register_lookup(Among)
        IntegerField.register_lookup(Among)
        connection_created.connect(prepare)
