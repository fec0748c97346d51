"""Reads the tables of a TOML file strictly: every key is known, of the right kind, and within its limits.

All mistakes of a file are collected, so that one reading shows them all.
"""

import difflib
import heapq
import itertools
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from server.core import plain_text

_Kind = TypeVar("_Kind")

LAST_YEAR = 2100
MAX_LINES = 300
"""Of a text: what a computer shows of more runs on in its last line."""
MOST_MISTAKES = 50
"""So many are listed: a file with more is looked at again when these are mended."""
MOST_COMPARED = 500
MOST_LISTED = 20
_COMMAND = ": ffmpeg "
"""A sentence that ends in a command has no full stop, which would be copied with it."""


@dataclass(frozen=True)
class Mistake:
    """What is wrong with one key of a file, and what to do."""

    key: str
    what: str
    what_to_do: str

    def __str__(self) -> str:
        said = _("{key}: {what}; {what_to_do}.").format(
            key=self.key, what=self.what, what_to_do=self.what_to_do
        )
        return said.removesuffix(".") if _COMMAND in said else said


@dataclass
class Mistakes:
    """The mistakes found so far."""

    found: list[Mistake] = field(default_factory=list)

    @property
    def are_enough(self) -> bool:
        """Whether no more are noted, so that nobody need look for them."""
        return len(self.found) >= MOST_MISTAKES

    def add(self, key: str, what: str, what_to_do: str) -> None:
        """Write one down."""
        if not self.are_enough:
            self.found.append(Mistake(key, what, what_to_do))


class Table:
    """One table of the file. Ask for its keys, then call `finish` to have the others refused.

    Each question answers a harmless value when there was a mistake, and has noted it.
    """

    def __init__(self, values: dict[str, Any], path: str, mistakes: Mistakes) -> None:
        self._values = values
        self._path = path
        self._mistakes = mistakes
        self._asked: list[str] = []

    def name_of(self, key: str) -> str:
        """The key with the tables it lies in: `variants.en.title`."""
        return f"{self._path}.{key}" if self._path else key

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def refuse(self, key: str, what: str, what_to_do: str) -> None:
        """Note a mistake in this key."""
        self._mistakes.add(self.name_of(key) if key else self._path, what, what_to_do)

    def text(self, key: str, most: int, *, default: str | None = None, several_lines: bool = False) -> str:
        """A text of at most `most` characters; it may be empty or left out only where there is a default."""
        value = self._value(key, str, _("a text between quotation marks"), default)
        if value is None:
            return ""
        text = plain_text.several_lines(value) if several_lines else plain_text.one_line(value)
        if not text and default is None:
            self.refuse(key, _("it is empty"), _("write something"))
        if len(text) > most:
            self.refuse(
                key,
                _("it has {count} characters, {most} are allowed").format(count=len(text), most=most),
                _("shorten it"),
            )
            return text[:most]
        if (count := text.count("\n") + 1) > MAX_LINES:
            self.refuse(
                key,
                _("it has {count} lines, {most} are allowed").format(count=count, most=MAX_LINES),
                _("leave out empty lines, or make two announcements of it"),
            )
        problem = (plain_text.problem_of_lines if several_lines else plain_text.problem_of_line)(text)
        if problem:
            self.refuse(key, problem, _("write it anew, without copying"))
        return text

    def choice(self, key: str, choices: Collection[str], default: str) -> str:
        """One of the choices."""
        value = self.text(key, 100, default=default)
        if value not in choices:
            self.refuse(key, _("“{value}” is not known").format(value=value), suggestion(value, choices))
            return default
        return value

    def matching(self, key: str, pattern: str, explanation: str, default: str | None = None) -> str:
        """A text of a certain form; `explanation` says which."""
        value = self.text(key, 200, default=default)
        if value and not re.fullmatch(pattern, value):
            self.refuse(key, _("“{value}” will not do").format(value=value), explanation)
        return value

    def moment(self, key: str) -> datetime | None:
        """A date with a time and its zone; None when it is left out."""
        example = _("write it as 2026-11-23T09:00:00+01:00")
        value = self._value(key, datetime, example, None, required=False)
        if value is None:
            return None
        if value.tzinfo is None:
            self.refuse(key, _("it does not say in which time zone"), example)
            return None
        if not 2000 <= value.year <= LAST_YEAR:
            self.refuse(key, _("nobody will see that year"), example)
            return None
        return value.astimezone(UTC).replace(microsecond=0)

    def flag(self, key: str) -> bool:
        """True or false; false when it is left out."""
        return bool(self._value(key, bool, _("true or false, without quotation marks"), False))

    def texts(self, key: str, most: int) -> list[str]:
        """A list of texts, at most `most`; empty when it is left out."""
        values = self._value(key, list, _('a list such as ["Lyon", "Paris"]'), [])
        if values is None or not all(isinstance(value, str) and value.strip() for value in values):
            self.refuse(key, _("something in the list is no text"), _('write it as ["Lyon", "Paris"]'))
            return []
        return list(dict.fromkeys(value.strip() for value in self._limited(key, values, most)))

    def table(self, key: str) -> "Table | None":
        """A table within this one; None when it is left out."""
        values = self._value(key, dict, _("a table"), None, required=False)
        return None if values is None else Table(values, self.name_of(key), self._mistakes)

    def tables(self, key: str, most: int) -> "list[Table]":
        """A list of tables within this one; empty when it is left out."""
        values = self._value(key, list, _("a list of tables"), [])
        if values is None or not all(isinstance(value, dict) for value in values):
            self.refuse(
                key, _("it is no list of tables"), _("look at the example in docs/campaign-format.md")
            )
            return []
        return [
            Table(value, f"{self.name_of(key)}[{number}]", self._mistakes)
            for number, value in enumerate(self._limited(key, values, most), start=1)
        ]

    def named_tables(self) -> "Iterator[tuple[str, Table]]":
        """All tables within this one, by their names."""
        for key in self._values:
            if self._mistakes.are_enough:
                return
            table = self.table(key)
            if table is not None:
                yield key, table

    def finish(self) -> None:
        """Refuse the keys that nobody has asked for."""
        for key in self._values:
            if self._mistakes.are_enough:
                return
            if key not in self._asked:
                self.refuse(key, _("this key is not known"), suggestion(key, self._asked))

    def _value(
        self, key: str, kind: type[_Kind], wanted: str, default: _Kind | None, *, required: bool = True
    ) -> _Kind | None:
        self._asked.append(key)
        if key not in self._values:
            if default is None and required:
                self.refuse(key, _("it is missing"), _("add it: {wanted}").format(wanted=wanted))
            return default
        value = self._values[key]
        if not isinstance(value, kind):
            self.refuse(key, _("it is of the wrong kind"), _("it must be {wanted}").format(wanted=wanted))
            return default
        return value

    def _limited(self, key: str, values: list[Any], most: int) -> list[Any]:
        """The first `most` values; more are a mistake, and nobody looks at them."""
        if len(values) > most:
            self.refuse(
                key,
                _("it has {count} entries, {most} are allowed").format(count=len(values), most=most),
                _("remove some"),
            )
        return values[:most]


def suggestion(given: str, choices: Collection[str]) -> str:
    """What was probably meant, or all that there is, or the first of it. Takes a bounded time."""
    wanted = given.casefold()
    folded = {choice.casefold(): choice for choice in choices if _may_be_meant(wanted, choice.casefold())}
    near = difflib.get_close_matches(wanted, itertools.islice(folded, MOST_COMPARED), n=1)
    if near:
        return _("perhaps you mean “{near}”").format(near=folded[near[0]])
    listed = ", ".join(heapq.nsmallest(MOST_LISTED, choices))
    return _("use one of: {choices}").format(choices=f"{listed} …" if len(choices) > MOST_LISTED else listed)


def _may_be_meant(wanted: str, choice: str) -> bool:
    """Comparing two texts takes a millisecond, and a company may have ten thousand groups."""
    is_near = abs(len(wanted) - len(choice)) <= 3 and len(choice) <= 100
    return is_near and (wanted[:1] == choice[:1] or wanted[-1:] == choice[-1:])


Refuse = Callable[[str, str], None]
"""Takes what is wrong with a value and what to do."""
