"""Which characters titles, senders and labels may hold, and which texts of several lines."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.plain_text import one_line, problem_of_line, problem_of_lines, several_lines

IN_NEED_OF_JOINERS = [
    "می‌خواهم",  # Persian, between two letters
    "क्‍ष",  # Hindi, after a virama
    "ශ්‍රී ලංකා",  # Sinhala
]
EMOJI = [
    "❤️ you",
    "👩‍💻 on call",
    "👩🏽‍🚀",
    "🏳️‍🌈",
    "1️⃣ first",
    "👨‍👩‍👧",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "🇫🇷",
]
PLAIN = [
    "Réunion à 9 h",
    "Café\u202f: « oui »",
    "افتتاح استوديو ليون (الطابق 2)!",
    "東京　オフィス",
    "Ελλάδα",
    "3 < 4 & 5",
    "…",
    "50 %",
]


@pytest.mark.parametrize("text", [*PLAIN, *EMOJI, *IN_NEED_OF_JOINERS])
def test_a_line_in_any_language_may_be_written(text: str) -> None:
    assert problem_of_line(one_line(text)) == ""
    assert problem_of_lines(several_lines(text)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "\u200b\u200c\ufeff",
        "First\u2028second",
        "First\u2029second",
        "First\x85second",
        "First\x0bsecond",
        "Pay\u200bday",
        "Pay\xadday",
        "Pay\u2060day",
        "Pay\u200dday",
        "\u202egpj.exe",
        "a\u202ab\u202c",
        "a\u2066b\u2069",
        "a\u200fb",
        "a\u061cb",
        "\u3164",
        "\uffa0",
        "\u2800\u2800",
        "\ufffc",
        "\U0001d159",
        "\u0301",
        "a\ufe00",
        "\ufe0f",
        "a\U000e0061\U000e0062",
        "x\ue000",
        "x\ufffe",
        "tab\tin it",
        "\u200d👩",
        "Ελ\u200cλάς",
        "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "secret mark"),
        "\U0001f3f4\U000e0067",
        "A" + "\u0301" * 9,
        "far" + " " * 10 + "away",
        "far\u3000\u3000\u3000away",
    ],
)
def test_a_line_with_something_hidden_or_with_nothing_to_see_is_refused(text: str) -> None:
    assert problem_of_line(text)


def test_an_empty_line_is_for_others_to_judge() -> None:
    assert problem_of_line("") == ""


@pytest.mark.parametrize(
    "text", ["می‌خواهم\nدوم", "\u2067עברית\u2069 in English", "a\u200fb", "ไทย\u200bไทย", "soft\xadhyphen"]
)
def test_a_longer_text_keeps_what_languages_need(text: str) -> None:
    assert problem_of_lines(text) == ""


@pytest.mark.parametrize(
    "text",
    ["\u202egpj.exe", "\u202dabc", "bell\x07", "escape\x1b[31m", "nul\x00", "\ud800", "\u200b\n\u2800"],
)
def test_a_longer_text_with_what_no_language_needs_is_refused(text: str) -> None:
    assert problem_of_lines(text)


def test_every_line_end_of_a_longer_text_becomes_one_line_feed() -> None:
    assert several_lines("one\r\ntwo\u2028three\u2029four\n") == "one\ntwo\nthree\nfour"


@given(st.text(max_size=20))
def test_a_line_that_may_be_written_shows_something_and_turns_nothing(text: str) -> None:
    line = one_line(text)
    if not line or problem_of_line(line):
        return
    assert any(unicodedata.category(character)[0] in "LNPS" for character in line)
    directions = {unicodedata.bidirectional(character) for character in line}
    assert not directions & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B", "S"}
    assert "\n" not in line
