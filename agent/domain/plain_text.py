"""What a company's texts may do to a window: nothing but be read.

The server refuses such texts; what is signed may come from another one. A title, a sender or a label stays on its line, has
nothing invisible in it, and turns nothing that stands around it. Longer texts keep all that languages need, but no override
of direction (Unicode Standard Annex 9). What is taken out is taken out of the words alone: what was signed is kept as it is.
"""

import re
from unicodedata import bidirectional, category

from agent.domain import limits

NOTHING = "…"
"""In the place of a text of which nothing can be seen."""
INVISIBLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\ufffc\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of the Unicode Character Database, and symbols whose picture is empty."""
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_FLAGS = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
"""Flags that are written with tags (Unicode Technical Standard 51, section 1.4.9)."""
_JOINERS, _VARIATIONS = "\u200c\u200d", "\ufe0e\ufe0f"
_SYMBOLS = ("So", "Sm", "Po", "Pd", "Nd", "Sk")
_MOST_MARKS = 4
"""Above or below one letter."""
_SPACES = re.compile(r"[ \xa0\u202f\u2009\u3000]{3,}")
_OVERRIDES = "\u202d\u202e"


def one_line(text: str) -> str:
    """The text as one line on which everything can be seen. What the server publishes stays as it is."""
    if text.isascii() and text.isprintable():
        return _SPACES.sub("  ", text)
    flags = {place for found in _FLAGS.finditer(text) for place in range(*found.span())}
    kept: list[str] = []
    marks = 0
    for place, character in enumerate(text):
        marks = marks + 1 if category(character) in ("Mn", "Me") else 0
        if place in flags or _is_plain(character) or _is_needed(kept, character, text[place + 1 : place + 2]):
            if marks <= _MOST_MARKS:
                kept.append(character)
        elif _ends_a_line(character):
            kept.append(" ")
    line = _SPACES.sub("  ", "".join(kept))
    return line if any(category(one)[0] in "LNPS" for one in line) else NOTHING


def of_a_stranger(text: str) -> str:
    """What nobody signed, as one line, cut to ``limits.UNSIGNED_TEXT_MAX``; empty where it is empty."""
    if len(text) > limits.UNSIGNED_TEXT_MAX:
        text = text[: limits.UNSIGNED_TEXT_MAX - 1] + NOTHING
    return one_line(text) if text else ""


def several_lines(text: str) -> str:
    """The text without characters that no text needs; beyond ``limits.TEXT_LINES_MAX`` its lines run on."""
    if not text.isascii() or not text.replace("\n", "").isprintable():
        text = "".join(one for one in text if one in "\n\t" or not _is_needless(one))
    if text.count("\n") < limits.TEXT_LINES_MAX:
        return text
    *lines, rest = text.split("\n", limits.TEXT_LINES_MAX - 1)
    return "\n".join((*lines, " ".join(rest.split("\n"))))


def is_visible(character: str) -> bool:
    """Whether something is drawn for it, in a font that has it."""
    return not _INVISIBLE.match(character)


def _is_needless(character: str) -> bool:
    return category(character) in ("Cc", "Cs") or character in _OVERRIDES


def _ends_a_line(character: str) -> bool:
    return category(character)[0] == "Z" or character in "\t\n\v\f\r\x1c\x1d\x1e\x85"


def _is_plain(character: str) -> bool:
    kind = category(character)
    if kind[0] == "Z":
        return bool(_SPACES.fullmatch(3 * character))
    is_control = kind in ("Cc", "Cs", "Cf", "Co") or ord(character) & 0xFFFE == 0xFFFE
    return not is_control and is_visible(character)


def _is_needed(before: list[str], character: str, after: str) -> bool:
    """Whether a script or an emoji needs it at this place (compare RFC 5892 appendix A.1 and A.2)."""
    if not before:
        return False
    if character in _VARIATIONS:
        return category(before[-1]) in _SYMBOLS
    if character not in _JOINERS or not after:
        return False
    if _joins(before[-1]) and _joins(after):
        return True
    is_emoji = before[-1] in _VARIATIONS or category(before[-1]) in ("So", "Sk")
    return character == "\u200d" and is_emoji and category(after) in ("So", "Sm")


def _joins(character: str) -> bool:
    """Whether it is of a script that tells words apart by joiners: Arabic, those of India and their like."""
    return category(character)[0] in "LM" and (
        bidirectional(character) in ("AL", "NSM") or "\u0900" <= character <= "\u1cff"
    )
