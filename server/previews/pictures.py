"""What people will see of a campaign, as PNG."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.core.cache import caches

from server.directory.models import Company
from server.media.files import path_of
from server.previews import renderer

MOST_AT_ONCE = 12
"""Pictures, as `tidings-render` takes them."""
KEPT = "previews"
"""The cache of pictures that were drawn. It is in memory: nothing stays of what is deleted or recalled later."""


@dataclass(frozen=True)
class Look:
    """One picture: `window` is one of `windows_of`, `language` the reader's, `text_scale` 100 to 200 percent."""

    window: str
    language: str
    scheme: str = "light"
    text_scale: int = 100


def windows_of(content: Mapping[str, Any], language: str) -> tuple[str, ...]:
    """The windows in which somebody with this language may meet the campaign, the first one first.

    `content` is as it is signed.
    """
    first = {"emergency": ("emergency",), "silent": ()}.get(content["urgency"], ("popup",))
    variants = content["variants"]
    codes = (language, language.split("-")[0], content["default_language"])
    variant: Mapping[str, Any] = next((variants[code] for code in codes if code in variants), {})
    return (*first, "inbox", *(("player",) if variant.get("video") else ()))


def pictures(
    company: Company,
    content: Mapping[str, Any],
    media: Mapping[str, Path],
    looks: Sequence[Look],
    *,
    limits: renderer.Limits = renderer.LIMITS,
) -> list[bytes]:
    """One PNG for each look, at most `MOST_AT_ONCE`; what was drawn before is not drawn again.

    `content` is as it is signed, `media` the files that it names, by their digest.

    Raises `Unavailable`.
    """
    request = _request(company, content, media)
    keys = [_key(request, look) for look in looks]
    kept = caches[KEPT].get_many(keys)
    if len(kept) < len(set(keys)):
        with renderer.turn(limits):
            kept |= caches[KEPT].get_many(keys)  # somebody else may have had the turn before
            missing = {key: look for key, look in zip(keys, looks, strict=True) if key not in kept}
            if missing:
                asked = {**request, "pictures": [asdict(look) for look in missing.values()]}
                drawn = renderer.draw(json.dumps(asked).encode(), len(missing), limits)
                kept |= zip(missing, drawn, strict=True)
                caches[KEPT].set_many(dict(kept))
    return [kept[key] for key in keys]


def _request(company: Company, content: Mapping[str, Any], media: Mapping[str, Path]) -> dict[str, Any]:
    logo = company.logo and company.logo | {"alt": company.name}
    files = dict(media)
    if logo:
        files[logo["sha256"]] = path_of(company.id, logo["sha256"])
    named = {*_digests(content), *_digests(logo)}
    return {
        "v": 1,
        "company": {"name": company.name, "accent": company.accent, "logo": logo or None},
        "campaign": content,
        "media": {
            sha256: {"path": str(path)}
            for sha256, path in sorted(files.items())
            if sha256 in named and path.is_file()
        },
    }


def _digests(value: object) -> Iterator[str]:
    """Of all media that a content names."""
    if isinstance(value, Mapping):
        if isinstance(value.get("sha256"), str):
            yield value["sha256"]
        for each in value.values():
            yield from _digests(each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _digests(each)


def _key(request: Mapping[str, Any], look: Look) -> str:
    """Of all that goes in; where files lie says nothing."""
    parts = {
        **request,
        "media": sorted(request["media"]),
        "pictures": [asdict(look)],
        "program": renderer.program(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
