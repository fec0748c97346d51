"""Which characters a text for people may hold.

A title, a sender or a label is one line on which everything can be seen: nothing invisible, nothing that turns the order of
what stands around it. Joiners and variation selectors stay where a script or an emoji needs them. Longer texts keep all that
languages need, marks and isolates of direction among it (Unicode Standard Annex 9), but no override, which only deceives.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

_IGNORABLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of the Unicode Character Database: shown as nothing."""
_BLANK = "\u2800\u3164\u115f\u1160\uffa0\ufffc\U0001d159"
"""Symbols and letters whose picture is empty."""
_HIDDEN = re.compile(f"[{_IGNORABLE}\u2800]")
_LINE_ENDS = re.compile("\r\n|[\u2028\u2029]")
_OVERRIDES = re.compile("[\u202d\u202e]")
_SPACES = " \xa0\u202f\u2009\u3000"
"""Spaces that people type: French has two that do not break, Japanese has a wide one."""

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_VARIATIONS = "\ufe0e\ufe0f"
_FLAGS = re.compile(
    "\U0001f3f4(?:"
    + "|".join(
        "".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")
    )
    + ")\U000e007f"
)
"""The flags that are written with tags (Unicode Technical Standard 51, section 1.4.9): of England, Scotland and Wales."""
_MARKS_IN_A_ROW = 4
_MOST_SPACES = re.compile("[ \xa0\u202f\u2009\u3000]{3}")


def one_line(text: str) -> str:
    """The text as it is kept: composed (Unicode Normalization Form C), without space at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def several_lines(text: str) -> str:
    """The same for a text of several lines; every kind of line end becomes a line feed."""
    return one_line(_LINE_ENDS.sub("\n", text))


def problem_of_line(text: str) -> str:
    """What is wrong with a text of one line; empty when nothing is."""
    text = _FLAGS.sub("\U0001f3f4", text)
    for place, character in enumerate(text):
        if not _is_plain(character) and not _is_needed(text, place):
            return _("it has an invisible character or a line break ({name})").format(name=_name(character))
    if _MOST_SPACES.search(text):
        return _("it has many spaces in a row")
    if any(
        all(map(_is_mark, text[at : at + _MARKS_IN_A_ROW + 1])) for at in range(len(text) - _MARKS_IN_A_ROW)
    ):
        return _("it has many marks above or below one letter")
    if text and not _is_seen(text):
        return _("nothing in it can be seen")
    return ""


def problem_of_lines(text: str) -> str:
    """What is wrong with a text of several lines; empty when nothing is."""
    for character in text:
        category = unicodedata.category(character)
        if (category in ("Cc", "Cs") and character not in "\n\t") or _OVERRIDES.match(character):
            return _("it has a character that no text needs ({name})").format(name=_name(character))
    return _("nothing in it can be seen") if text and not _is_seen(text) else ""


def harmless(text: str) -> str:
    """The text with a “·” for each character that a terminal would obey or not show. Spaces and line feeds stay."""
    return "".join(
        one if one == "\n" or one.isprintable() or unicodedata.category(one) == "Zs" else "·" for one in text
    )


def _is_seen(text: str) -> bool:
    return any(unicodedata.category(one)[0] in "LNPS" and one not in _BLANK for one in text)


def _is_plain(character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] == "Z":
        return character in _SPACES
    is_control = category in ("Cc", "Cs", "Cf", "Co") or ord(character) & 0xFFFE == 0xFFFE
    return not is_control and not _HIDDEN.match(character)


def _is_needed(text: str, place: int) -> bool:
    """Whether a script or an emoji needs the character at this place (compare RFC 5892 appendix A.1 and A.2)."""
    character, before, after = text[place], text[:place], text[place + 1 :]
    if not before:
        return False
    last = before[-1]
    if character in _VARIATIONS:
        return unicodedata.category(last) in ("So", "Sm", "Po", "Pd", "Nd", "Sk")
    if character not in (_ZWNJ, _ZWJ) or not after:
        return False
    if _joins(last) and _joins(after[0]):
        return True
    is_emoji = last in _VARIATIONS or unicodedata.category(last) in ("So", "Sk")
    return character == _ZWJ and is_emoji and unicodedata.category(after[0]) in ("So", "Sm")


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")


def _joins(character: str) -> bool:
    """Whether it is of a script that tells words apart by joiners: Arabic, those of India and their like."""
    return unicodedata.category(character)[0] in "LM" and (
        unicodedata.bidirectional(character) in ("AL", "NSM") or "\u0900" <= character <= "\u1cff"
    )


def _name(character: str) -> str:
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".strip()
