"""Bytes that are UTF-8 and may all the same mean something else.

A file whose few letters beyond ASCII were written in an old code page can be valid UTF-8 by chance: “d’études” of an old Mac
reads “dՎtudes”, “RÓŻA” in Windows-1250 “RӯA”. And UTF-7 (RFC 2152) is ASCII: “Fran+AOc-ois”. Nothing is guessed: whoever
imports the file says which reading is right.
"""

import re
import unicodedata

from server.people_files.encoded_twice import is_known_letter, script

_RUN = re.compile("[^\x00-\x7f]+")
_SHIFTED = re.compile(r"\+([A-Za-z0-9+/]{3,})(?:-|(?![A-Za-z0-9+/]))")
_NUMBER = re.compile(r"\d{7}|\d[\d/]{2,}(?:[A-Za-z]{1,4}\d+)?$")
"""Of a telephone, with or without an extension. Hardly any word in UTF-7 looks like that: a few of Korean."""
_NEVER_SHOWN = {"Cs", "Co", "Cn"}
_AROUND_CELLS = {"", ",", ";", "\t", '"', " "}
_LETTERS_AS_WELL = frozenset("Əə")
"""Of Azerbaijani, which `is_known_letter` does not know, since old code pages seldom spoil into them."""
_FEW = 2
"""Letters of another script, which are no word yet."""


def doubtful_line(text: str) -> str | None:
    """The first line that hardly means what it says in UTF-8, if nothing in the text does mean it; None else."""
    if text.isascii():
        return next((line for line in _lines_with("+", text) if in_utf7(line) != line), None)
    doubtful: str | None = None
    for run in _RUN.finditer(text):
        verdict = _is_plausible(text, run)
        if verdict:
            return None
        if verdict is False and doubtful is None:
            doubtful = _line_at(text, run.start())
    return doubtful


def in_utf7(line: str) -> str:
    """The line as UTF-7, as far as that gives words; the line as it is where nothing in it does."""
    return _SHIFTED.sub(_shifted, line)


def _shifted(match: re.Match[str]) -> str:
    try:
        meant = match[0].encode().decode("utf-7")
    except UnicodeDecodeError:
        return match[0]
    if _NUMBER.match(match[1]) or any(unicodedata.category(one) in _NEVER_SHOWN for one in meant):
        return match[0]
    letters = [one for one in meant if one.isalpha()]
    is_word = bool(letters) and all(map(_is_letter, letters)) and not any(one.isascii() for one in meant)
    is_latin = all(script(one) == "LATIN" for one in letters)
    # Three characters of any name after a plus sign are some letter of Chinese or Korean.
    around = {
        match.string[max(match.start() - 1, 0) : match.start()],
        match.string[match.end() : match.end() + 1],
    }
    is_cell = around <= _AROUND_CELLS and not match[1].isdigit()
    return meant if is_word and (is_latin or is_cell) else match[0]


def _is_plausible(text: str, run: re.Match[str]) -> bool | None:
    """Whether a run of characters beyond ASCII is of a word where it stands; None for signs, which say nothing."""
    letters = [one for one in run[0] if one.isalpha() or unicodedata.category(one)[0] == "M"]
    if not letters:
        return False if any(unicodedata.category(one) in ("Cc", "Cn", "Co") for one in run[0]) else None
    if not all(map(_is_letter, letters)):
        return False
    if all(script(one) in ("LATIN", "COMBINING", "MODIFIER") for one in letters):
        return True
    before, after = text[max(run.start() - 1, 0) : run.start()], text[run.end() : run.end() + 1]
    touches = any(one.isascii() and one.isalpha() for one in (before, after) if one)
    if all(one < "\u0800" for one in letters):  # two bytes each
        return len(letters) > _FEW
    return len(letters) > 1 or not touches


def _is_letter(one: str) -> bool:
    is_modifier = "\u02b0" <= one <= "\u036f"  # as in “Oʻktam”, and accents by themselves (NFD)
    return is_modifier or one in _LETTERS_AS_WELL or is_known_letter(one)


def _lines_with(sign: str, text: str) -> list[str]:
    return [line for line in text.splitlines() if sign in line] if sign in text else []


def _line_at(text: str, place: int) -> str:
    start = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1
    return re.split(r"[\r\n]", text[start : start + 10_000], maxsplit=1)[0]
