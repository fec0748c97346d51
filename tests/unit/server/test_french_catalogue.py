"""Every text of the server is there in French."""

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import server

SERVER = Path(server.__file__).parent
METHODS = [("**.py", "python"), ("**.html", "resources.catalogues:of_template")]
CATALOGUE = SERVER / "locale" / "fr" / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="module")
def french() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file)


def texts_of_the_code() -> set[object]:
    found = extract_from_dir(str(SERVER), METHODS)
    return {message for _file, _line, message, _comments, _context in found}


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def placeholders(text: str) -> set[str]:
    return {name for _literal, name, _format, _conversion in string.Formatter().parse(text) if name}


def test_no_text_is_missing_and_none_is_left_over(french: Catalog) -> None:
    assert {message.id for message in french if message.id} == texts_of_the_code()
    assert not french.obsolete


def test_no_translation_is_empty_or_doubtful(french: Catalog) -> None:
    assert [
        message.id for message in french if message.id and (message.fuzzy or not all(forms(message)))
    ] == []


def test_translations_fill_in_the_same_values(french: Catalog) -> None:
    for message in french:
        if message.id:
            originals = [message.id] if isinstance(message.id, str) else message.id
            wanted = placeholders(originals[-1])
            assert {frozenset(placeholders(form)) for form in forms(message)} == {frozenset(wanted)}, (
                message.id
            )


def test_translations_are_well_formed(french: Catalog) -> None:
    assert list(french.check()) == []
