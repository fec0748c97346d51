"""The end of each chain, kept in the data folder too: who may write the database alone cannot rewrite the log unnoticed.

The data folder is told of an entry before the database commits it (`announce`), and again afterwards (`confirm`). So the
database ends where it was confirmed or with an announced entry, wherever a process was killed between. An end that is neither
is a break. Breaks, with the end that was remembered, and what a person said about them stay in the file.
"""

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from server.core import private_files
from server.core.errors import EnvironmentFault
from server.core.json_text import read_json


class Damaged(EnvironmentFault):
    """The file is there and can be read, but it is not what was written."""


@dataclass(frozen=True)
class Head:
    """The last entry of a chain: its number and its digest in hex. 0 and empty before the first entry."""

    number: int
    digest: str


START = Head(0, "")


@dataclass(frozen=True)
class Break:
    """The database did not go on from `remembered`, but ended with `database`. `remembered` is None: the file was lost."""

    time: str
    remembered: Head | None
    database: Head

    @property
    def key(self) -> str:
        """What this fault is called in an explanation."""
        return f"break:{self.remembered.digest if self.remembered else '-'}:{self.database.digest}"


@dataclass(frozen=True)
class Explanation:
    """What a person said about faults, and the entry that says so. `faults`: their keys."""

    time: str
    by: str
    reason: str
    entry: int
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """What the data folder knows. `announced`: entries that may have been committed; None in a file of an older version."""

    end: Head
    announced: tuple[Head, ...] | None = ()
    breaks: tuple[Break, ...] = ()
    explanations: tuple[Explanation, ...] = ()

    def knows(self, head: Head) -> bool:
        """Whether a sound database may end there."""
        return head == self.end or head in (self.announced or ())

    @property
    def explained(self) -> frozenset[str]:
        """The keys of all faults that somebody explained."""
        return frozenset(key for one in self.explanations for key in one.faults)


def is_kept(company_id: str) -> bool:
    """Whether the data folder remembers the log of such a company, readable or not."""
    return path_of(company_id).exists()


def kept(company_id: str) -> Kept | None:
    """What the data folder remembers, or None where it has no file. Raises `EnvironmentFault`, `Damaged`."""
    path = path_of(company_id)
    try:
        return from_fields(read_json(path.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentFault(*_unreadable(path, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged(*_unreadable(path, error)) from error


def announce(company_id: str, before: Head, entry: Head) -> None:
    """Say that the entry after `before` may soon be the end. It is on the disk then. Raises `OSError`, `EnvironmentFault`."""

    def add(old: Kept | None) -> Kept:
        if old is None:
            return Kept(before, (entry,))
        # An announced entry that is not before this one was undone with its transaction.
        known = old.announced or ()
        until = known.index(before) + 1 if before in known else 0
        return replace(old, announced=(*known[:until], entry))

    _change(company_id, add)


def confirm(company_id: str, entry: Head) -> None:
    """Say that the entry is committed. Raises `OSError`, `Damaged`."""

    def settle(old: Kept | None) -> Kept | None:
        known = (old.announced or ()) if old else ()
        if old is None or entry not in known:  # a later one was confirmed
            return old
        return replace(old, end=entry, announced=known[known.index(entry) + 1 :])

    _change(company_id, settle)


def begin(company_id: str, there: Kept) -> None:
    """Remember what another server knew of a log that comes from it. Raises `OSError`, `Damaged`."""
    _change(company_id, lambda old: old or there)


def note_break(company_id: str, found: Break) -> None:
    """Keep a break, once for the same two ends. A damaged file is set aside. Raises `OSError`."""
    with contextlib.suppress(Damaged):
        _change(company_id, lambda old: _with_break(old, found))
        return
    path = path_of(company_id)
    path.replace(path.with_name(f"{company_id}.{found.time.replace(':', '')}.damaged"))
    _change(company_id, lambda old: _with_break(old, found))


def _with_break(old: Kept | None, found: Break) -> Kept:
    before = old or Kept(found.database)
    if any(one.key == found.key for one in before.breaks):
        return before
    return replace(before, breaks=(*before.breaks, found))


def explain(company_id: str, explanation: Explanation) -> None:
    """Keep what a person said. Raises `OSError`, `Damaged`."""

    def add(old: Kept | None) -> Kept | None:
        return replace(old, explanations=(*old.explanations, explanation)) if old else None

    _change(company_id, add)


def forget(company_id: str) -> None:
    """Remove the files of a company whose account is closed."""
    path_of(company_id).unlink(missing_ok=True)
    for damaged in _folder().glob(f"{company_id}.*.damaged"):
        damaged.unlink(missing_ok=True)


def _change(company_id: str, change: Callable[[Kept | None], Kept | None]) -> None:
    folder = _folder()
    private_files.make_folder(folder)
    with _locked(folder):
        before = kept(company_id)
        after = change(before)
        if after is not None and after != before:
            private_files.write(
                path_of(company_id), json.dumps(to_fields(after), ensure_ascii=False).encode()
            )


def to_fields(content: Kept) -> dict[str, Any]:
    """As JSON keeps it."""
    fields = asdict(content)
    return dict(fields.pop("end") | fields)


def from_fields(content: dict[str, Any]) -> Kept:
    """What JSON kept. Raises `ValueError`, `KeyError`, `TypeError`, `AttributeError` for anything else."""
    announced = content.get("announced")
    return Kept(
        end=_head(content),
        announced=None if announced is None else tuple(map(_head, announced)),
        breaks=tuple(
            Break(
                str(one["time"]),
                _head(one["remembered"]) if one["remembered"] else None,
                _head(one["database"]),
            )
            for one in content.get("breaks", ())
        ),
        explanations=tuple(
            Explanation(**one | {"faults": tuple(map(str, one["faults"]))})
            for one in content.get("explanations", ())
        ),
    )


def _head(content: dict[str, Any]) -> Head:
    return Head(int(content["number"]), str(content["digest"]))


def _unreadable(path: Path, error: Exception) -> tuple[str, str]:
    return (
        _("The end of the audit log cannot be read"),
        _("{file}: {reason}. It was changed, or the disk is at fault.").format(file=path, reason=error),
    )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time, among all processes of this server."""
    with open(folder / "lock", "a", opener=private_files.opener) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _folder() -> Path:
    return Path(settings.DATA) / "audit"


def path_of(company_id: str) -> Path:
    """Where it is kept what the data folder knows of a company's log, whether anything is."""
    return _folder() / f"{company_id}.json"
