"""The addresses in a file of people to erase: any table that people can be imported from, or a plain list."""

from collections.abc import Iterator
from dataclasses import dataclass

from server.directory.addresses import canonical
from server.people_files.cells import CheckedLine
from server.people_files.formats import recognise
from server.people_files.text_files import BrokenLine, records


@dataclass(frozen=True)
class Address:
    """An address and the line on which it stands. `fault` says what is wrong with a line that has none."""

    line: int
    email: str
    fault: str = ""


def read_addresses(text: str) -> list[Address]:
    """All of them, in order, each once.

    Raises `server.core.errors.Refused` when it is neither a list nor a table whose columns are known.
    """
    found: dict[str, Address] = {}
    for address in _listed(text) if _is_list(text) else _in_table(text):
        found.setdefault(canonical(address.email) or f"line {address.line}", address)
    return list(found.values())


def _is_list(text: str) -> bool:
    """A table begins with the names of its columns, which hold no @."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return "@" in first


def _listed(text: str) -> Iterator[Address]:
    for number, line in enumerate(text.splitlines(), start=1):
        if email := line.strip().strip(',;"').strip():
            yield Address(number, email)


def _in_table(text: str) -> Iterator[Address]:
    layout = recognise(text)
    for line in records(layout.text, layout.delimiter):
        if isinstance(line, BrokenLine):
            yield Address(line.number, "", line.what)
        elif line.number != layout.header.number:
            yield Address(line.number, CheckedLine(layout, line).address()[1])
