"""The cells of one line: each is checked, and what is wrong is written down for the person who imports."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Field, Model
from django.utils.translation import gettext as _

from server.core import plain_text
from server.directory.addresses import canonical
from server.directory.models import Group, Person
from server.people_files import spreadsheets
from server.people_files.excerpts import excerpt
from server.people_files.formats import Layout, Role
from server.people_files.text_files import Line
from server.people_files.yes_no import yes_or_no

MAX_ADDRESSES = 20
MAX_ADDRESS_CHARACTERS = 300
MAX_GROUPS = 50

_TEXT_FIELDS = {
    Role.FIRST_NAME: "first_name",
    Role.LAST_NAME: "last_name",
    Role.TITLE: "title",
    Role.LANDLINE: "work_landline",
    Role.CELL: "work_cell",
}
_PHONES = frozenset({Role.LANDLINE, Role.CELL})
_NAMES = frozenset({Role.FIRST_NAME, Role.LAST_NAME})
_PLACES = frozenset({Role.OFFICE, Role.STREET, Role.POSTAL_CODE, Role.CITY, Role.STATE, Role.COUNTRY})
_GROUPINGS = frozenset({Role.GROUPS, Role.DEPARTMENT, Role.ORG_UNIT})
_ACTIVE = frozenset({"active", "activo", "actif", "aktiv"})
_INACTIVE = frozenset(
    [
        "suspended",
        "archived",
        "suspendido",
        "archivado",
        "suspendu",
        "archivé",
        "gesperrt",
        "archiviert",
        "suspendiert",
    ]
)

# Control characters, and others that nobody sees (the latter as in Unicode Standard Annex #9, section 2).
# Zero-width joiners are not among them: names in several scripts need those.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SPACES = re.compile("[ \xa0]{2,}")
_LINE_BREAKS = re.compile(r"\s*[\r\n\u2028\u2029]+\s*")
_PRIMARY_ADDRESS = re.compile(r"(?:^|[+;,\s])SMTP:([^+;,\s]+)")


@dataclass(frozen=True)
class Mistake:
    """What keeps one line from being imported, and what to do. `column` is empty for the line as a whole."""

    line: int
    column: str
    what: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person. `fields` has only what the file has a column for; `groups` is None when it has none."""

    line: int
    email: str
    fields: Mapping[str, str | list[str]]
    groups: tuple[str, ...] | None


@dataclass
class CheckedLine:
    """One line's cells by their role, and the mistakes found in them so far."""

    layout: Layout
    line: Line
    mistakes: list[Mistake] = field(default_factory=list)

    def __post_init__(self) -> None:
        written = {
            role: (cell if cell.isascii() else unicodedata.normalize("NFC", cell)).strip()
            for role, cell in zip(self.layout.roles, self.line.cells, strict=False)
            if role is not None
        }
        self._cells = {role: spreadsheets.put_right(cell) for role, cell in written.items()}
        self.repaired = self._cells != written

    def person(self) -> PersonRow | None:
        """The person, or None when there are `mistakes`."""
        email = self._email()
        known = self.layout.known_roles
        fields: dict[str, str | list[str]] = {
            name: self._text(role, limit_of(Person, name))
            for role, name in _TEXT_FIELDS.items()
            if role in known
        }
        if Role.ADDRESSES in known or known & _PLACES:
            fields["site_addresses"] = self._addresses()
        groups = self._groups() if known & _GROUPINGS else None
        return None if self.mistakes else PersonRow(self.line.number, email, fields, groups)

    def why_skipped(self) -> str:
        """Why this is not an employee who reads announcements; empty if it is one, or if that cannot be told.

        Of an account it must be known whether it is in use: what says neither is a mistake of the line.
        """
        enabled, blocked = self._yes_or_no(Role.ENABLED), self._yes_or_no(Role.BLOCKED)
        if enabled is False or blocked:
            return _("the account is disabled")
        if self._is_inactive(Role.STATUS) or self._is_inactive(Role.NEW_STATUS):
            return _("the account is suspended or archived")
        if self._cell(Role.DELETED_AT):
            return _("the account is deleted")
        kind = self._cell(Role.USER_TYPE)
        if kind.casefold() not in ("", "member", "guest"):
            what = _("“{value}” is no kind of account").format(value=excerpt(kind))
            self.refuse(Role.USER_TYPE, what, _("write Member or Guest"))
        if kind.casefold() == "guest" or "#EXT#" in self._cell(Role.SIGN_IN_NAME) + self.address()[1]:
            return _("it is a guest's account")
        return ""

    def _yes_or_no(self, role: Role) -> bool | None:
        """None where the cell is empty, or says neither, which is noted."""
        text = self._cell(role)
        answer = yes_or_no(text)
        if text and answer is None:
            self.refuse(
                role,
                _("“{value}” is neither yes nor no").format(value=excerpt(text)),
                _("write true or false"),
            )
        return answer

    def _is_inactive(self, role: Role) -> bool:
        text = self._cell(role).casefold()
        if text and text not in _ACTIVE | _INACTIVE:
            self.refuse(
                role,
                _("“{value}” is no state of an account").format(value=excerpt(text)),
                _("write Active or Suspended"),
            )
        return text in _INACTIVE

    def address(self) -> tuple[Role, str]:
        """The address that mail reaches, and its column: Microsoft's sign-in name need not be one."""
        if self._cell(Role.EMAIL):
            return Role.EMAIL, self._cell(Role.EMAIL)
        primary = _PRIMARY_ADDRESS.search(self._cell(Role.ALL_EMAILS))
        if primary:
            return Role.ALL_EMAILS, primary.group(1)
        role = Role.SIGN_IN_NAME if Role.SIGN_IN_NAME in self.layout.known_roles else Role.EMAIL
        return role, self._cell(role)

    def refuse(self, role: Role | None, what: str, what_to_do: str) -> None:
        """Write a mistake down."""
        column = self.layout.header_of(role) if role is not None else ""
        self.mistakes.append(Mistake(self.line.number, column, what, what_to_do))

    def _cell(self, role: Role) -> str:
        return self._cells.get(role, "")

    def _email(self) -> str:
        role, address = self.address()
        objection = email_objection(address) or spreadsheets.text_damage(address.rpartition("@")[2])
        if objection is None:
            return canonical(address)
        self.refuse(role, *objection)
        return ""

    def _text(self, role: Role, limit: int) -> str:
        text = self._cell(role)
        text = without_invisible(text) if role in _PHONES else _SPACES.sub(" ", text)
        self._check(role, text, limit)
        return text

    def _addresses(self) -> list[str]:
        if self._is_damaged(Role.ADDRESSES):
            return []
        if Role.ADDRESSES in self.layout.known_roles:
            separators = "[;|]" if self.layout.format.splits_cells else None
            found = [(Role.ADDRESSES, text) for text in _parts(self._cell(Role.ADDRESSES), separators)]
        else:
            place = self._place()
            column = next(
                (role for role in (Role.STREET, Role.OFFICE, Role.CITY) if self._cell(role)), Role.COUNTRY
            )
            found = [(column, place)] if place else []
        if len(found) > MAX_ADDRESSES:
            self._refuse_count(Role.ADDRESSES, MAX_ADDRESSES)
        for role, text in found:
            self._check(role, text, MAX_ADDRESS_CHARACTERS)
        return [text for _role, text in found]

    def _place(self) -> str:
        """Microsoft's columns as one address: office, street, postal code and city, state, country."""
        town = f"{self._cell(Role.POSTAL_CODE)} {self._cell(Role.CITY)}"
        others = (self._cell(role) for role in (Role.STATE, Role.COUNTRY))
        pieces = (self._cell(Role.OFFICE), self._cell(Role.STREET), town, *others)
        return ", ".join(_unique(part for piece in pieces for part in _parts(piece, None)))

    def _groups(self) -> tuple[str, ...]:
        if self._is_damaged(Role.GROUPS):
            return ()
        found = [(Role.GROUPS, name) for name in _parts(self._cell(Role.GROUPS), "[;|]")]
        found += [(Role.DEPARTMENT, name) for name in _parts(self._cell(Role.DEPARTMENT), None)]
        units = [unit for unit in self._cell(Role.ORG_UNIT).split("/") if unit.strip()]
        found += [(Role.ORG_UNIT, "/".join(units[: depth + 1])) for depth in range(len(units))]
        if len(found) > MAX_GROUPS:
            self._refuse_count(Role.GROUPS, MAX_GROUPS)
        for role, name in found:
            self._check(role, name, limit_of(Group, "name"))
        return tuple(_unique(name for _role, name in found))

    def _check(self, role: Role, text: str, limit: int) -> None:
        objection = (
            spreadsheets.objection(text) or spreadsheets.text_damage(text) or text_objection(text, limit)
        )
        if objection is None and role in _PHONES:
            objection = spreadsheets.phone_objection(text)
        if objection is None and role in _NAMES:
            objection = spreadsheets.name_objection(text)
        if objection is None and not text.isascii() and (hidden := plain_text.problem_of_line(text)):
            objection = (
                _("“{value}” cannot be shown: {why}").format(value=excerpt(text), why=hidden),
                _("type it anew"),
            )
        if objection:
            self.refuse(role, *objection)

    def _is_damaged(self, role: Role) -> bool:
        """Whether a cell of several values is as a whole, which is noted: `R&amp;D` would become two."""
        objection = spreadsheets.text_damage(self._cell(role))
        if objection:
            self.refuse(role, *objection)
        return objection is not None

    def _refuse_count(self, role: Role, limit: int) -> None:
        self.refuse(role, _("more than {limit} values").format(limit=limit), _("keep the ones that matter"))


def email_objection(address: str) -> tuple[str, str] | None:
    """What is wrong with an address, and what to do; None when nothing is."""
    if not address:
        return _("the e-mail address is missing"), _("enter it, or remove the line")
    # Django takes letters that are i, k or s in another case (ı, İ, K, ſ) for these.
    is_ascii = address.rpartition("@")[0].isascii()
    try:
        validate_email(address if is_ascii else "")
    except ValidationError:
        return _("“{value}” is no e-mail address").format(value=excerpt(address)), _("correct it")
    return text_objection(address, limit_of(Person, "email"))


def text_objection(text: str, limit: int) -> tuple[str, str] | None:
    """What is wrong with a value of one line, and what to do; None when nothing is."""
    if len(text) > limit:
        what = _("“{value}” has {count} characters, {limit} are allowed")
        return what.format(value=excerpt(text), count=len(text), limit=limit), _("shorten it")
    if "\ufffd" in text:
        what = _("“{value}” has lost a letter (�)").format(value=excerpt(text))
        return what, _("export the file again as “CSV UTF-8”")
    if _INVISIBLE.search(text):
        what = _("“{value}” has a line break or an invisible character").format(value=excerpt(text))
        return what, _("type the value anew, on one line")
    return None


def without_invisible(text: str) -> str:
    """A telephone number without the invisible characters that come along when it is copied."""
    return _INVISIBLE.sub("", text)


@cache
def limit_of(model: type[Model], name: str) -> int:
    """How many characters the database keeps of this field."""
    found = model._meta.get_field(name)
    assert isinstance(found, Field)
    assert found.max_length is not None
    return found.max_length


def _parts(text: str, separators: str | None) -> list[str]:
    """The values of one cell. Line breaks in a cell, as addresses have them, become commas."""
    on_one_line = _LINE_BREAKS.sub(", ", text)
    parts = re.split(separators, on_one_line) if separators else [on_one_line]
    return [" ".join(part.split()) for part in parts if part.strip()]


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
