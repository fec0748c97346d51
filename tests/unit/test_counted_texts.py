"""Whatever is counted is told rightly of one, too: a text with a number and a noun has a form for each number."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

import agent
import server
import ui

PROGRAMS = tuple(Path(str(package.__file__)).parent for package in (agent, server, ui))

COUNTED = re.compile(r"\{(\w+)(?::[^}]*)?\}((?: [\w-]+){1,3})")
NAMES = frozenset(
    [
        "agreed",
        "campaign",
        "company",
        "email",
        "end",
        "event",
        "faults",
        "file",
        "found",
        "first",
        "format",
        "header",
        "job",
        "kept",
        "language",
        "languages",
        "line",
        "lines",
        "messages",
        "moment",
        "name",
        "new",
        "noted",
        "number",
        "old",
        "path",
        "person",
        "place",
        "reason",
        "region",
        "sender",
        "signal",
        "signals",
        "strong",
        "table",
        "theirs",
        "thing",
        "time",
        "title",
        "url",
        "value",
        "version",
        "what",
        "where",
        "why",
        "word",
    ]
)
"""What stands for words, or for one thing by its number."""
NEVER_ONE = frozenset(
    [
        "See the {count} receipts",  # one has a text of its own
        "“{value}” has {count} characters, {limit} are allowed",  # more than a limit
        "it has {count} characters, {most} are allowed",
        "it has {count} entries, {most} are allowed",
        "it has {count} lines, {most} are allowed",
        "the address has {count} characters",
        "Each process may have {files:,} files open, which is too few for {count:,} connections. Raise the limit:"
        " LimitNOFILE= in the systemd unit, or ulimit -n.",
        "“{file}” has {width} × {height} pixels",  # two numbers, one noun
        "“{file}” is a JPEG picture with {bits} bits a colour",
    ]
)
LIMITS = frozenset(["by", "days", "expected_bytes", "limit", "minimum", "minutes", "most", "reason"])
"""Numbers that the program sets, all of them above one."""
PLURAL = re.compile(r"\b(?:\w+[^su\W]s|people|entries)\b")
NO_NOUNS = frozenset(
    [
        "allows",
        "answers",
        "as",
        "asks",
        "begins",
        "belongs",
        "decides",
        "does",
        "ends",
        "fixes",
        "follows",
        "goes",
        "has",
        "holds",
        "is",
        "its",
        "lies",
        "needs",
        "says",
        "sees",
        "this",
        "turns",
        "was",
    ]
)


def _is_counted(text: str) -> bool:
    for number, words in COUNTED.findall(text):
        nouns = [word for word in PLURAL.findall(words) if word not in NO_NOUNS]
        if nouns and number not in NAMES | LIMITS:
            return True
    return False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“{file}” has {pictures} pictures", True),
        ("{count} files are missing", True),
        ("whole, {count} entries", True),
        ("{count:,} new people", True),
        ("{company} has rows", False),
        ("line {line} is wrong", False),
        ("more than {limit} values", False),
    ],
)
def test_a_number_before_a_noun_is_noticed(text: str, expected: bool) -> None:
    assert _is_counted(text) is expected


def test_every_text_that_counts_has_a_form_for_one() -> None:
    texts = {found[2] for program in PROGRAMS for found in extract_from_dir(str(program))}
    single = {text for text in texts if isinstance(text, str)}
    assert sorted(text for text in single if _is_counted(text)) == sorted(NEVER_ONE)
