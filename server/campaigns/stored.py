"""Whether a stored campaign could have been published: the rules of campaign files, for rows that come from elsewhere."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from server.campaigns.countable import counted_as
from server.campaigns.manifest import MAX_ALT_CHARACTERS, MAX_CAPTIONS, mistakes_of
from server.campaigns.manifest_links import checked_address
from server.campaigns.manifest_tables import Mistakes, Table
from server.campaigns.models import Campaign, Link
from server.core.clock import utc_text
from server.core.schemas import CAMPAIGN_ID, Language, LinkId, Sha256
from server.directory.models import SMALLEST_GROUP

Fault = tuple[str, str]
"""A column, and what is wrong with it."""

MOST_BYTES = 4 * 1024**3
LARGEST_MINIMUM = 1000
CONTENT = frozenset(
    ["status", "sender", "urgency", "acknowledge", "starts", "ends", "default_language", "variants"]
)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    sha256: Sha256
    size: Annotated[int, Field(ge=1, le=MOST_BYTES)]


class _Picture(_File):
    type: Literal["image/png", "image/jpeg", "image/webp"]
    width: Annotated[int, Field(ge=1, le=100_000)] | None = None
    height: Annotated[int, Field(ge=1, le=100_000)] | None = None
    alt: Annotated[str, Field(max_length=MAX_ALT_CHARACTERS)] = ""


class _Captions(_File):
    language: Annotated[str, Field(min_length=2, max_length=11)]
    label: Annotated[str, Field(min_length=1, max_length=40)]


class _Video(_File):
    type: Literal["video/mp4"]
    width: Annotated[int, Field(ge=1, le=100_000)]
    height: Annotated[int, Field(ge=1, le=100_000)]
    duration_ms: Annotated[int, Field(ge=1, le=2**31 - 1)]
    poster: _Picture
    captions: Annotated[list[_Captions], Field(max_length=MAX_CAPTIONS)]


class _Variant(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: str
    body: str
    links: list[dict[str, str]]
    image: _Picture | None
    video: _Video | None


_Variants = TypeAdapter(dict[str, _Variant])
_Counted = TypeAdapter(dict[LinkId, LinkId])
_Picture_ = TypeAdapter(_Picture)
_Language = TypeAdapter(Language)


def logo_fault(logo: object) -> Fault | None:
    """What is wrong with the description of a company's logo."""
    return _fault("logo", _Picture_, logo) if logo is not None else None


def link_faults(link: Link) -> Iterator[Fault]:
    """What is wrong with a link. Agents hold its host against those that the company allows today."""
    mistakes = Mistakes()
    table = Table({"link_id": link.link_id, "label": link.label}, "", mistakes)
    table.matching("link_id", r"[a-z0-9-]{1,40}", _("write up to 40 of: a-z, 0-9, hyphen"))
    table.text("label", 40)
    checked_address(link.url, _hosts([link.url]), lambda what, todo: mistakes.add("url", what, todo))
    for mistake in mistakes.found:
        yield mistake.key, mistake.what


def campaign_faults(campaign: Campaign) -> Iterator[Fault]:
    """What is wrong with the columns of a campaign."""
    if not re.fullmatch(CAMPAIGN_ID, campaign.campaign_id):
        yield "campaign_id", _("it will not do")
    if not SMALLEST_GROUP <= campaign.minimum <= LARGEST_MINIMUM:
        yield (
            "minimum",
            _("it is not between {least} and {most}").format(least=SMALLEST_GROUP, most=LARGEST_MINIMUM),
        )
    content: Mapping[str, Any] = campaign.content
    if not isinstance(content, dict):
        yield "content", _("it is of another type")
        return
    if unknown := content.keys() - CONTENT:
        yield "content", _("it says more than campaigns do: {name}").format(name=min(unknown))
    same = {
        "status": campaign.status,
        "sender": campaign.sender,
        "starts": utc_text(campaign.starts),
        "ends": utc_text(campaign.ends),
        "urgency": campaign.urgency,
    }
    for column, value in same.items():
        if content.get(column) != value:
            yield column, _("it is not what the content says")
    if campaign.status == Campaign.Status.RECALLED:
        yield from _recalled_faults(campaign)
    else:
        yield from _live_faults(campaign)


def _recalled_faults(campaign: Campaign) -> Iterator[Fault]:
    if campaign.content.get("variants") != {} or campaign.sender:
        yield "content", _("a recalled campaign has no texts")
    if campaign.content.get("acknowledge", False) is not False:
        yield "content", _("a recalled campaign asks for nothing")
    if fault := _fault("content", _Language, campaign.content.get("default_language")):
        yield fault
    if fault := _fault("counted", _Counted, campaign.counted):
        yield fault


def _live_faults(campaign: Campaign) -> Iterator[Fault]:
    content = campaign.content
    if content.get("acknowledge", False) != campaign.acknowledge:
        yield "acknowledge", _("it is not what the content says")
    if fault := _fault("content", _Variants, content.get("variants")):
        yield fault
        return
    variants = content["variants"].items()
    texts = {
        language: {
            "title": one["title"],
            "body": one["body"],
            "links": [_written(link) for link in one["links"]],
        }
        for language, one in variants
    }
    addresses = [link["url"] for one in texts.values() for link in one["links"] if "url" in link]
    file = {
        "sender": campaign.sender,
        "urgency": campaign.urgency,
        "acknowledge": campaign.acknowledge,
        "starts": campaign.starts,
        "ends": campaign.ends,
        "default_language": content.get("default_language"),
        "audience": {"everyone": True},
        "variants": texts,
    }
    for mistake in mistakes_of(file, campaign.starts, _hosts(addresses)):
        yield "content", f"{mistake.key}: {mistake.what}"
        return
    if campaign.counted != counted_as(content):
        yield "counted", _("it is not what the content says")


def _written(link: Mapping[str, str]) -> dict[str, str]:
    """As a campaign file writes it."""
    return {("id" if name == "link_id" else name): value for name, value in link.items()}


def _hosts(addresses: list[str]) -> list[str]:
    """The hosts that the addresses name: whether the company allows them now, agents ask."""
    found = []
    for address in addresses:
        try:
            found.append(urlsplit(address).hostname or "")
        except ValueError:  # which is told as what it is
            continue
    return found


def _fault(column: str, rule: "TypeAdapter[Any]", value: object) -> Fault | None:
    try:
        rule.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        return column, f"{'.'.join(map(str, first['loc']))} {first['msg']}".strip()
    return None
