"""A campaign server for tests: its data folder, its database, its commands, and its process.

The test's own process can look into the same database through Django while the server runs: `ServerHome.opened()`.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.children import Child
from tests.support.server import empty_tables, made_northwind
from tests.support.server.postgres import cluster_of
from tests.support.server.run_command import run_command
from tests.support.waiting import PATIENCE_S, until

COMPANY = """
[company]
id = "northwind"
name = "Northwind"
legal_name = "Northwind SAS"
region = "eu"
dpo_name = "Inès Martin"
dpo_email = "dpo@northwind.example"
link_hosts = ["northwind.example", "*.northwind.example"]

[notice]
version = 3
date = 2026-11-02

[notice.text]
en = "Northwind tells you what is new and, if you agree, counts what was seen, clicked and liked."
fr = "Northwind vous informe et, si vous l’acceptez, compte ce qui est vu, cliqué et aimé."
"""

DATABASE = "tidings.sqlite3"
NO_SECRET = "for tests only"
READY = re.compile(r"(https?://\S+)")


@dataclass
class ServerHome:
    """A data folder and a database; nothing runs yet. `database_url` None means SQLite in the folder."""

    folder: Path
    database_url: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    is_quick: bool = False
    """Whether `succeed` runs in this process, a second less: where neither commands nor our own logs are the subject."""

    def variables(self) -> dict[str, str]:
        """The environment of the server's commands."""
        own = {"TIDINGS_SERVER_DATA": str(self.folder), "PYTHONWARNINGS": "error", "LC_ALL": "C.UTF-8"}
        if self.database_url:
            own["DATABASE_URL"] = self.database_url
        inherited = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "PYTHONPATH"}
        }
        return inherited | own | self.environment

    def command(self, *words: str | Path, answer: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `tidings-server` with these words to its end; `answer` is its standard input."""
        return subprocess.run(
            [sys.executable, "-m", "server", *map(str, words)],
            env=self.variables(),
            input=answer,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def succeed(self, *words: str | Path) -> str:
        """Run a command that must succeed, and give what it printed."""
        if self.is_quick:
            return self._within_this_process(*words)
        done = self.command(*words)
        assert done.returncode == 0, f"tidings-server {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _within_this_process(self, *words: str | Path) -> str:
        from django.utils import translation

        name, *rest = words
        mask = os.umask(0o077)
        try:
            with (
                self.opened(),
                translation.override("en"),
                contextlib.redirect_stdout(io.StringIO()) as printed,
            ):
                assert run_command(str(name), *rest) == 0, f"tidings-server {words}"
        finally:
            os.umask(mask)
        return printed.getvalue()

    def init(self, company: str = COMPANY, *, own_keys: bool = False) -> None:
        """Make the company: by default Northwind, whose notice has version 3.

        Northwinds of one test process have the same keys, for they are copies of one, unless `own_keys` are asked for.
        """
        is_plain = company == COMPANY and not self.environment and not own_keys
        if not is_plain or not made_northwind.copy(_make, self.folder, self.database_url):
            _make(self.folder, self.database_url, company, self.environment)

    def take_tables(self) -> None:
        """Where there are none yet: those of this version. `init` takes most of its time to make them."""
        cluster = cluster_of(self.database_url) if self.database_url else None
        if self.database_url is None and not (self.folder / DATABASE).exists():
            empty_tables.copy(self.folder)
        elif self.database_url and cluster and cluster.is_empty(self.database_url):
            empty_tables.restore(cluster, self.database_url)

    def invite(self, email: str) -> str:
        """An invitation code for a person who exists."""
        return next(
            line.partition(": ")[2]
            for line in self.succeed("invite", email).splitlines()
            if line.startswith("Code")
        )

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Let Django in this process use the folder and the database, for the length of a block."""
        with django_at(self.folder, self.database_url):
            yield

    @contextlib.contextmanager
    def running(self, *options: str, workers: int = 1, descriptors: int = 0) -> Iterator["RunningServer"]:
        """Serve on a free loopback port, in a process of its own, which may have so many descriptors if a number is given."""
        limited = ["prlimit", f"--nofile={descriptors}:{descriptors}", "--"] if descriptors else []
        words = ("serve", "--port", "0", "--workers", str(workers), *options)
        log = self.folder / "server.log"
        child = Child([*limited, sys.executable, "-m", "server", *words], log, env=self.variables())
        with child:
            url = until(lambda: _ready_url(child), "the server to say where it serves")
            server = RunningServer(url, self, child)
            until(server.answers, "the server to answer")
            yield server


def _ready_url(child: Child) -> str | None:
    if not child.running:
        raise AssertionError(f"the server ended with {child.exit_code}: {child.output()}")
    found = READY.search(child.output())
    return found.group(1) if found else None


def _make(
    folder: Path,
    database_url: str | None,
    company: str = COMPANY,
    environment: Mapping[str, str] | None = None,
) -> None:
    """As an administrator does, but for the tables, which are there already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "company.toml"
    file.write_text(company, encoding="utf-8")
    home = ServerHome(folder, database_url, dict(environment or {}))
    home.take_tables()
    home.succeed("init", file)


@dataclass
class RunningServer:
    """A server that answers at `url`."""

    url: str
    home: ServerHome
    process: Child

    def answers(self) -> bool:
        """Whether it answers yet."""
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            return requests.get(f"{self.url}/api/v1/health", timeout=5).ok
        return False

    def computer(self, email: str, platform: str = "linux") -> "Computer":
        """Invite a person who exists and connect a computer of theirs."""
        return self.enrol(self.home.invite(email), platform)

    def enrol(self, code: str, platform: str = "linux") -> "Computer":
        """Connect a computer with a code."""
        body = {"code": code, "agent_version": "0.1.0", "platform": platform}
        answer = requests.post(f"{self.url}/api/v1/enrolments", json=body, timeout=PATIENCE_S)
        assert answer.status_code == 201, answer.text
        return Computer(self.url, answer.json())


class Computer:
    """A connected computer that speaks the protocol by hand."""

    def __init__(self, url: str, enrolment: dict[str, Any]) -> None:
        self.url = url
        self.enrolment = enrolment
        self.headers = {
            "Authorization": f"Bearer {enrolment['device_token']}",
            "User-Agent": "tidings/0.1.0",
        }

    def get(self, path: str, **headers: str) -> requests.Response:
        """GET a path under `/api/v1`. Underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(f"{self.url}/api/v1{path}", headers=self.headers | named, timeout=PATIENCE_S)

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> requests.Response:
        """POST JSON to a path under `/api/v1`."""
        sent = {**self.headers, **(headers or {})}
        return requests.post(f"{self.url}/api/v1{path}", json=body, headers=sent, timeout=PATIENCE_S)

    def patch(self, path: str, body: Any) -> requests.Response:
        """PATCH JSON to a path under `/api/v1`."""
        return requests.patch(f"{self.url}/api/v1{path}", json=body, headers=self.headers, timeout=PATIENCE_S)

    def delete(self, path: str) -> requests.Response:
        """DELETE a path under `/api/v1`."""
        return requests.delete(f"{self.url}/api/v1{path}", headers=self.headers, timeout=PATIENCE_S)


@contextlib.contextmanager
def django_at(folder: Path, database_url: str | None) -> Iterator[None]:
    """Point this process's Django at a server's folder and database, and back afterwards."""
    os.environ.setdefault("TIDINGS_SERVER_DATA", str(folder))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")
    import django

    django.setup()
    from django.db import connections
    from django.test.utils import override_settings

    from server.settings import database

    secret = folder / "secret.key"
    paths = {
        "DATA": folder,
        "MEDIA_FOLDER": folder / "media",
        "PREVIEW_FOLDER": folder / "previews",
        "CONVERSION_FOLDER": folder / "conversions",
        "KEY_FOLDER": folder / "keys",
        "SECRET_FILE": secret,
        "SECRET_KEY": secret.read_text().strip() if secret.exists() else NO_SECRET,
    }
    _have_a_secret_key()
    before = connections.settings
    connections.close_all()
    connections.settings = connections.configure_settings({"default": database(database_url, folder)})
    _forget_connection()
    try:
        with override_settings(**paths):
            yield
    finally:
        connections.close_all()
        connections.settings = before
        _forget_connection()


def _have_a_secret_key() -> None:
    """Where Django started without one, reading it is an error, even to restore it later."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings.SECRET_KEY = str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        settings.SECRET_KEY = NO_SECRET


def _forget_connection() -> None:
    from django.db import connections

    with contextlib.suppress(AttributeError):
        del connections["default"]
