"""What a draft says, and the campaign file that says the same: there is one form of a campaign, and it is the file's.

`fields` has the file's keys (docs/campaign-format.md) but for `id` and `audience`; times are in UTC, as in the protocol.
"""

import copy
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

import tomli_w
from django.utils.translation import gettext as _

from server.campaigns.manifest import mistakes_of, parsed
from server.campaigns.manifest_tables import Mistake
from server.campaigns.models import Campaign
from server.core.clock import utc_text
from server.core.errors import Refused
from server.directory.models import Company, Group
from server.drafts.models import Draft, DraftFile

Fields = dict[str, Any]

TIMES = ("starts", "ends")


def new_fields(language: str) -> Fields:
    """Nothing yet, in one language."""
    return {
        "sender": "",
        "urgency": Campaign.Urgency.NORMAL.value,
        "acknowledge": False,
        "starts": "",
        "ends": "",
        "default_language": language,
        "variants": {language: new_variant()},
    }


def new_variant() -> Fields:
    """A language in which nothing is written yet."""
    return {"title": "", "body": "", "links": []}


def is_blank(fields: Fields) -> bool:
    """Whether nobody has written anything."""
    keys = ("title", "body", "links", "image", "video")
    return not any(variant.get(key) for variant in fields["variants"].values() for key in keys)


def names_in(fields: Fields) -> Iterator[str]:
    """The names of the files that a draft names."""
    for _place, table, key in places_of_files(fields):
        yield table[key]


def places_of_files(fields: Fields) -> Iterator[tuple[str, Fields, str]]:
    """Where a draft names files: the place in the campaign file, the table, and the key in it."""
    for language, variant in fields["variants"].items():
        before = f"variants.{language}"
        if "image" in variant:
            yield f"{before}.image.file", variant["image"], "file"
        if video := variant.get("video"):
            yield f"{before}.video.file", video, "file"
            if "poster" in video:
                yield f"{before}.video.poster", video, "poster"
            for number, captions in enumerate(video.get("captions", []), 1):
                yield f"{before}.video.captions[{number}].file", captions, "file"


def files_named(draft: Draft) -> list[DraftFile]:
    """The files that the draft names, by name."""
    names = set(names_in(draft.fields))
    return (
        sorted((row for row in draft.files.all() if row.name in names), key=attrgetter("name"))
        if names
        else []
    )


def title_of_draft(draft: Draft) -> str:
    """In its first language that has one; empty where none has."""
    variants = draft.fields["variants"]
    return variants[draft.fields["default_language"]]["title"] or next(
        (variant["title"] for variant in variants.values() if variant["title"]), ""
    )


def campaign_file(draft: Draft) -> bytes:
    """The draft as a campaign file, in TOML: the same bytes as long as nothing is changed."""
    return as_toml(campaign_id(draft), draft.fields, _audience(draft))


def as_toml(identity: str, fields: Fields, audience: Fields) -> bytes:
    """A campaign file that says this; what says nothing is left out."""
    written = {key: value for key, value in fields.items() if value not in ("", False)}
    values: Fields = {"id": identity} | written
    values |= {key: _moment(values[key]) for key in TIMES if key in values}
    values["audience"] = audience
    values["variants"] = {
        language: {key: _said(value) for key, value in variant.items() if value}
        for language, variant in fields["variants"].items()
    }
    return tomli_w.dumps(values, multiline_strings=True).encode()


def _said(value: Any) -> Any:
    """Of a video, what says something."""
    is_video = isinstance(value, dict) and "poster" in value
    return {key: inner for key, inner in value.items() if inner} if is_video else value


def campaign_id(draft: Draft) -> str:
    """The id that the campaign will have: made of its title, and its own whatever the title is."""
    variants = draft.fields["variants"]
    title = variants.get(draft.fields["default_language"], {}).get("title", "")
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:30].strip("-")
    return "-".join(part for part in ("c", slug, draft.draft_id[:6]) if part)


def fields_of_file(
    company: Company, content: bytes, names: Collection[str], now: datetime
) -> tuple[Fields, Mapping[str, Any]]:
    """What a campaign file says, and its audience. Times that are over are left out, as of last month's file.

    `names`: of the files that came along. Raises `Refused` with all mistakes of the file.
    """
    values = parsed("campaign.toml", content)
    ends = values.get("ends")
    if isinstance(ends, datetime) and ends.tzinfo is not None and ends <= now:
        values = {key: value for key, value in values.items() if key not in TIMES}
    mistakes = mistakes_of(values, now, company.link_hosts, names)
    if mistakes:
        raise Refused(_("The file cannot be taken"), "\n".join(str(mistake) for mistake in mistakes))
    fields = new_fields(values["default_language"])
    fields |= {key: values[key] for key in ("sender", "urgency", "acknowledge") if key in values}
    fields |= {key: utc_text(values[key]) for key in TIMES if key in values}
    fields["variants"] = {
        language: new_variant()
        | {key: variant[key] for key in ("title", "body") if key in variant}
        | {"links": _links(variant.get("links", []))}
        | {key: copy.deepcopy(variant[key]) for key in ("image", "video") if key in variant}
        for language, variant in values["variants"].items()
    }
    return fields, values["audience"]


def fields_of_campaign(campaign: Campaign) -> Fields:
    """What a campaign says, for another one like it: without its times. Its files are called by their digests.

    Raises `Refused` when its texts are gone.
    """
    content = campaign.content
    if not content.get("variants"):
        raise Refused(
            _("Its texts were taken back"),
            _("There is nothing left to begin with. Write a new announcement."),
        )
    fields = new_fields(content["default_language"])
    fields |= {key: content[key] for key in ("sender", "urgency", "acknowledge")}
    fields["variants"] = {
        language: {
            "title": variant["title"],
            "body": variant["body"],
            "links": [
                {"id": link["link_id"], "label": link["label"], "url": link["url"]}
                for link in variant["links"]
            ],
        }
        | _media_of(variant)
        for language, variant in content["variants"].items()
    }
    return copy.deepcopy(fields)


def texts_of_campaign(campaign: Campaign) -> Fields:
    """The same without what it shows besides: the texts of every language. Raises as above."""
    fields = fields_of_campaign(campaign)
    fields["variants"] = {
        language: {key: variant[key] for key in new_variant()}
        for language, variant in fields["variants"].items()
    }
    return fields


def mistakes_in(draft: Draft, now: datetime) -> list[Mistake]:
    """What has to be mended before the draft can be published."""
    values = tomllib.loads(campaign_file(draft).decode())
    names = {file.name for file in files_named(draft)}
    found = {mistake.key: mistake for mistake in _not_written(draft)}
    for mistake in mistakes_of(values, now, draft.company.link_hosts, names):
        found.setdefault(mistake.key, mistake)
    return list(found.values())


def _not_written(draft: Draft) -> Iterator[Mistake]:
    """What nobody has filled in yet. A file's mistake would tell how files are written."""
    if not any(value for key, value in _audience(draft).items() if key != "except_groups"):
        yield Mistake("audience", _("nobody would get it"), _("choose everybody, or add groups or people"))
    places = {"sender": draft.fields["sender"]} | {
        f"variants.{language}.title": variant["title"]
        for language, variant in draft.fields["variants"].items()
    }
    for key, text in places.items():
        if not text:
            yield Mistake(key, _("nothing is written there"), _("write it"))
    for language, variant in draft.fields["variants"].items():
        if "image" in variant and not variant["image"]["alt"]:
            yield Mistake(
                f"variants.{language}.image.alt",
                _("nothing is written there"),
                _("say what the picture shows, for those who do not see it"),
            )


def _media_of(variant: Fields) -> Fields:
    """The picture and the video of a signed variant, as a campaign file names them."""
    found: Fields = {}
    if image := variant["image"]:
        found["image"] = {"file": image["sha256"], "alt": image["alt"]}
    if video := variant["video"]:
        found["video"] = {
            "file": video["sha256"],
            "poster": video["poster"]["sha256"],
            "alt": video["poster"]["alt"],
            "captions": [
                {"language": one["language"], "label": one["label"], "file": one["sha256"]}
                for one in video["captions"]
            ],
        }
    return found


def _links(links: list[Fields]) -> list[Fields]:
    return [
        {"id": link.get("id", f"l{n}"), "label": link["label"], "url": link["url"]}
        for n, link in enumerate(links, 1)
    ]


def excluded_of(draft: Draft) -> list[Group]:
    """The groups that it leaves out, by name; of a draft as it was asked for by its address, most often without a query."""
    if not getattr(draft, "has_excluded", True):
        return []
    return sorted(draft.excluded_groups.all(), key=attrgetter("name"))


def _audience(draft: Draft) -> Fields:
    besides: Fields = {}
    if excluded := excluded_of(draft):
        besides = {"except_groups": [group.name for group in excluded]}
    if draft.to_everyone:
        return {"everyone": True} | besides
    groups = sorted(group.name for group in draft.audience_groups.all())
    people = sorted(person.email for person in draft.audience_people.all())
    named = (("groups", groups), ("people", people))
    return {key: value for key, value in named if value} | besides


def _moment(text: str) -> datetime | str:
    """The time; the text itself where it is none, which the file's check then says."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
