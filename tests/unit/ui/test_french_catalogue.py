"""Every text of the agent and its windows is there in French."""

import re
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import agent
import ui
from resources import i18n

CATALOGUE = i18n.LOCALE_FOLDER / "fr" / "LC_MESSAGES" / "tidings.po"
PACKAGES = (Path(agent.__file__).parent, Path(ui.__file__).parent)


@pytest.fixture(scope="module")
def french() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file)


def texts_of_the_code() -> set[object]:
    return {found[2] for package in PACKAGES for found in extract_from_dir(str(package))}


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def translated(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def placeholders(text: str) -> set[str]:
    return {name for _literal, name, _format, _conversion in string.Formatter().parse(text) if name}


def test_no_text_is_missing_and_none_is_left_over(french: Catalog) -> None:
    assert {message.id for message in translated(french)} == texts_of_the_code()
    assert not french.obsolete


def test_no_translation_is_empty_or_doubtful(french: Catalog) -> None:
    assert [message.id for message in translated(french) if message.fuzzy or not all(forms(message))] == []


def test_translations_fill_in_the_same_values(french: Catalog) -> None:
    for message in translated(french):
        original = message.id if isinstance(message.id, str) else message.id[-1]
        assert {frozenset(placeholders(form)) for form in forms(message)} == {
            frozenset(placeholders(original))
        }


def test_translations_are_well_formed(french: Catalog) -> None:
    assert list(french.check()) == []


def test_french_punctuation_is_never_torn_from_its_word(french: Catalog) -> None:
    """A no-break space stands before : ; ! ? » and after «, so that no line begins or ends with them."""
    torn = [
        form for message in translated(french) for form in forms(message) if re.search(r" [:;!?»]|« ", form)
    ]
    assert torn == []


def test_the_compiled_catalogue_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made by the set-up (``python -m tasks setup``)."""
    monkeypatch.setattr(i18n, "_catalogue", i18n._catalogue)
    monkeypatch.setattr(i18n, "_language", i18n.language())
    i18n.use_language("fr")
    assert i18n._("Check now") == "Vérifier maintenant"
    assert i18n.ngettext("{count} new", "{count} new", 2) == "{count} nouvelles"
    assert i18n._("Like") == "Aimer"
    assert i18n.pgettext("what was sent", "Like") == "J’aime"
