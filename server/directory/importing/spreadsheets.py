"""What spreadsheet programs do to cells: what can be put right, and what was lost."""

import re

from django.utils.translation import gettext as _

_FORMULA_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_NUMBER_WITH_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[Ee][+-]?\d{1,3}")
# Programs translate their errors: #NAME? is #NOME? in Portuguese and #ИМЯ? in Russian. All end in one of these signs, but for
# those that stand for a value which is not there, and those of LibreOffice, which have numbers.
_ERROR = re.compile(
    r"#[¡¿]?[^\W\d_][\w/ \u00a0\u202f.]{0,24}[!?]"
    r"|#(?:N/A|N/D|N/V|N/B|NV|ND|I/T|Н/Д|Δ/Υ|YOK|BRAK|SAKNAS|HIÁNYZIK|IKKE TILGÆNGELIG|GETTING_DATA)"
    r"|Err:\d{3}"
)
_NOTHING = frozenset(
    {"NULL", "(null)", "<null>", "\\N", "#EMPTY", "null", "nil", "NaN", "nan", "undefined", "N/A", "n/a"}
)
_OBJECT = re.compile(r"\[object \w+\]|(?:System|Microsoft)(?:\.\w+)+(?:\[\])?")
_SIGNS = re.compile(r"#{3,}")
_DECIMAL = re.compile(r"\d{6,}[.,]0+")
_DATE = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d(?:[ T][\d:.]+Z?)?"
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
            _("“{value}” is an error of the spreadsheet program, not a value").format(value=cell),
            _("enter the value as text, or leave the cell empty"),
        )
    if cell in _NOTHING or _OBJECT.fullmatch(cell):
        return (
            _("“{value}” stands for no value").format(value=cell),
            _("leave the cell empty"),
        )
    if _NUMBER_WITH_EXPONENT.fullmatch(cell):
        return (
            _("“{value}” is a number that a spreadsheet program has shortened").format(value=cell),
            _("give that column the format “Text”, enter the value anew, and export again"),
        )
    return None


def phone_objection(cell: str) -> tuple[str, str] | None:
    """What a spreadsheet made of a telephone number, which it took for a decimal or a date, and what to do; else None."""
    if _DECIMAL.fullmatch(cell) or _DATE.fullmatch(cell):
        return (
            _("“{value}” is what a spreadsheet program made of a telephone number").format(value=cell),
            _("give that column the format “Text”, enter the value anew, and export again"),
        )
    return None
