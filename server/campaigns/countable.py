"""Which links and videos of a campaign are counted, and under which name.

Few people may get the variant in their language. A figure about a link that is in that variant only is about these few.
So each figure is about something that is in every variant (docs/adr/0007-blocks.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VIDEO = "video"
"""The id under which a click on the video is sent. No link has it."""


EMPTY = {"sharing": None, "people": None, "low": None, "high": None}


@dataclass(frozen=True)
class Uncounted:
    """A link, or the video, that has no figure, and the languages of the variants that have it."""

    link_id: str
    languages: tuple[str, ...]


def counted_as(content: Mapping[str, Any]) -> dict[str, str]:
    """By the id of each link, and of the video, that is counted: the id of the figure in which it is counted.

    What is in every variant has a figure of its own. The other links are counted together by their place among the other
    links of their variants; a link that has several places joins them. What is left has no figure.
    `content`: of a campaign that is not recalled, as `Campaign.content` has it.
    """
    own_ids = ids(content)
    everywhere = set.intersection(*map(set, own_ids.values())) if own_ids else set()
    others = [
        [link_id for link_id in own if link_id not in everywhere and link_id != VIDEO]
        for own in own_ids.values()
    ]
    places = [set(place) for place in zip(*others, strict=False)]
    first = own_ids.get(str(content.get("default_language")), [])
    counted = {link_id: link_id for link_id in everywhere}
    for together in _joined(places):
        name = next((link_id for link_id in first if link_id in together), min(together))
        counted |= dict.fromkeys(together, name)
    return dict(sorted(counted.items()))


def uncounted(content: Mapping[str, Any]) -> list[Uncounted]:
    """The links that have no figure, and the video if it has none."""
    counted, languages = counted_as(content), dict[str, list[str]]()
    for language, own in ids(content).items():
        for link_id in own:
            languages.setdefault(link_id, []).append(language)
    return [
        Uncounted(link_id, tuple(found)) for link_id, found in languages.items() if link_id not in counted
    ]


def has_links(content: Mapping[str, Any]) -> bool:
    """Whether a variant has a link. The video is on the company's own server."""
    return any(variant.get("links") for variant in _variants(content).values())


def ids(content: Mapping[str, Any]) -> dict[str, list[str]]:
    """What can be clicked in each variant, in its order; the video is the last."""
    return {
        language: [str(link["link_id"]) for link in variant.get("links") or ()]
        + [VIDEO] * bool(variant.get("video"))
        for language, variant in _variants(content).items()
    }


def _variants(content: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    variants: Mapping[str, Mapping[str, Any]] = content.get("variants") or {}
    return variants


def _joined(sets: Sequence[set[str]]) -> list[set[str]]:
    """The sets, with those put together that share something."""
    joined: list[set[str]] = []
    for one in sets:
        touching = [other for other in joined if other & one]
        joined = [other for other in joined if not other & one]
        joined.append(one.union(*touching))
    return joined


def hide_uncounted(campaign: Any) -> None:
    """Take figures that an older version kept of what is not counted out of a closed campaign's `result`.

    Of a recalled campaign nobody knows which links were in which variant.
    """
    links = campaign.result["links"]
    everything = campaign.content.get("variants") and not uncounted(campaign.content)
    as_they_were = everything and all(link == figure for link, figure in campaign.counted.items())
    if links and not as_they_were:
        campaign.result["links"] = [_hidden(link, "not-in-every-variant") for link in links]
        _hide_signal(campaign.result, "click", "not-in-every-variant")
    if campaign.acknowledge:
        _hide_signal(campaign.result, "seen", "confirmed-by-name")


def _hide_signal(result: dict[str, Any], signal: str, why: str) -> None:
    for part in (result, *result["groups"]):
        part["figures"] = [
            _hidden(figure, why) if figure["name"] == signal else figure for figure in part["figures"]
        ]
    for day in result["days"]:
        day["people"][signal] = None


def _hidden(figure: dict[str, Any], why: str) -> dict[str, Any]:
    return figure | EMPTY | {"why": why}
