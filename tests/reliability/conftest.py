"""How a test of a guarantee learns how often to try, and where it writes down what it found."""

from tests.integration.server.conftest import northwind, server_home, serving  # noqa: F401
from tests.support.proofs import proof  # noqa: F401
from tests.support.server import django_ready  # noqa: F401
