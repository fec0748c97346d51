"""Translations through gettext catalogues (``resources/locale/<language>/LC_MESSAGES/tidings.mo``).

The language is chosen once, at the start of a process: ``use_language()``. Until then, and where a text is not
translated, the English of the source is shown.
"""

from __future__ import annotations

import gettext as _gettext
import os
from pathlib import Path

DOMAIN = "tidings"
LOCALE_FOLDER = Path(__file__).parent / "locale"
LANGUAGES = ("en", "fr")

_catalogue: _gettext.NullTranslations = _gettext.NullTranslations()
_language = "en"


def system_language() -> str:
    """The language of the environment (POSIX ``LC_ALL``, ``LC_MESSAGES``, ``LANG``), if we speak it, else ``en``."""
    for name in ("TIDINGS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            code = value.split(".")[0].split("_")[0].lower()
            return code if code in LANGUAGES else "en"
    return "en"


def use_language(language: str | None = None, folder: Path = LOCALE_FOLDER) -> str:
    """Choose the language of this process; None asks the system. Returns the language in use, one of ``LANGUAGES``.

    ``folder`` holds the catalogues: the tests have a language of their own that shows which texts are cut or not translated.
    """
    global _catalogue, _language
    _language = language if language in LANGUAGES else system_language()
    _catalogue = _gettext.translation(DOMAIN, str(folder), languages=[_language], fallback=True)
    return _language


def language() -> str:
    """The language in use: ``en`` or ``fr``."""
    return _language


def _(text: str) -> str:
    """The translation of an English text."""
    return _catalogue.gettext(text)


def pgettext(context: str, text: str) -> str:
    """The translation of an English text that means one thing here and another elsewhere; ``context`` tells them apart."""
    return _catalogue.pgettext(context, text)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The translation of a text that depends on a count. The count is not filled in."""
    return _catalogue.ngettext(singular, plural, count)
