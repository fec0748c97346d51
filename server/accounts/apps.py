"""The applications whose tables accounts need: Django's and allauth's, without what they do when they start.

The agents' API has these tables in its database and none of allauth's middleware, which allauth's own configuration asks
for. Rights are rows of `access.roles`: Django's permissions are not filled in.
"""

from django.apps import AppConfig

AUTO_FIELD = "django.db.models.BigAutoField"


class Accounts(AppConfig):
    """Our own."""

    name = "server.accounts"
    default = True
    default_auto_field = AUTO_FIELD

    def ready(self) -> None:
        """Have what allauth tells put on record."""
        import server.accounts.recovery_codes  # noqa: F401


class AuthTables(AppConfig):
    """Django's `auth`. The back-end that allauth signs in with is made on it."""

    name = "django.contrib.auth"
    default_auto_field = "django.db.models.AutoField"


class ContentTypeTables(AppConfig):
    """Django's `contenttypes`, which `auth` refers to."""

    name = "django.contrib.contenttypes"
    default_auto_field = "django.db.models.AutoField"


class AddressTables(AppConfig):
    """allauth's `account`."""

    name = "allauth.account"
    default_auto_field = "django.db.models.AutoField"


class SecondFactorTables(AppConfig):
    """allauth's `mfa`."""

    name = "allauth.mfa"
    default_auto_field = AUTO_FIELD
