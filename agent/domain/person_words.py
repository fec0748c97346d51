"""Whether the words that a server says for a person can be a first name, and an address.

The feed's person is not signed, and stands in the largest letters of the page on which consent is asked. So a text that
could say more than a name is not shown. No rule can tell each name from each sentence: this one leaves out a few names
rather than letting a sentence in.
"""

import re
from unicodedata import category, normalize

from agent.domain import plain_text

NAME_MAX = 60
_WORDS_MAX = 6
_EASY_WORDS = 2
"""So many words may begin with a small letter whatever they are: “mary jane”."""
_SMALL_WORDS = 3
"""So many where all of them do: “anna maria luisa”. As many that begin with a capital are let in too."""
_PARTICLE_MAX = 4
"""Letters of a small word within a longer name: de, los, bint."""
_PARTICLES = frozenset({"binti", "della", "delle", "dello", "degli", "dalla"})
"""Longer ones."""
_WORD_MAX = 30
_DENSE_WORD_MAX = 8
"""Letters between two spaces or dots where a script writes sentences without spaces: Han and kana."""
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SHORT_MAX = 3
"""Letters before a full stop: J., St., Muh."""
_SHORTENED = frozenset({"Mohd", "Muhd"})
"""Longer ones, of Muhammad."""
_WITHIN = "-‐‑'’ʼ՚׳״·་"
"""Between the letters of a word: hyphens, apostrophes, the Catalan and the Tibetan point."""
_BETWEEN = re.compile("[ \xa0・]+")
_DOTTED = re.compile(r"(?:(?P<initials>(?:\w\.){1,5})|(?P<short>\w+)\.)")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\"“”«»,;:]{1,64}@[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*")
_ADDRESS_MAX = 254
"""RFC 5321, section 4.5.3.1.3, less the brackets around it."""


def first_name(told: str) -> str:
    """The name, or nothing where the text may be more than one."""
    name = told.strip()
    if not name or len(name) > NAME_MAX or plain_text.one_line(name) != name:
        return ""
    words = _BETWEEN.split(name)
    if len(words) > _WORDS_MAX or not all(map(_is_word, words)):
        return ""
    most = _SMALL_WORDS if all(word[:1].islower() for word in words) else _EASY_WORDS
    return "" if len(words) > most and any(map(_is_long_and_small, words[1:])) else name


def _is_long_and_small(word: str) -> bool:
    return word[:1].islower() and len(word) > _PARTICLE_MAX and word not in _PARTICLES


def address(told: str) -> str:
    """The address of mail, or nothing where the text does not look like one."""
    is_one = len(told) <= _ADDRESS_MAX and _ADDRESS.fullmatch(told) and plain_text.one_line(told) == told
    return told if is_one else ""


def _is_word(word: str) -> bool:
    if word.startswith("(") and word.endswith(")"):
        word = word[1:-1]
    if word.endswith("."):
        dotted = _DOTTED.fullmatch(_letters(word))
        short = (dotted["short"] or "") if dotted is not None else ""
        if dotted is None or (len(short) > _SHORT_MAX and short not in _SHORTENED):
            return False
        word = word.replace(".", "")
    longest = _DENSE_WORD_MAX if _DENSE.search(word) else _WORD_MAX
    is_plain = all(category(one)[0] in "LM" or one in _WITHIN or one in "\u200c\u200d" for one in word)
    return is_plain and 0 < len(_letters(word)) <= longest and category(word[0])[0] == "L"


def _letters(word: str) -> str:
    """The word without its marks, which count for nothing."""
    return "".join(one for one in normalize("NFC", word) if category(one)[0] != "M")
