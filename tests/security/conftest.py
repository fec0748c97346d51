"""How a test of a guarantee learns how often to try, and where it writes down what it found."""

from collections.abc import Iterator

import pytest

from tests.support.server import django_ready  # noqa: F401

# isort: split
from server.access.roles import Role
from server.accounts.invitations import invite
from server.accounts.models import Account, Session
from server.directory.models import Company
from tests.integration.server.conftest import northwind, server_home, serving  # noqa: F401
from tests.support.proofs import proof  # noqa: F401
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import console_settings
from tests.support.server.signing_in import EMAIL


@pytest.fixture(scope="module")
def made_console(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    home = ServerHome(tmp_path_factory.mktemp("console") / "server")
    home.init()
    return home


@pytest.fixture
def console(made_console: ServerHome) -> Iterator[ServerHome]:
    with made_console.opened(), console_settings():
        yield made_console
        Account.objects.all().delete()
        Session.objects.all().delete()
        Company.objects.exclude(pk="northwind").delete()


@pytest.fixture
def link(console: ServerHome) -> str:
    """Where the link of a new account leads."""
    return f"/welcome/{invite(bulk_data.company(), EMAIL, [Role.COMMUNICATOR], 'test')[1]}"
