"""Text whose UTF-8 was once read as another encoding, so that “François” became “FranÃ§ois”.

Nothing is repaired, since a guess would be stored. A run of characters is such text if it has the bytes of UTF-8 in one of
the encodings that programs take for the system's own, and if what these bytes mean is plausible where it stands: letters of
living scripts, in a word of one script (“RÓŻA” has the bytes of “RӯA” in Windows-1250, and is a name).
"""

import re
import unicodedata

_RUN = re.compile("[\x80-\U0010ffff]{2,}")
_LAST_BYTE_LOST = re.compile(r"[a-z][ÃĂГ](?=\s|$)")
"""Of “à” the second byte is a space that does not break, which many programs take for any space."""
_USUAL = ("cp1252", "latin-1", "cp1254")
_OTHERS = ("cp1250", "cp1251", "cp1253", "iso8859_15", "cp437", "cp850", "mac_roman")
_SCRIPTS = frozenset(
    [
        "GREEK",
        "CYRILLIC",
        "HEBREW",
        "ARABIC",
        "ARMENIAN",
        "GEORGIAN",
        "DEVANAGARI",
        "BENGALI",
        "TAMIL",
        "THAI",
        "CJK",
        "HIRAGANA",
        "KATAKANA",
        "HANGUL",
    ]
)
_LATIN = re.compile(
    "[A-Za-z\xaa\xba\xc0-\u012b\u012e-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u014d\u0150-\u017e\u0192\u01a0\u01a1\u01af\u01b0"
    "\u01cd-\u01dc\u0218-\u021b\u1e00-\u1eff]"
)
"""Of today's languages: the phonetic alphabet has what “É” and a quotation mark after it would mean."""
_SIGNS = re.compile("[\xa0-\xbf\xd7\xf7\u2000-\u206f\u20a0-\u20cf\u2100-\u214f]")


def read_right(text: str) -> str | None:
    """What the text would be if it was encoded twice; None if it was not."""
    if text.isascii():
        return None
    if found := _LAST_BYTE_LOST.search(text):
        return f"{text[: found.end() - 1]}à{text[found.end() :]}"
    for run in _RUN.finditer(text):
        before, after = text[: run.start()], text[run.end() :]
        for codec in _USUAL + _OTHERS:
            meant = _decoded(run[0], codec)
            if meant and _is_plausible(before, run[0], meant, after, is_sure=codec in _USUAL):
                return text.replace(run[0], meant)
    return None


def _decoded(run: str, codec: str) -> str:
    """What the bytes of the run mean in UTF-8; empty if nothing. Bytes that mean no character are control characters."""
    try:
        return b"".join(
            bytes([ord(one)]) if "\x80" <= one <= "\x9f" else one.encode(codec) for one in run
        ).decode()
    except UnicodeError:
        return ""


def _is_plausible(before: str, run: str, meant: str, after: str, *, is_sure: bool) -> bool:
    is_sure = is_sure or unicodedata.category(run[0]) in ("So", "Sm")  # of “├®” or “√©” nothing is a word
    if not all(map(is_known_letter, meant)) or unicodedata.category(meant[0])[0] == "M":
        return False
    left, right = _letters(before[::-1])[::-1], _letters(after)
    if not is_sure and len(meant) == 1 and not (left or right):
        return False  # two or three letters by themselves may be a word
    capitals = [one for one in left + right if one.isupper()]
    if (len(capitals) > 1 or not is_sure) and (left + run + right).isupper() and meant != meant.upper():
        return False
    return len({script(one) for one in left + meant + right if one.isalpha()}) <= 1 or not meant.isalpha()


def _letters(text: str) -> str:
    """The ASCII letters with which a text begins: others, further on, may be spoilt themselves."""
    return next((text[:at] for at, one in enumerate(text) if not (one.isascii() and one.isalpha())), text)


def is_known_letter(character: str) -> bool:
    """Whether it is a letter of a living language, or a sign that goes with one."""
    if unicodedata.category(character)[0] not in "LM":
        return bool(_SIGNS.match(character)) or character == "\xad"
    return bool(_LATIN.match(character)) or script(character) in _SCRIPTS


def script(character: str) -> str:
    """The first word of its name, which names the script of a letter (Unicode Standard, section 4.8)."""
    name = unicodedata.name(character, "").split(" ")[0].split("-")[0]
    return {"HIRAGANA": "CJK", "KATAKANA": "CJK", "FEMININE": "LATIN", "MASCULINE": "LATIN"}.get(name, name)
