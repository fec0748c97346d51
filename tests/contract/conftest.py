"""The server's modules need Django's settings."""

from tests.support import django_ready  # noqa: F401
