"""Texts of signed documents: a window shows them, and they do nothing to it."""

from collections.abc import Callable
from datetime import UTC, datetime
from unicodedata import category

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.domain.model import Campaign, CampaignStatus, Link, Urgency, Variant
from agent.domain.plain_text import INVISIBLE, one_line, several_lines
from server.core import plain_text as of_the_server
from tests.support.server import django_ready  # noqa: F401

URL = "https://intranet.northwind.example/"
FORGED = "A”\nhr.northwind.example · “Salary"
NEEDED = [
    "Réunion à 9 h\u202f: « ici »",
    "می‌خواهم",
    "क्‍ष",
    "👩‍💻 ❤️ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "日本語　です",
    "שלום",
    "Straße 5 % — “x”",
]


@pytest.mark.parametrize("text", NEEDED)
def test_what_languages_need_stays(text: str) -> None:
    assert of_the_server.problem_of_line(text) == ""
    assert one_line(text) == text
    assert several_lines(text + "\n\nb") == text + "\n\nb"


@settings(max_examples=400)
@given(st.text(min_size=1, max_size=30))
@example(FORGED)
@example("a" + "\u0301" * 9)
def test_what_the_server_publishes_stays_and_what_it_refuses_is_put_right(text: str) -> None:
    text = of_the_server.one_line(text)
    if not text:
        return
    shown = one_line(text)
    if of_the_server.problem_of_line(text):
        assert of_the_server.problem_of_line(shown.strip()) == "", (text, shown)
    else:
        assert shown == text
    assert one_line(shown) == shown


@given(st.text(max_size=60))
def test_a_long_text_keeps_all_but_controls_and_overrides(text: str) -> None:
    shown = several_lines(text)
    # Of the server, a text in which nothing can be seen is none.
    assert of_the_server.problem_of_lines(f"a\n{shown}") == ""
    if not of_the_server.problem_of_lines(f"a\n{text}"):
        assert shown == text


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\u2028", "\u2029", "\x85", "\v", "\f", "\t", "\u202e", "\u2066"]
)
def test_a_label_stays_on_its_line_and_turns_nothing(character: str) -> None:
    link = Link("l1", f"A{character}hr.northwind.example", URL)
    assert link.label in ("A hr.northwind.example", "Ahr.northwind.example")


@pytest.mark.parametrize("text", ["\u200b" * 40, "\u3164", "\u2800 \u2800", "\u034f", " \u200b "])
def test_a_text_of_which_nothing_can_be_seen_is_told_to_be_there(text: str) -> None:
    assert Link("l1", text, URL).label == "…"
    assert Variant(text).title == "…"


def test_it_holds_however_the_text_gets_in() -> None:
    """Made, read from a document, or read from the store."""
    variant = Variant(FORGED, "a\u202eb\nc", (Link("l1", FORGED, URL),))
    for read in (variant, msgspec.json.decode(msgspec.json.encode(variant), type=Variant)):
        assert "\n" not in read.title + read.links[0].label
        assert read.body == "ab\nc"
    raw = (
        b'{"title": "A\\nB", "links": [{"link_id": "l1", "label": "A\\u2028B", "url": "https://a.example"}]}'
    )
    assert msgspec.json.decode(raw, type=Variant).links[0].label == "A B"
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    campaign = Campaign(
        "c-a", 1, CampaignStatus.LIVE, "A\nB", Urgency.NORMAL, moment, moment, "en", {"en": variant}
    )
    assert campaign.sender == "A B"


def test_nothing_that_is_drawn_as_nothing_is_missing_from_the_list() -> None:
    listed = set(INVISIBLE.replace("-", ""))
    assert {"\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u200b", "\xad"} <= listed
    assert not any(category(one)[0] in "NP" for one in listed)


# --- Hosts ------------------------------------------------------------------------------------------


def of(name: str, encode: Callable[[str], str] = lambda label: label) -> str:
    return Link("l1", "x", f"https://{encode(name)}.northwind.example/").destination


@pytest.mark.parametrize("letters", ["hr\u3164\u115f", "hr\u1160", "a\u2800b", "a\u200bb", "a\u034fb"])
def test_a_host_with_letters_that_nobody_sees_is_shown_in_ascii_alone(letters: str) -> None:
    label = "xn--" + letters.encode("punycode").decode()
    assert of(label) == f"{label}.northwind.example"


@pytest.mark.parametrize("label", ["xn--", "xn---", "xn--zz-", "xn--a", "xn--intranet-"])
def test_what_is_no_punycode_is_shown_as_it_is(label: str) -> None:
    assert of(label) == f"{label}.northwind.example"


def test_a_name_in_other_letters_is_shown_in_both() -> None:
    assert of("xn--bcher-kva") == "bücher.northwind.example (xn--bcher-kva.northwind.example)"
