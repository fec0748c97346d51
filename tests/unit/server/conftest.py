"""The server's modules can be imported in these tests."""

from tests.support.server import django_ready  # noqa: F401
