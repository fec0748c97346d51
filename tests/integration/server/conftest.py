"""Servers on SQLite, and on PostgreSQL for tests that are marked `both_databases`."""

from collections.abc import Iterator

import pytest

from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.emptying import empty


@pytest.fixture(scope="session")
def server_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """Northwind's server, without people. One for each database and the whole session; `tests/conftest.py` says on which."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_cluster").new_database()
    home = ServerHome(tmp_path_factory.mktemp("server"), url)
    home.init()
    return home


@pytest.fixture
def northwind(server_home: ServerHome) -> Iterator[ServerHome]:
    """The same, open in this process, and emptied of people and campaigns afterwards."""
    with server_home.opened():
        yield server_home
        empty()


@pytest.fixture(scope="session")
def serving(server_home: ServerHome) -> Iterator[RunningServer]:
    """Northwind's server, in a process of its own. It lasts while tests begin the ledger and the logs anew under it."""
    server_home.environment["TIDINGS_RESTORE_WATCH_S"] = "0"
    with server_home.running() as server:
        yield server


@pytest.fixture(scope="session")
def whole_company(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """Northwind with a row in every table, in SQLite. Look at it, or copy its folder; change nothing."""
    from tests.support.server.whole_company import fill

    home = ServerHome(tmp_path_factory.mktemp("whole") / "server")
    home.init()
    with home.opened():
        fill(home)
    return home
