"""The server's modules need Django's settings."""

from tests.support.server import django_ready  # noqa: F401
