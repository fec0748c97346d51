"""What holds for every test: its own home folder, and no warning, Qt message or stray log record goes unseen."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pytestqt.qtbot import QtBot
from pytestqt.wait_signal import SignalBlocker

from tests.support.server import empty_tables, postgres
from tests.support.waiting import PATIENCE_S

PERSONAL = (
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DATABASE_URL",
    "TIDINGS_HOME",
    "LANGUAGE",
)
"""Where tests must not look: the desktop, keychain and databases of the person who runs them."""

for name in PERSONAL:
    os.environ.pop(name, None)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of a thousand processes compiles the program anew
os.environ["LANG"] = "C.UTF-8"
os.environ["QT_QPA_PLATFORM"] = "offscreen"

LONGEST = ("e2e", "privacy", "security", "reliability", "integration/server", "integration")
"""Folders, in the order in which they are shared out among workers; the rest follows."""

hypothesis.settings.register_profile("default", deadline=None, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


DATABASES = ["sqlite", "postgresql"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make prove-databases` asks for."""
    parser.addoption(
        "--both-databases", action="store_true", help="try whatever uses a server on PostgreSQL, too"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A server's test is tried on SQLite; if it is marked `both_databases` or all are asked for, on PostgreSQL, too.

    One that is marked `only_on` a database is tried on that one alone.
    """
    if "server_home" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("both_databases")
        both = marked or metafunc.config.getoption("both_databases")
        only = metafunc.definition.get_closest_marker("only_on")
        databases = list(only.args) if only else DATABASES if both else DATABASES[:1]
        metafunc.parametrize("server_home", databases, indirect=True, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: else one worker still has a file of minutes when the others are done."""

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((n for n, folder in enumerate(LONGEST) if name.startswith(f"{folder}/")), len(LONGEST))

    items.sort(key=place)


class Collector(logging.Handler):
    """Keeps the records at WARNING and above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one."""
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(scope="session", autouse=True)
def home_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder that is nobody's, for whatever looks for one."""
    home = tmp_path_factory.mktemp("home")
    own = tmp_path_factory.getbasetemp()
    empty_tables.run_folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(variable, str(home / variable.lower()))
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        yield home


_UMASK = os.umask(0o022)
os.umask(_UMASK)


@pytest.fixture(autouse=True)
def _process_as_it_was() -> Iterator[None]:
    """Commands that run within this process set what is theirs to set: programs of later tests do not inherit it."""
    yield
    os.umask(_UMASK)
    os.environ.pop("PYTHONSAFEPATH", None)


@pytest.fixture(autouse=True)
def _no_stray_log_records(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that logs a warning or an error which it did not announce with `expected_logs`."""
    collector = Collector()
    root = logging.getLogger()
    root.addHandler(collector)
    yield
    root.removeHandler(collector)
    marks = request.node.iter_markers("expected_logs")
    patterns = [pattern for mark in marks for pattern in mark.args]
    stray = [line for line in collector.lines if not any(re.search(pattern, line) for pattern in patterns)]
    if stray:
        pytest.fail("log records that no test announced:\n" + "\n".join(stray), pytrace=False)


class PatientBot(QtBot):
    """pytest-qt's, which waits for five seconds, as patient as all else here."""

    def waitSignal(self, signal: Any, *, timeout: float = 1000 * PATIENCE_S, **words: Any) -> SignalBlocker:
        """Until it comes."""
        return super().waitSignal(signal, timeout=round(timeout), **words)

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: float = 1000 * PATIENCE_S) -> None:
        """Until it is true, or raises no longer."""
        super().waitUntil(callback, timeout=round(timeout))


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> QtBot:
    """Qt's event loop, and what a test waits for in it."""
    return PatientBot(request)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.PostgresCluster]:
    """A PostgreSQL server of the session's own."""
    with postgres.cluster() as running:
        yield running
