"""What spreadsheet programs do to cells: what can be put right, and what was lost."""

import re

from django.utils.translation import gettext as _

_FORMULA_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_NUMBER_WITH_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[Ee][+-]?\d{1,3}")
_ERRORS = frozenset(
    [
        "#NAME?",
        "#VALUE!",
        "#REF!",
        "#N/A",
        "#DIV/0!",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#NOM?",
        "#VALEUR!",
        "#N/D",
        "#NOMBRE?",
        "#NV",
        "#WERT!",
        "#BEZUG!",
        "#ZAHL!",
        "#¿NOMBRE?",
        "#¡VALOR!",
        "#¡REF!",
    ]
)
_NOTHING = frozenset({"NULL", "(null)", "<null>", "\\N", "#EMPTY"})
_SIGNS = re.compile(r"#{3,}")


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
    if cell in _ERRORS or _SIGNS.fullmatch(cell):
        return (
            _("“{value}” is an error of the spreadsheet program, not a value").format(value=cell),
            _("enter the value as text, or leave the cell empty"),
        )
    if cell in _NOTHING:
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
