"""A PostgreSQL cluster of our own: in a temporary folder, on a free loopback port, ended by its process id."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.children import Child
from tests.support.ports import free_port
from tests.support.waiting import until

SYSTEM_USER = "postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # the cluster lives as long as the tests
    "max_connections": "60",
    "timezone": "UTC",
}


class PostgresCluster:
    """A running cluster. `new_database` gives each user of it a database of their own."""

    def __init__(self, port: int, password: str, pid: int) -> None:
        self.pid = pid
        self._base = f"postgresql://{SYSTEM_USER}:{password}@127.0.0.1:{port}"

    def url(self, database: str) -> str:
        """The address of a database, for `DATABASE_URL`."""
        return f"{self._base}/{database}"

    def new_database(self, copied: str | None = None) -> str:
        """The address of a new database: empty, or with what is in another of this cluster, which nobody may have open."""
        name = f"t{secrets.token_hex(6)}"
        template = copied.rpartition("/")[2] if copied else "template1"
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(self.url(SYSTEM_USER), autocommit=True) as connection:
            connection.execute(words.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def replace(self, database: str, copied: str) -> None:
        """Let a database be what another of this cluster is; nobody may have either open."""
        name = sql.Identifier(database.rpartition("/")[2])
        template = sql.Identifier(copied.rpartition("/")[2])
        with psycopg.connect(self.url(SYSTEM_USER), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))

    def is_empty(self, database: str) -> bool:
        """Whether it has no tables."""
        with psycopg.connect(database) as connection:
            return not connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchone()

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            with psycopg.connect(self.url(SYSTEM_USER), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False


_running: list[PostgresCluster] = []


def cluster_of(database: str) -> PostgresCluster | None:
    """The cluster of this process that has a database at this address, without a pooler between; None if none has."""
    return next((each for each in _running if database.startswith(each.url(""))), None)


def programs() -> Path:
    """Where Debian keeps the newest PostgreSQL's own programs.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: python3 -m tasks setup test")
    return found[-1].parent


def as_system_user() -> list[str | Path]:
    """Words before a command: PostgreSQL refuses to run as root, so root runs it as Debian's postgres user."""
    if os.geteuid() != 0:
        return []
    identity = [f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--init-groups"]
    return ["setpriv", *identity, "--pdeathsig", "TERM", "--"]


@contextmanager
def cluster() -> Iterator[PostgresCluster]:
    """Makes and runs a cluster, and removes all of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tidings-postgres-"))
    password = secrets.token_urlsafe(16)
    password_file = folder / "password"
    password_file.write_text(password)
    if os.geteuid() == 0:
        owner = pwd.getpwnam(SYSTEM_USER)
        for path in (folder, password_file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    try:
        options = ["-U", SYSTEM_USER, "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"]
        initdb = [*as_system_user(), programs() / "initdb", "-D", data, f"--pwfile={password_file}", *options]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        port = free_port()
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        command = [*as_system_user(), programs() / "postgres", "-D", data, "-p", str(port), *settings]
        log = folder / "postgres.log"
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for its clients.
        with Child(command, log, cwd=Path("/"), stop_signal=signal.SIGINT) as child:
            running = PostgresCluster(port, password, child.pid)
            until(running.answers, "PostgreSQL")
            _running.append(running)
            yield running
            _running.remove(running)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
