"""Back a server's database up and put the backup in place again, with the database's own tools."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.support.server.campaign_server import ServerHome
from tests.support.server.postgres import programs

DATABASE = "tidings.sqlite3"


def back_up(home: ServerHome, to: Path) -> None:
    """Write the database as it is now into a new file."""
    if home.database_url:
        _run("pg_dump", "--format=custom", f"--file={to}", f"--dbname={home.database_url}")
    else:
        with (
            closing(sqlite3.connect(home.folder / DATABASE)) as database,
            closing(sqlite3.connect(to)) as copy,
        ):
            database.backup(copy)


def restore(home: ServerHome, backup: Path) -> None:
    """Put the database of the backup in place of the present one. Nothing of the server may run."""
    if home.database_url:
        words = ("--clean", "--if-exists", "--single-transaction", f"--dbname={home.database_url}")
        _run("pg_restore", *words, str(backup))
    else:
        for left in home.folder.glob(f"{DATABASE}*"):
            left.unlink()
        shutil.copyfile(backup, home.folder / DATABASE)


def restore_under(home: ServerHome, backup: Path) -> None:
    """The same while the server runs, which nobody should do."""
    if home.database_url:
        restore(home, backup)
        return
    with (
        closing(sqlite3.connect(backup)) as copy,
        closing(sqlite3.connect(home.folder / DATABASE, timeout=60)) as database,
    ):
        copy.backup(database)


def dump(home: ServerHome) -> bytes:
    """All that is stored: the bytes of SQLite's files, or what PostgreSQL's own tool writes out."""
    if home.database_url:
        return _run("pg_dump", f"--dbname={home.database_url}")
    return b"".join(path.read_bytes() for path in sorted(home.folder.glob(f"{DATABASE}*")))


def _run(program: str, *words: str) -> bytes:
    command = [str(programs() / program), *words]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
