"""PgBouncer, Debian's, in transaction mode, in front of a cluster of ours: in a temporary folder, ended by its process id."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.children import Child
from tests.support.ports import free_port
from tests.support.server.postgres import SYSTEM_USER
from tests.support.waiting import until

SETTINGS = """
[databases]
* = host=127.0.0.1 port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = plain
auth_file = {users}
pool_mode = {mode}
default_pool_size = {pool}
"""


@contextmanager
def pooled(url: str, pool: int = 3, mode: str = "transaction") -> Iterator[str]:
    """The address of a database through a pooler that has `pool` connections to it, and lends them for this long."""
    place = urlsplit(url)
    folder = Path(tempfile.mkdtemp(prefix="tidings-pgbouncer-"))
    own = free_port()
    users, settings = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{place.username}" "{place.password}"\n')
    settings.write_text(SETTINGS.format(port=place.port, own=own, users=users, pool=pool, mode=mode))
    words: list[str | Path] = ["pgbouncer", settings]
    if os.geteuid() == 0:  # which it refuses to run as
        owner = pwd.getpwnam(SYSTEM_USER)
        for path in (folder, users, settings):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        words = ["pgbouncer", "-u", SYSTEM_USER, settings]
    through = f"{place.scheme}://{place.username}:{place.password}@127.0.0.1:{own}{place.path}"

    def answers() -> bool:
        try:
            with psycopg.connect(through, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    try:
        with Child(words, folder / "log", cwd=Path("/")):
            until(answers, "PgBouncer")
            yield through
    finally:
        shutil.rmtree(folder, ignore_errors=True)
