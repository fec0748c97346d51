"""From the bytes of a CSV file to its text, and which character separates its columns."""

import codecs
import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from server.core.errors import Refused
from server.people_files.other_encodings import doubtful_line, in_utf7

MAX_BYTES = 100 * 1024 * 1024
MAX_CELL_CHARACTERS = 32_767
"""Of one cell: as much as Excel lets a cell hold."""

_DELIMITERS = ",;\t"
_TEMPLATE_VERSION = re.compile(r'version:v[\d.]+"?[,;\t]*')
"""The first line of Microsoft Entra's templates, also where a spreadsheet program made it as long as the others."""
_SECRET = re.compile(
    "passw|kennwort|mot de passe|contraseñ|wachtwoord|hasło|senha|пароль|パスワード|密码", re.IGNORECASE
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True)
class Line:
    """One record. `number` is the line of the file on which it begins; quoted cells may run over several."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Decoded:
    """The text of a file, how it was read, and whether that is a guess."""

    text: str
    encoding: str
    is_guess: bool = False


@dataclass(frozen=True)
class BrokenLine:
    """A record that is no CSV (RFC 4180), and what to do. `number` is the line on which it begins."""

    number: int
    what: str
    what_to_do: str


CODE_PAGES = {
    "windows-1252": "cp1252",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "iso-8859-15": "iso8859_15",
    "cp850": "cp850",
    "cp437": "cp437",
    "macintosh": "mac_roman",
    "gb18030": "gb18030",
    "shift-jis": "cp932",
    "utf-7": "utf-7",
    "utf-8": "utf-8",
    "utf-16": "utf-16",
}
"""Encodings that a person may name, by the names that programs show, and Python's names for them."""


def decode(content: bytes, encoding: str = "") -> Decoded:
    """The text of a CSV file: in UTF-8 or UTF-16, in the encoding that is named, or, as a guess, in Windows-1252.

    Raises `Refused` for what is no text, for an Excel workbook, and for a file that is empty or too large.
    """
    _refuse_what_is_no_csv(content)
    while content.startswith(codecs.BOM_UTF8 * 2):
        content = content[len(codecs.BOM_UTF8) :]
    if encoding:
        return _decoded(content, CODE_PAGES[encoding])
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
    except UnicodeDecodeError:
        if not possible_readings(content)[1]:
            raise _unreadable() from None
        return Decoded(_decoded(content, "cp1252", errors="replace").text, "windows-1252", is_guess=True)
    decoded = _decoded(content, "utf-8")
    return replace(decoded, is_guess=doubtful_line(decoded.text) is not None)


def possible_readings(content: bytes) -> tuple[int, dict[str, str]]:
    """The number of the first line that is hardly UTF-8, and what it says in each encoding in which it may be written."""
    lines = content.splitlines()
    doubtful = (doubtful_line(content.decode(errors="replace")) or "").encode()
    number = next((at for at, line in enumerate(lines, start=1) if line == doubtful or not _is_utf8(line)), 0)
    line = _without_secrets(lines, lines[number - 1]) if number else b""
    doubtful = _without_secrets(lines, doubtful)
    readings = {"utf-8": line.decode()} if line and line == doubtful else {}
    if line.isascii():
        return number, readings | {"utf-7": in_utf7(line.decode())}
    for name, codec in CODE_PAGES.items():
        if name.startswith("utf"):
            continue
        try:
            text = line.decode(codec)
        except UnicodeDecodeError:
            continue
        if _is_shown(text) and text not in readings.values():
            readings[name] = text
    return number, readings


def is_secret(header: str) -> bool:
    """Whether a column holds passwords, or a line names such a column."""
    return bool(_SECRET.search(header))


def _without_secrets(lines: list[bytes], line: bytes) -> bytes:
    """The line as it may be shown: first passwords, which templates for new accounts hold, are for nobody's eyes."""
    for header in lines[:2]:
        names = header.decode(errors="replace")
        if not is_secret(names):
            continue
        delimiter = max(_DELIMITERS, key=names.count)
        secret = [is_secret(name) for name in next(csv.reader([names], delimiter=delimiter))]
        # Latin-1 has a character for each byte.
        cells = next(csv.reader([line.decode("latin-1")], delimiter=delimiter), [])
        known = zip(cells, secret, strict=False) if len(cells) <= len(secret) else ()
        shown = ["..." if is_hidden else cell for cell, is_hidden in known]
        return delimiter.join(shown).encode("latin-1")
    return line


def _is_shown(text: str) -> bool:
    """No-break spaces and tabs are there in good files, too."""
    return not any(
        unicodedata.category(one) in ("Cc", "Cn", "Co", "Cs", "Zl", "Zp") for one in text if one != "\t"
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def records(text: str, delimiter: str) -> Iterator[Line | BrokenLine]:
    """The records of the text, without empty lines. Reading goes on after a broken one as well as it can."""
    reader = csv.reader(_lines_of(text), delimiter=delimiter, strict=True)
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


def _lines_of(text: str) -> Iterator[str]:
    """With their ends. A `StringIO` would hold all of it again, in four bytes for each character."""
    return (match[0] for match in _LINE.finditer(text))


def split_headers(text: str) -> Iterator[tuple[str, str, Line]]:
    """For each possible delimiter: itself, the text from the header on, and the header as it divides it."""
    first_line, _newline, rest = text.partition("\n")
    named = first_line.strip().strip('"').lower()
    if _TEMPLATE_VERSION.fullmatch(named):
        text = "\n" + rest
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


def _decoded(content: bytes, encoding: str, errors: str = "strict") -> Decoded:
    reason: UnicodeDecodeError | None = None
    text = ""
    try:
        text = content.decode(encoding, errors).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        reason = error
    if reason or "\x00" in text:
        raise _unreadable() from reason
    return Decoded(text, encoding)


def _unreadable() -> Refused:
    return Refused(
        _("This file is not readable text"),
        _("It is in no encoding that is known here. Save it as “CSV UTF-8” and import that file."),
    )


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
