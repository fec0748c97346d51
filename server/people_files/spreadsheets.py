"""What spreadsheets and other programs do to cells: what can be put right, and what was lost."""

import re
from html.entities import html5
from urllib.parse import unquote

from django.utils.translation import gettext as _

from server.people_files.encoded_twice import read_right
from server.people_files.excerpts import excerpt

_FORMULA_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_NUMBER_WITH_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[Ee][+-]?\d{1,3}")
# Programs translate their errors: #NAME? is #NOME? in Portuguese and #ИМЯ? in Russian. All end in one of these signs, but for
# those that stand for a value which is not there, and those of LibreOffice, which have numbers.
_ERROR = re.compile(
    r"#[¡¿]?[^\W\d_][\w/ \u00a0\u202f.]{0,24}[!?]"
    r"|#(?:N/A|N/D|N/V|N/B|NV|ND|I/T|Н/Д|Δ/Υ|YOK|BRAK|SAKNAS|HIÁNYZIK|IKKE TILGÆNGELIG|GETTING_DATA)"
    r"|#(?:VALUE|NAME|REF|NULL|NUM|DIV/0)|Err:\d{3}"
)
_NOTHING = frozenset(
    [
        *(
            "NULL",
            "null",
            "(null)",
            "(NULL)",
            "<null>",
            "<NULL>",
            "[null]",
            "[NULL]",
            "#EMPTY",
            "nil",
            "<nil>",
            "\\N",
        ),
        *(
            "NaN",
            "nan",
            "NAN",
            "NaT",
            "<NA>",
            "N/A",
            "n/a",
            "N.A.",
            "n.a.",
            "undefined",
            "Undefined",
            "UNDEFINED",
        ),
        *("None", "none", "NONE", "<none>", "(none)", "{}", "[]", "()", "TRUE", "FALSE", "False"),
        *("(blank)", "(empty)", "(vide)", "(leer)", "(Leer)", "(en blanco)", "(vacías)", "(vuoto)", "(leeg)"),
    ]
)
"""What programs write where there is nothing, and of yes and no what is nobody's name."""
_OBJECT = re.compile(r"\[object \w+\]|(?:System|Microsoft)(?:\.\w+)+(?:\[\])?")
_FORMULA = re.compile(r"=\S.*|[+\-@](?:\$?[A-Z]{1,3}\$?\d{1,7}\b|[A-Z][A-Z.]*\().*", re.DOTALL)
_OF_PROGRAMS = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]{0,9}\s*/?>"
    r"|\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt](?![a-z]))"
    r"|=\?[\w-]+\?[QqBb]\?[^?]*\?="  # RFC 2047
    r"|^b?(?P<quote>['\"]).*(?P=quote)$|^[\[{].*['\"].*[\]}]$"
    r"|&#(?:\d{1,7}|[xX][0-9a-fA-F]{1,6});"  # HTML, as the named ones
    r"|^(?:CN|OU|DC|UID)=[^,]+,",  # RFC 4514
    re.DOTALL,
)
_NAMED = re.compile(r"&(\w{2,31};)")
_INCHES = re.compile(r"\d\"")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_LOST_LETTER = re.compile(r"[^\W\d_]\?[^\W\d_]|(?:^|[\s'’-])\?[^\W\d_]|\?{2,}|^\?$")
_NUMBER = re.compile(r"[+-]?\d[\d.,:]*")
_SIGNS = re.compile(r"#{3,}")
_DECIMAL = re.compile(r"\d{6,}[.,]0+|-\d+|\d{16,}|\d{1,3}(?:,\d{3}){2,}|\d{1,3}:\d\d(?::\d\d)?")
"""With decimals, negative, with more digits than a number has (ITU-T E.164: 15), in thousands, or as a time."""
_DATE = re.compile(
    r"(?:18|19|20)\d\d-\d\d-\d\d(?:[ T][\d:.]+Z?)?"
    r"|\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d"
    r"|\d{1,2}(?:-|\. ?)[^\W\d_]{3,4}\.?(?:[ -]\d{2,4})?"
)


def put_right(cell: str) -> str:
    """The value of a cell that was written as a text to a spreadsheet: `="+33 4"` or `'+33 4`. Else the cell as it is."""
    formula = _FORMULA_TEXT.fullmatch(cell)
    if formula:
        return formula[1].replace('""', '"').strip()
    if cell.startswith("'") and cell[1:2] and cell[1] in "+-=@0123456789":
        return cell[1:]
    return cell


def objection(cell: str) -> tuple[str, str] | None:
    """What a spreadsheet or a database left in place of a value, and what to do; None for a value."""
    if _ERROR.fullmatch(cell) or _SIGNS.fullmatch(cell):
        return (
            _("“{value}” is an error of the spreadsheet program, not a value").format(value=excerpt(cell)),
            _("enter the value as text, or leave the cell empty"),
        )
    if cell in _NOTHING or _OBJECT.fullmatch(cell):
        return (
            _("“{value}” stands for no value").format(value=excerpt(cell)),
            _("leave the cell empty"),
        )
    if _FORMULA.fullmatch(cell) and not _OF_PROGRAMS.search(cell):
        return (
            _("“{value}” is a formula, not its value").format(value=excerpt(cell)),
            _("enter the value as text"),
        )
    if _NUMBER_WITH_EXPONENT.fullmatch(cell):
        return (
            _("“{value}” is a number that a spreadsheet program has shortened").format(value=excerpt(cell)),
            _("give that column the format “Text”, enter the value anew, and export again"),
        )
    return None


def text_damage(cell: str) -> tuple[str, str] | None:
    """What else programs do to a text on its way from one to the other, and what to do; None for a text."""
    if (meant := read_right(cell)) is not None:
        return (
            _("“{value}” was encoded twice and should perhaps be “{meant}”").format(
                value=excerpt(cell), meant=excerpt(meant)
            ),
            _("export the file again as “CSV UTF-8”, or type the value anew"),
        )
    if _LOST_LETTER.search(cell):
        return (
            _("“{value}” has perhaps lost a letter (?)").format(value=excerpt(cell)),
            _("export the file again as “CSV UTF-8”, or type the value anew"),
        )
    if cell.count('"') % 2 and not _INCHES.search(cell):
        return (
            _("“{value}” has a quotation mark without its counterpart").format(value=excerpt(cell)),
            _("write both or none, inside a quoted cell twice"),
        )
    if (
        _OF_PROGRAMS.search(cell)
        or any(name in html5 for name in _NAMED.findall(cell))
        or any(not unquote(part).isascii() for part in _PERCENT.findall(cell))
    ):
        return (
            _("“{value}” is written for a program, not for people").format(value=excerpt(cell)),
            _("write it as people read it"),
        )
    return None


def name_objection(cell: str) -> tuple[str, str] | None:
    """A number, a date or a time where a person's name is expected, and what to do; None for a name."""
    if _NUMBER.fullmatch(cell) or _DATE.fullmatch(cell):
        return (
            _("“{value}” is a number, a date or a time, not a name").format(value=excerpt(cell)),
            _("see whether the columns are in order, and enter the name"),
        )
    return None


def phone_objection(cell: str) -> tuple[str, str] | None:
    """What a spreadsheet made of a telephone number, which it took for a decimal or a date, and what to do; else None."""
    if _DECIMAL.fullmatch(cell) or _DATE.fullmatch(cell):
        return (
            _("“{value}” is what a spreadsheet program made of a telephone number").format(
                value=excerpt(cell)
            ),
            _("give that column the format “Text”, enter the value anew, and export again"),
        )
    return None
