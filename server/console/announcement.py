"""All that an announcement says and shows, for those who look at it: texts, pictures, films, and what captions say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import reverse

from server.campaigns.models import Campaign
from server.drafts.fields import files_named
from server.drafts.files import place_of
from server.drafts.models import Draft, DraftFile
from server.media import files
from server.media.webvtt import BadLine, lines_of, read_cues

MOST_CAPTIONS_BYTES = 128 * 1024
"""Of captions whose words are on one page: hours of speech. Longer ones are opened as files."""


@dataclass(frozen=True)
class File:
    """Where a page finds a file, and where it lies."""

    address: str
    place: Path


@dataclass(frozen=True)
class Words:
    """What is said from a moment on, in milliseconds."""

    start_ms: int
    text: str


@dataclass(frozen=True)
class Captions:
    """One file of captions. `words`: None where they are too long for the page, or cannot be read."""

    label: str
    language: str
    address: str
    words: Sequence[Words] | None


@dataclass(frozen=True)
class Picture:
    """A picture; pixels where they are known."""

    address: str
    alt: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Film:
    """A film with its poster. `size` in bytes."""

    address: str
    poster: Picture
    duration_ms: int
    size: int
    captions: Sequence[Captions]


@dataclass(frozen=True)
class Text:
    """An announcement in one language."""

    language: str
    title: str
    body: str
    links: Sequence[Mapping[str, str]]
    image: Picture | None
    video: Film | None


def of_draft(draft: Draft, variants: Mapping[str, Any]) -> list[Text]:
    """A draft in each language; `variants` as they would be signed."""
    known = {
        row.sha256: File(reverse("drafts-file-of", args=[draft.draft_id, row.name]), place_of(row))
        for row in files_named(draft)
    }
    return list(_texts(variants, known.__getitem__, _Room()))


def of_template(template: Draft) -> list[Text]:
    """A template in each language, as far as its files are there."""
    rows = {row.name: row for row in files_named(template)}
    variants = {
        language: variant
        | {"image": _as_signed(rows, variant.get("image")), "video": _film_as_signed(rows, variant)}
        for language, variant in template.fields["variants"].items()
    }
    return of_draft(template, variants)


def of_campaigns(campaigns: Sequence[Campaign]) -> list[list[Text]]:
    """What each of the campaigns says in each language, or said before it was taken back and nobody had looked at it."""
    room = _Room()
    return [list(_texts(texts_kept(campaign), _finder(campaign), room)) for campaign in campaigns]


def texts_kept(campaign: Campaign) -> Mapping[str, Any]:
    """The texts by language, also those that wait to be looked at after a recall."""
    kept: Mapping[str, Any] = campaign.alone_texts or campaign.content.get("variants", {})
    return kept


def digests_in(variants: Mapping[str, Any]) -> Iterator[str]:
    """The SHA-256 of each file that the texts show, in hex."""
    for variant in variants.values():
        film = variant["video"]
        shown = [variant["image"], *([film, film["poster"], *film["captions"]] if film else [])]
        yield from (file["sha256"] for file in shown if file)


class _Room:
    """How many bytes of captions the page still takes."""

    def __init__(self) -> None:
        self.left = MOST_CAPTIONS_BYTES

    def take(self, size: int) -> bool:
        if size > self.left:
            return False
        self.left -= size
        return True


def _finder(campaign: Campaign) -> Callable[[str], File]:
    def find(sha256: str) -> File:
        address = reverse("campaigns-media", args=[campaign.campaign_id, sha256])
        return File(address, files.path_of(campaign.company_id, sha256))

    return find


def _as_signed(rows: Mapping[str, DraftFile], named: Mapping[str, Any] | None) -> dict[str, Any] | None:
    row = rows.get(named["file"]) if named else None
    if named is None or row is None:
        return None
    sizes = {"width": row.width, "height": row.height, "duration_ms": row.duration_ms}
    return {**named, "sha256": row.sha256, "size": row.size, **sizes}


def _film_as_signed(rows: Mapping[str, DraftFile], variant: Mapping[str, Any]) -> dict[str, Any] | None:
    named = variant.get("video")
    film = _as_signed(rows, named)
    poster = _as_signed(rows, {"file": named["poster"], "alt": named["alt"]}) if named else None
    if named is None or film is None or poster is None:
        return None
    captions = [found for one in named["captions"] if (found := _as_signed(rows, one))]
    return film | {"poster": poster, "captions": captions}


def _texts(variants: Mapping[str, Any], find: Callable[[str], File], room: _Room) -> Iterator[Text]:
    for language, variant in variants.items():
        image, film = variant["image"], variant["video"]
        yield Text(
            language,
            variant["title"],
            variant["body"],
            variant["links"],
            _picture(image, find) if image else None,
            _film(film, find, room) if film else None,
        )


def _picture(shown: Mapping[str, Any], find: Callable[[str], File]) -> Picture:
    address = find(shown["sha256"]).address
    return Picture(address, shown.get("alt", ""), shown.get("width"), shown.get("height"))


def _film(shown: Mapping[str, Any], find: Callable[[str], File], room: _Room) -> Film:
    captions = [
        Captions(one["label"], one["language"], found.address, _words(found.place, one["size"], room))
        for one in shown["captions"]
        for found in [find(one["sha256"])]
    ]
    poster = _picture(shown["poster"], find)
    return Film(find(shown["sha256"]).address, poster, shown["duration_ms"], shown["size"], captions)


def _words(place: Path, size: int, room: _Room) -> list[Words] | None:
    if not room.take(size):
        return None
    try:
        cues = read_cues(lines_of(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, BadLine):
        return None
    return [Words(cue.start_ms, cue.text) for cue in cues]
