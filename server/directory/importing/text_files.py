"""From the bytes of a CSV file to its text, and which character separates its columns."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from server.errors import Refused

MAX_BYTES = 100 * 1024 * 1024
MAX_CELL_CHARACTERS = 32_767
"""Of one cell: as much as Excel lets a cell hold."""

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Line:
    """One record. `number` is the line of the file on which it begins; quoted cells may run over several."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Decoded:
    """The text of a file, how it was read, and what the person should know about that."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class BrokenLine:
    """A record that is no CSV (RFC 4180), and what to do. `number` is the line on which it begins."""

    number: int
    what: str
    what_to_do: str


def decode(content: bytes) -> Decoded:
    """The text of a CSV file in UTF-8, UTF-16 or, with a warning, Windows-1252.

    Raises `Refused` for what is no text, for an Excel workbook, and for a file that is empty or too large.
    """
    _refuse_what_is_no_csv(content)
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding)
    for encoding, zeros in (("utf-16-le", content[1:64:2]), ("utf-16-be", content[0:64:2])):
        if zeros and not any(zeros):
            return _decoded(content, encoding)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    else:
        return _decoded(content, "utf-8")
    decoded = _decoded(content, "cp1252")
    warning = _(
        "The file is not in UTF-8, so it was read as Windows-1252. Compare line {line} with the original: "
        "are its accents right? If not, save the file as “CSV UTF-8” and import it again."
    ).format(line=line)
    return Decoded(decoded.text, "cp1252", (warning,))


def records(text: str, delimiter: str) -> Iterator[Line | BrokenLine]:
    """The records of the text, without empty lines. Reading goes on after a broken one as well as it can."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    number = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BrokenLine(number, *_explained(error))
        else:
            if any(cell.strip() for cell in cells):
                yield Line(number, cells)
        number = reader.line_num + 1


def split_headers(text: str) -> Iterator[tuple[str, str, Line]]:
    """For each possible delimiter: itself, the text from the header on, and the header as it divides it."""
    first_line, _newline, rest = text.partition("\n")
    named = first_line.strip().strip('"').lower()
    candidates = _DELIMITERS
    if named.startswith("sep=") and named[4:] in set(_DELIMITERS):
        candidates, text = named[4:], "\n" + rest
    for delimiter in candidates:
        header = next(records(text, delimiter), None)
        if isinstance(header, Line):
            yield delimiter, text, header


def _refuse_what_is_no_csv(content: bytes) -> None:
    how_to_save = _("Open it in your spreadsheet program, save it as “CSV UTF-8”, and import that file.")
    if not content.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise Refused(_("The file is empty"), _("It has no line at all. Export it again."))
    if len(content) > MAX_BYTES:
        raise Refused(
            _("The file is too large"),
            _("It has more than {limit} MB. Split it and import the parts one by one.").format(
                limit=MAX_BYTES // (1024 * 1024)
            ),
        )
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Refused(_("This is an Excel workbook, not a CSV file"), how_to_save)


def _decoded(content: bytes, encoding: str) -> Decoded:
    reason: UnicodeDecodeError | None = None
    text = ""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        reason = error
    if reason or "\x00" in text:
        raise Refused(
            _("This file is not readable text"),
            _("It is neither UTF-8, UTF-16 nor Windows-1252. Save it as “CSV UTF-8” and import that file."),
        ) from reason
    return Decoded(text, encoding)


def _explained(error: csv.Error) -> tuple[str, str]:
    """What is wrong and what to do, for the few things that Python's reader refuses."""
    reason = str(error)
    if "field limit" in reason or "end of data" in reason:
        return (
            _("a quotation mark is opened and never closed"),
            _("close it, or remove it, on this line or one of the next"),
        )
    if "expected after" in reason:
        return (
            _("text follows a closing quotation mark"),
            _('write quotation marks inside a quoted cell twice: ""'),
        )
    return (_("the line cannot be read ({reason})").format(reason=reason), _("export the file again"))
