"""The end of each chain, kept in the data folder too: a database whose last entries were cut off is found by it.

Written after the transaction that appended, so that it is never ahead of a sound database.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from server import private_files
from server.errors import EnvironmentFault


@dataclass(frozen=True)
class Head:
    """The last entry of a chain: its number and its digest in hex. 0 and empty before the first entry."""

    number: int
    digest: str


def kept(company_id: str) -> Head | None:
    """The end as the data folder remembers it, or None where it has no file. Raises `EnvironmentFault`."""
    path = _path(company_id)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Head(int(content["number"]), str(content["digest"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise EnvironmentFault(
            _("The end of the audit log cannot be read"),
            _("{file}: {reason}. It was changed, or the disk is at fault.").format(file=path, reason=error),
        ) from error


def keep(company_id: str, head: Head) -> None:
    """Remember the end, on the disk before this returns. A lower number changes nothing. Raises `OSError`."""
    folder = _folder()
    private_files.make_folder(folder)
    with _locked(folder):
        before = kept(company_id)
        if before is None or before.number < head.number:
            _replace(_path(company_id), json.dumps(asdict(head)))


def forget(company_id: str) -> None:
    """Remove the file of a company whose account is closed."""
    _path(company_id).unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8", opener=private_files.opener) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time, among all processes of this server."""
    with open(folder / "lock", "a", opener=private_files.opener) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _folder() -> Path:
    return Path(settings.DATA) / "audit"


def _path(company_id: str) -> Path:
    return _folder() / f"{company_id}.json"
