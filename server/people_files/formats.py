"""Whose export a CSV file is, and what each of its columns holds.

The headers are those that the products write:
- Google Workspace admin console: "Download users", and the template for uploading users;
- Microsoft Entra admin center: "Download users", with the older names of three columns too, and the template of "Bulk
  create", whose headers hold the names of properties between brackets in every language;
- Microsoft 365 admin center: "Export users", and the template for adding users.

A column that is not listed here is never stored.
"""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from django.utils.translation import gettext as _

from server.core.errors import Refused
from server.people_files.encoded_twice import read_right
from server.people_files.excerpts import excerpt
from server.people_files.text_files import Line, is_secret, split_headers


class Role(Enum):
    """What a column is for."""

    EMAIL = auto()
    ALL_EMAILS = auto()
    SIGN_IN_NAME = auto()
    FIRST_NAME = auto()
    LAST_NAME = auto()
    TITLE = auto()
    LANDLINE = auto()
    CELL = auto()
    ADDRESSES = auto()
    OFFICE = auto()
    STREET = auto()
    POSTAL_CODE = auto()
    CITY = auto()
    STATE = auto()
    COUNTRY = auto()
    GROUPS = auto()
    DEPARTMENT = auto()
    ORG_UNIT = auto()
    STATUS = auto()
    NEW_STATUS = auto()
    ENABLED = auto()
    BLOCKED = auto()
    DELETED_AT = auto()
    USER_TYPE = auto()


@dataclass(frozen=True)
class Format:
    """A kind of file: its name, and what its headers (folded, see `fold`) stand for.

    `key` is the header that only this format has. `splits_cells`: `;` or `|` separate addresses in a cell.
    """

    name: str
    key: str
    roles: Mapping[str, Role]
    splits_cells: bool = False


TIDINGS = Format(
    "Tidings",
    "email",
    {
        "email": Role.EMAIL,
        "first name": Role.FIRST_NAME,
        "last name": Role.LAST_NAME,
        "title": Role.TITLE,
        "work landline": Role.LANDLINE,
        "work cell": Role.CELL,
        "site addresses": Role.ADDRESSES,
        "groups": Role.GROUPS,
    },
    splits_cells=True,
)
GOOGLE = Format(
    "Google Workspace",
    "email address",
    {
        "email address": Role.EMAIL,
        "first name": Role.FIRST_NAME,
        "last name": Role.LAST_NAME,
        "employee title": Role.TITLE,
        "work phone": Role.LANDLINE,
        "mobile phone": Role.CELL,
        "work address": Role.ADDRESSES,
        "department": Role.DEPARTMENT,
        "org unit path": Role.ORG_UNIT,
        "status": Role.STATUS,
        "new status": Role.NEW_STATUS,
    },
)
ENTRA = Format(
    "Microsoft Entra",
    "userprincipalname",
    {
        "userprincipalname": Role.SIGN_IN_NAME,
        "mail": Role.EMAIL,
        "givenname": Role.FIRST_NAME,
        "surname": Role.LAST_NAME,
        "jobtitle": Role.TITLE,
        "telephonenumber": Role.LANDLINE,
        "mobilephone": Role.CELL,
        "mobile": Role.CELL,
        "officelocation": Role.OFFICE,
        "physicaldeliveryofficename": Role.OFFICE,
        "streetaddress": Role.STREET,
        "postalcode": Role.POSTAL_CODE,
        "city": Role.CITY,
        "state": Role.STATE,
        "country": Role.COUNTRY,
        "department": Role.DEPARTMENT,
        "accountenabled": Role.ENABLED,
        "usertype": Role.USER_TYPE,
    },
)
ENTRA_TEMPLATE = Format(
    "Microsoft Entra",
    "[userprincipalname]",
    {
        "[userprincipalname]": Role.SIGN_IN_NAME,
        "[givenname]": Role.FIRST_NAME,
        "[surname]": Role.LAST_NAME,
        "[jobtitle]": Role.TITLE,
        "[telephonenumber]": Role.LANDLINE,
        "[mobile]": Role.CELL,
        "[mobilephone]": Role.CELL,
        "[physicaldeliveryofficename]": Role.OFFICE,
        "[officelocation]": Role.OFFICE,
        "[streetaddress]": Role.STREET,
        "[postalcode]": Role.POSTAL_CODE,
        "[city]": Role.CITY,
        "[state]": Role.STATE,
        "[country]": Role.COUNTRY,
        "[department]": Role.DEPARTMENT,
        "[accountenabled]": Role.BLOCKED,  # “Block sign in (Yes/No) [accountEnabled]”: yes means that it is not
    },
)
MOST_COLUMNS = 1_000
"""Google's export has about 60. Each is compared with the names that are known."""
_PASSWORD = "[passwordprofile]"
_PROPERTY = re.compile(r"\[\s*([A-Za-z]+)\s*\]")
MICROSOFT_365 = Format(
    "Microsoft 365",
    "user principal name",
    {
        "user principal name": Role.SIGN_IN_NAME,
        "proxy addresses": Role.ALL_EMAILS,
        "first name": Role.FIRST_NAME,
        "last name": Role.LAST_NAME,
        "title": Role.TITLE,
        "phone number": Role.LANDLINE,
        "mobile phone": Role.CELL,
        "office": Role.OFFICE,
        "street address": Role.STREET,
        "postal code": Role.POSTAL_CODE,
        "city": Role.CITY,
        "stateorprovince": Role.STATE,
        "state or province": Role.STATE,
        "state": Role.STATE,
        "countryorregion": Role.COUNTRY,
        "country or region": Role.COUNTRY,
        "country region": Role.COUNTRY,
        "department": Role.DEPARTMENT,
        "block credential": Role.BLOCKED,
        "soft deletion time stamp": Role.DELETED_AT,
    },
)
MICROSOFT_365_TEMPLATE = Format(
    "Microsoft 365",
    "user name",
    {
        "user name": Role.SIGN_IN_NAME,
        "first name": Role.FIRST_NAME,
        "last name": Role.LAST_NAME,
        "job title": Role.TITLE,
        "office phone": Role.LANDLINE,
        "mobile phone": Role.CELL,
        "office number": Role.OFFICE,
        "address": Role.STREET,
        "zip or postal code": Role.POSTAL_CODE,
        "city": Role.CITY,
        "state or province": Role.STATE,
        "country or region": Role.COUNTRY,
        "department": Role.DEPARTMENT,
    },
)

# The admin centers translate the headers of some files. Where programs and guides were seen to write a header in several
# ways, each is here.
_GERMAN = {
    "vorname": Role.FIRST_NAME,
    "nachname": Role.LAST_NAME,
    "position": Role.TITLE,
    "titel": Role.TITLE,
    "telefon (geschäftlich)": Role.LANDLINE,
    "geschäftliche telefonnummer": Role.LANDLINE,
    "telefonnummer": Role.LANDLINE,
    "mobiltelefon": Role.CELL,
    "büronummer": Role.OFFICE,
    "büro": Role.OFFICE,
    "adresse": Role.STREET,
    "straße": Role.STREET,
    "plz": Role.POSTAL_CODE,
    "postleitzahl": Role.POSTAL_CODE,
    "ort": Role.CITY,
    "bundesstaat": Role.STATE,
    "bundesland oder kanton": Role.STATE,
    "land oder region": Role.COUNTRY,
    "abteilung": Role.DEPARTMENT,
    "anmeldeinformationen blockieren": Role.BLOCKED,
    "proxyadressen": Role.ALL_EMAILS,
}
_FRENCH = {
    "prénom": Role.FIRST_NAME,
    "nom": Role.LAST_NAME,
    "nom de famille": Role.LAST_NAME,
    "fonction": Role.TITLE,
    "poste": Role.TITLE,
    "téléphone (bureau)": Role.LANDLINE,
    "téléphone professionnel": Role.LANDLINE,
    "téléphone bureau": Role.LANDLINE,
    "téléphone mobile": Role.CELL,
    "numéro de bureau": Role.OFFICE,
    "bureau": Role.OFFICE,
    "adresse": Role.STREET,
    "adresse postale": Role.STREET,
    "code postal": Role.POSTAL_CODE,
    "ville": Role.CITY,
    "département ou région": Role.STATE,
    "état ou province": Role.STATE,
    "pays ou région": Role.COUNTRY,
    "service": Role.DEPARTMENT,
    "département": Role.DEPARTMENT,
    "bloquer les informations d'identification": Role.BLOCKED,
    "adresses proxy": Role.ALL_EMAILS,
}
_SPANISH = {
    "nombre": Role.FIRST_NAME,
    "apellido": Role.LAST_NAME,
    "apellidos": Role.LAST_NAME,
    "puesto": Role.TITLE,
    "teléfono del trabajo": Role.LANDLINE,
    "teléfono de la oficina": Role.LANDLINE,
    "teléfono móvil": Role.CELL,
    "número del trabajo": Role.OFFICE,
    "número de oficina": Role.OFFICE,
    "dirección": Role.STREET,
    "código postal": Role.POSTAL_CODE,
    "ciudad": Role.CITY,
    "estado o provincia": Role.STATE,
    "país o región": Role.COUNTRY,
    "departamento": Role.DEPARTMENT,
    "bloquear credencial": Role.BLOCKED,
    "direcciones proxy": Role.ALL_EMAILS,
}


def _translated(product: str, key: str, sign_in: Role, columns: Mapping[str, Role]) -> Format:
    return Format(product, key, {key: sign_in, **columns})


_MICROSOFT_TRANSLATED = [
    _translated("Microsoft 365", key, Role.SIGN_IN_NAME, columns)
    for columns, keys in (
        (_GERMAN, ("benutzername", "benutzerprinzipalname")),
        (_FRENCH, ("nom d'utilisateur", "nom principal de l'utilisateur", "nom d'utilisateur principal")),
        (_SPANISH, ("nombre de usuario", "nombre principal de usuario")),
    )
    for key in keys
]
_GOOGLE_TRANSLATED = [
    _translated("Google Workspace", key, Role.EMAIL, {**columns, **statuses})
    for columns, keys, statuses in (
        (
            _GERMAN,
            ("e mail adresse",),
            {
                "organisationseinheitspfad": Role.ORG_UNIT,
                "pfad der organisationseinheit": Role.ORG_UNIT,
                "status": Role.STATUS,
                "neuer status": Role.NEW_STATUS,
            },
        ),
        (
            _FRENCH,
            ("adresse e mail",),
            {
                "chemin de l'unité organisationnelle": Role.ORG_UNIT,
                "état": Role.STATUS,
                "statut": Role.STATUS,
                "nouvel état": Role.NEW_STATUS,
                "nouveau statut": Role.NEW_STATUS,
            },
        ),
        (
            _SPANISH,
            ("dirección de correo electrónico",),
            {
                "ruta de la unidad organizativa": Role.ORG_UNIT,
                "estado": Role.STATUS,
                "nuevo estado": Role.NEW_STATUS,
            },
        ),
    )
    for key in keys
]
FORMATS = (
    TIDINGS,
    GOOGLE,
    ENTRA,
    MICROSOFT_365,
    MICROSOFT_365_TEMPLATE,
    *_MICROSOFT_TRANSLATED,
    *_GOOGLE_TRANSLATED,
)


@dataclass(frozen=True)
class Layout:
    """How one file is read. `not_stored` are the headers whose columns are left where they are."""

    format: Format
    delimiter: str
    text: str
    header: Line
    roles: tuple[Role | None, ...]
    not_stored: tuple[str, ...]

    @cached_property
    def known_roles(self) -> frozenset[Role]:
        """The roles that this file has a column for."""
        return frozenset(role for role in self.roles if role is not None)

    @cached_property
    def holds_passwords(self) -> bool:
        """Whether a column holds passwords, of which nothing may be shown."""
        return any(map(is_secret, self.header.cells))

    def header_of(self, role: Role) -> str:
        """The header as the file writes it; empty when the file has no such column."""
        return self.header.cells[self.roles.index(role)].strip() if role in self.roles else ""


def fold(header: str) -> str:
    """A header without what varies: case, `[Required]` and the like, underscores, hyphens, slashes, kinds of apostrophe."""
    without_remark = re.sub(r"\[[^\]]*\]", " ", unicodedata.normalize("NFC", header).replace("’", "'"))
    return " ".join(re.sub(r"[_\-/]", " ", without_remark).casefold().split())


def recognise(text: str) -> Layout:
    """Find the delimiter and the format of a file by its header line.

    Raises `Refused` when no format fits, when a column is there twice, or when a header looks misspelt or has too much.
    """
    seen: list[str] = []
    for delimiter, rest, header in split_headers(text):
        if len(header.cells) > MOST_COLUMNS:
            raise Refused(
                _("The first line has more than {most} columns").format(most=MOST_COLUMNS),
                _("It names the columns. Check that the file is a table of people, with a line for each."),
            )
        _refuse_encoded_twice(header)
        folded = [_property_of(cell) for cell in header.cells]
        if ENTRA_TEMPLATE.key in folded:
            _refuse_other_templates(folded)
            return _layout(ENTRA_TEMPLATE, delimiter, rest, header, folded)
        folded = [fold(cell) for cell in header.cells]
        for candidate in FORMATS:
            if candidate.key in folded:
                return _layout(candidate, delimiter, rest, header, folded)
        seen = max(seen, header.cells, key=len)
    raise Refused(
        _("The columns of this file are not known"),
        _(
            "Its first line is: {headers}. Use a file as Google Workspace, Microsoft Entra or Microsoft 365 "
            "export it, or one with the columns {columns}; only “email” is needed."
        ).format(headers=_shortened(seen), columns=",".join(_own_columns())),
    )


def _property_of(header: str) -> str:
    found = _PROPERTY.search(header)
    return f"[{found[1].casefold()}]" if found else fold(header)


def _refuse_other_templates(properties: Sequence[str]) -> None:
    """Those to delete and to restore people name people, too; only new ones have a first password."""
    if _PASSWORD not in properties:
        raise Refused(
            _("This template of Microsoft Entra is not for new people"),
            _(
                "It has no column [passwordProfile], as the templates to delete or restore people have none. Use the "
                "template of “Bulk create”, or the file of “Download users”."
            ),
        )


def _refuse_encoded_twice(header: Line) -> None:
    """Names of columns that are spoilt are not known, and what is in the columns would be left where it is."""
    for cell in header.cells:
        if (meant := read_right(cell)) is not None:
            raise Refused(
                _("The file was encoded twice"),
                _("Line {line} has “{value}” for “{meant}”. Export the file again as “CSV UTF-8”.").format(
                    line=header.number, value=excerpt(cell.strip()), meant=excerpt(meant.strip())
                ),
            )


def _layout(found: Format, delimiter: str, text: str, header: Line, folded: Sequence[str]) -> Layout:
    roles = tuple(found.roles.get(name) for name in folded)
    for role in found.roles.values():
        twice = [cell for cell, its_role in zip(header.cells, roles, strict=True) if its_role is role]
        if len(twice) > 1:
            raise Refused(
                _("Two columns hold the same thing"),
                _("Both {first} and {second} are there, on line {line}. Remove one of them.").format(
                    first=twice[0].strip(), second=twice[1].strip(), line=header.number
                ),
            )
    not_stored = tuple(
        cell.strip() for cell, role in zip(header.cells, roles, strict=True) if role is None and cell.strip()
    )
    _refuse_states(header, roles)
    if found is TIDINGS:
        _refuse_misspelt(not_stored, header.number)
    return Layout(found, delimiter, text, header, roles, not_stored)


# Each is a whole word, but for “status”, which German joins to what it is the status of (Kontostatus).
_STATES = re.compile(
    r"status\b|\b(?:"
    r"enabled|disabled|active|inactive|(?:de|in)?activated|block|blocked|suspended|suspension|deleted|deletion|archived|closed"
    r"|locked|lockout|account lock|user account control|account expir\w*|terminated|termination|leaver|offboarded"
    r"|(?:leav\w+|exit|end|departure) date|sign in allowed|(?:account|user|login|lifecycle|employment|employee) state"
    r"|gesperrt|blockiert|(?:de)?aktiviert|(?:in)?aktiv|gelöscht|archiviert|ausgeschieden|austritt\w*|freigeschaltet"
    r"|statut|suspendue?|bloquée?|(?:dés)?activée?|(?:in)?acti(?:f|ve)|supprimée?|archivée?|verrouillée?"
    r"|date de (?:sortie|départ|fin)"
    r"|estado(?! o)|bloquead[oa]|suspendid[oa]|(?:des)?activad[oa]|(?:in)?activ[oa]|(?:in|des)?habilitad[oa]"
    r"|eliminad[oa]|archivad[oa]|fecha de (?:baja|salida)"
    r"|stato(?! o)|bloccat[oa]|sospes[oa]|(?:dis)?attivat[oa]|(?:in)?attiv[oa]|(?:dis)?abilitat[oa]"
    r"|eliminat[oa]|archiviat[oa]"
    r"|situação|suspens[oa]|(?:des)?ativad[oa]|(?:in)?ativ[oa]|excluíd[oa]|arquivad[oa]"
    r"|(?:in)?actief|geblokkeerd|(?:in|uit)geschakeld|(?:de|ge)activeerd|gedeactiveerd|verwijderd"
    r"|(?:nie)?aktywn\w+|zablokowan\w+|usunięt\w+|(?:in|av|de)?aktivera[dt]|(?:de)?aktiveret|inaktiv"
    r")\b|(?:актив|включен|отключен|заблокирован|уволен)|有効|無効|状態|退職|启用|停用|禁用|状态|离职"
)
_NO_STATES = re.compile(
    r"\b(?:2sv|2fa|mfa|email usage|storage|licen[cs]e|sync|dirsync|password|active directory)\b"
)


def _words(header: str) -> str:
    """A header as `fold` has it, with the words of `accountEnabled` apart."""
    return fold(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", header))


def _refuse_states(header: Line, roles: Sequence[Role | None]) -> None:
    """What a column says of accounts must not be left where it is: those that are closed would come in as employees."""
    for cell, role in zip(header.cells, roles, strict=True):
        words = _words(cell)
        if role is None and _STATES.search(words) and not _NO_STATES.search(words):
            raise Refused(
                _("A column seems to say which accounts are in use"),
                _(
                    "Line {line} has the column {header}, which is not known. If it says that accounts are closed, "
                    "remove their lines; then remove the column."
                ).format(line=header.number, header=cell.strip()),
            )


def _refuse_misspelt(unknown: Sequence[str], line: int) -> None:
    """A near miss in our own format is a slip of the pen; without an error that column would be lost."""
    for header in unknown:
        near = difflib.get_close_matches(fold(header).replace(" ", "_"), _own_columns(), n=1, cutoff=0.75)
        if near:
            raise Refused(
                _("A column's name is misspelt"),
                _("Line {line} has the column {header}. Did you mean {near}?").format(
                    line=line, header=header, near=near[0]
                ),
            )


def _own_columns() -> list[str]:
    return [name.replace(" ", "_") for name in TIDINGS.roles]


def _shortened(headers: Sequence[str]) -> str:
    text = ", ".join(" ".join(header.split()) for header in headers)
    return text if len(text) <= 120 else text[:119] + "…"
