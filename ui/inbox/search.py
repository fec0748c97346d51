"""What the search compares: texts without case and accents. Made once for each announcement, on any thread. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from agent.domain.model import InboxItem, Variant
from resources.i18n import language

_SPELT_OUT = (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("’", "'"))
"""What is written otherwise than it is typed, and has no decomposition."""


def variant_of(item: InboxItem) -> Variant:
    """The announcement's text in the person's language."""
    return item.campaign.variant(language())


def fold(text: str) -> str:
    """Without case and accents, so that "reunion" finds "Réunion" and "coeur" finds "Cœur"."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text)
    for letter in set(folded):
        if letter > "\x7f" and unicodedata.combining(letter):
            folded = folded.replace(letter, "")
    folded = folded.casefold()
    for letter, spelt in _SPELT_OUT:
        folded = folded.replace(letter, spelt)
    return folded


@dataclass(frozen=True)
class Searchable:
    """Announcements, newest first, and for each what the search looks in."""

    items: Sequence[InboxItem] = ()
    texts: Sequence[str] = ()
    language: str = ""


def searchable(items: Sequence[InboxItem], before: Searchable | None = None) -> Searchable:
    """Fold title, sender and text of each; what ``before`` has already is taken from there."""
    spoken = language()
    known: dict[tuple[str, int], str] = {}
    if before is not None and before.language == spoken:
        known = {_key(item): text for item, text in zip(before.items, before.texts, strict=True)}
    texts = [known.get(_key(item)) or _text(item) for item in items]
    return Searchable(items, texts, spoken)


def _key(item: InboxItem) -> tuple[str, int]:
    return item.campaign.campaign_id, item.campaign.counter


def _text(item: InboxItem) -> str:
    variant = variant_of(item)
    return fold("\n".join((variant.title, item.campaign.sender, variant.body)))
