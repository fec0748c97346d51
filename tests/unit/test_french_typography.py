"""French puts a space that does not break before some marks and within its quotation marks."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import server
from resources import i18n

CATALOGUES = (
    Path(server.__file__).parent / "locale" / "fr" / "LC_MESSAGES" / "django.po",
    i18n.LOCALE_FOLDER / "fr" / "LC_MESSAGES" / "tidings.po",
)
BREAKING = re.compile(r"\S [:;!?»](?=[\s\u00a0.,)]|$)|« ")


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_no_line_begins_with_a_mark_that_belongs_to_the_word_before(catalogue: Path) -> None:
    with catalogue.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    texts = [
        form
        for message in messages
        for form in (message.string if isinstance(message.string, tuple) else [message.string])
    ]
    assert len(texts) > len(messages) / 2
    assert [text for text in texts if BREAKING.search(text)] == []
