"""From a campaign file to a signed campaign in people's feeds, and back out of them."""

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from django.db.models import Exists, Q
from django.utils.translation import gettext as _

from server.campaigns import feed_room
from server.campaigns.audience import Audience, find_audience
from server.campaigns.countable import counted_as
from server.campaigns.manifest import (
    CaptionsEntry,
    ImageEntry,
    Manifest,
    VariantEntry,
    VideoEntry,
    refusal,
)
from server.campaigns.manifest_tables import Mistakes
from server.campaigns.models import Campaign, Link, Media
from server.campaigns.scopes import Scope
from server.core import clock
from server.core.clock import utc_text
from server.directory.models import Company
from server.media.captions import check_captions
from server.media.checks import BadFile, CheckedFile, KeptFile, described
from server.media.images import PICTURES, check_image
from server.media.rows import media_row
from server.media.video import check_video
from server.signals.keys import create_key
from server.signing.documents import sign_campaign

MAX_CONTENT_BYTES = 180 * 1024
"""Of a campaign's content as JSON: base64 makes a third more of it, and agents accept documents up to 256 KiB."""

TRIED_AGAIN = timedelta(hours=1)
"""How long the same file is taken for the same publication."""

_Checked = TypeVar("_Checked")


@dataclass
class CheckedCampaign:
    """A campaign whose file, media and audience have been checked. Nothing is stored yet."""

    company: Company
    manifest: Manifest
    campaign_id: str
    audience: Audience
    content: dict[str, Any]
    media: dict[str, CheckedFile | KeptFile] = field(default_factory=dict)
    reason: str = ""
    """Why it is published, which an emergency must say."""

    @property
    def digest(self) -> str:
        """Of the file and its media, in hex; of an emergency, of its reason too: the drill is not the fire."""
        parts = [self.manifest.digest, *sorted(self.media)]
        if self.manifest.is_emergency:
            parts.append(self.reason)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def full_from(self) -> datetime | None:
        """When somebody would have more than fits into a feed, as `feed_room.full_from` answers it."""
        size = feed_room.room_taken(feed_room.document_bytes(self.content))
        added = feed_room.Entry(self.manifest.starts, self.manifest.ends, size)
        others = Campaign.objects.filter(company=self.company).exclude(campaign_id=self.campaign_id)
        if self.manifest.is_emergency:
            return feed_room.full_from(others, self.audience, added, feed_room.FOR_ALL)
        ordinary = others.exclude(urgency=Campaign.Urgency.EMERGENCY)
        return feed_room.full_from(ordinary, self.audience, added, feed_room.FOR_OTHERS)


def check_campaign(
    company: Company,
    manifest: Manifest,
    scope: Scope,
    reason: str = "",
    kept: Mapping[str, KeptFile] | None = None,
) -> CheckedCampaign:
    """Check the media and the audience of a campaign file. `scope`: of its author. `reason`: see `CheckedCampaign`.

    `kept`: its files by their names, where they were checked before; no other is looked at then.

    Raises `Refused` with all that is wrong with them.
    """
    mistakes = Mistakes()
    media = _MediaOf(mistakes, kept)
    content = {
        "status": Campaign.Status.LIVE.value,
        "sender": manifest.sender,
        "urgency": manifest.urgency,
        "acknowledge": manifest.acknowledge,
        "starts": utc_text(manifest.starts),
        "ends": utc_text(manifest.ends),
        "default_language": manifest.default_language,
        "variants": {language: media.variant(entry) for language, entry in manifest.variants.items()},
    }
    audience = find_audience(company, manifest.audience, scope, mistakes)
    campaign_id = manifest.campaign_id or _new_id(manifest.path.stem)
    checked = CheckedCampaign(company, manifest, campaign_id, audience, content, media.files, reason.strip())
    known = Campaign.objects.filter(company=company)
    # Two questions in one query: of both together no index would be used.
    same, taken = Exists(known.filter(_is_same(checked))), Exists(known.filter(campaign_id=campaign_id))
    is_published, is_taken = Company.objects.filter(pk=company.pk).values_list(same, taken).get()
    if is_taken and not is_published:
        _note_taken(mistakes, campaign_id)
    if len(json.dumps(content, ensure_ascii=False).encode()) > MAX_CONTENT_BYTES:
        mistakes.add(
            "variants", _("the texts are too long together"), _("shorten them, or publish two campaigns")
        )
    if not (mistakes.found or is_published):
        _note_full(mistakes, checked)
    if mistakes.found:
        raise refusal(manifest.path, mistakes)
    return checked


def _note_full(mistakes: Mistakes, checked: CheckedCampaign) -> None:
    """An emergency goes before all others, whose authors `author_warnings` thinks of."""
    moment = None if checked.manifest.is_emergency else checked.full_from()
    if moment is not None:
        mistakes.add(
            "audience",
            _(
                "from {moment} on, somebody in it would have more announcements than a computer takes at once, and some "
                "would be left out"
            ).format(moment=utc_text(moment)),
            _(
                "recall some that are no longer needed, let this one start later or end earlier, shorten it, or choose a "
                "smaller audience"
            ),
        )


def published(checked: CheckedCampaign) -> Campaign | None:
    """The campaign, where this very file was just published: somebody tries again whose answer was lost."""
    same = Campaign.objects.filter(_is_same(checked), company=checked.company)
    return same.order_by("pk").first()


def _is_same(checked: CheckedCampaign) -> Q:
    return Q(
        file_digest=checked.digest,
        published_at__gt=clock.now() - TRIED_AGAIN,
        status=Campaign.Status.LIVE,
    )


def _note_taken(mistakes: Mistakes, campaign_id: str) -> None:
    mistakes.add(
        "id", _("“{value}” is taken").format(value=campaign_id), _("choose another one, or leave it out")
    )


def store(checked: CheckedCampaign) -> tuple[Campaign, bool]:
    """Sign the campaign, and put it into the feeds of its audience. Answers it, and whether it is new.

    Its media are stored already; call it in a transaction.

    The same file published twice within an hour is one campaign, unless it was recalled in between, or is an emergency for
    another reason.

    Raises `EnvironmentFault` when the key cannot be used, and `Refused` when somebody has just published another
    campaign under its id, or so many that this one does not fit into feeds; nothing is published then.
    """
    owner = Company.objects.select_for_update(no_key=True).get(pk=checked.company.pk)
    if before := published(checked):
        return before, False
    manifest = checked.manifest
    mistakes = Mistakes()
    if Campaign.objects.filter(company=owner, campaign_id=checked.campaign_id).exists():
        _note_taken(mistakes, checked.campaign_id)
    if owner.feed_revision != checked.company.feed_revision:  # which takes long, so not while all others wait
        _note_full(mistakes, checked)
    if mistakes.found:
        raise refusal(manifest.path, mistakes)
    document = sign_campaign(owner, checked.campaign_id, checked.content, manifest.ends)
    campaign = Campaign.objects.create(
        company=owner,
        campaign_id=checked.campaign_id,
        sender=manifest.sender,
        urgency=manifest.urgency,
        acknowledge=manifest.acknowledge,
        starts=manifest.starts,
        ends=manifest.ends,
        counter=document.counter,
        content=checked.content,
        document=document.jws,
        to_everyone=checked.audience.everyone,
        minimum=owner.smallest_group,
        notice_version=owner.notice_version(),
        counted=counted_as(checked.content),
        file_digest=checked.digest,
    )
    campaign.audience_groups.set(checked.audience.groups)
    campaign.audience_people.set(checked.audience.people)
    campaign.excluded_groups.set(checked.audience.excluded)
    campaign.media.set(media_row(owner, sha256, file) for sha256, file in checked.media.items())
    Link.objects.bulk_create(
        Link(campaign=campaign, link_id=entry.link_id, label=entry.label, url=entry.url)
        for entry in {entry.link_id: entry for entry in _links_default_language_last(manifest)}.values()
    )
    create_key(campaign)
    owner.feeds_changed()
    return campaign, True


def _links_default_language_last(manifest: Manifest) -> Iterator[Any]:
    ordered = sorted(manifest.variants.items(), key=lambda item: item[0] == manifest.default_language)
    for _language, variant in ordered:
        yield from variant.links


def _new_id(stem: str) -> str:
    """`c-`, the file's name as far as it can be used, and something that no other campaign has."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-")
    return "-".join(part for part in ("c", slug, secrets.token_hex(3)) if part)


@dataclass(frozen=True)
class _Video:
    """`poster`: the one that was taken out of it, where no other is named."""

    file: CheckedFile | KeptFile
    poster: CheckedFile | KeptFile | None


class _MediaOf:
    """Checks the media of a campaign, each file once, and describes them as the protocol does."""

    def __init__(self, mistakes: Mistakes, kept: Mapping[str, KeptFile] | None = None) -> None:
        self.files: dict[str, CheckedFile | KeptFile] = {}
        self._mistakes = mistakes
        self._kept_before = kept
        self._videos: dict[Path, _Video | None] = {}
        self._images: dict[Path, CheckedFile | KeptFile | None] = {}

    def variant(self, entry: VariantEntry) -> dict[str, Any]:
        """The content of one variant."""
        return {
            "title": entry.title,
            "body": entry.body,
            "links": [
                {"link_id": link.link_id, "label": link.label, "url": link.url} for link in entry.links
            ],
            "image": self._image(entry.image) if entry.image else None,
            "video": self._video(entry.video) if entry.video else None,
        }

    def _image(self, entry: ImageEntry) -> dict[str, Any] | None:
        image = self._once(self._images, entry.key, entry.file, self._check_image)
        return self._described(image, entry.alt) if image else None

    def _video(self, entry: VideoEntry) -> dict[str, Any] | None:
        video = self._once(self._videos, entry.key, entry.file, self._check_video)
        poster = self._image(entry.poster) if entry.poster else None
        if video is None:
            return None
        if entry.poster:
            video = _Video(video.file, None)
        elif video.poster is None:
            self._mistakes.add(entry.key, _("it has no poster"), _("add the video again"))
        duration_ms = video.file.duration_ms or 0
        return self._kept(video.file) | {
            "duration_ms": duration_ms,
            "poster": self._described(video.poster, entry.alt) if video.poster else poster,
            "captions": [self._captions(captions, duration_ms) for captions in entry.captions],
        }

    def _captions(self, entry: CaptionsEntry, duration_ms: int) -> dict[str, Any] | None:
        def check(path: Path) -> CheckedFile | KeptFile:
            if self._kept_before is None:
                return check_captions(path, duration_ms)
            kept = self._kept_before.get(str(path))
            if kept is None or kept.type != Media.Type.VTT:
                what = _("“{file}” is no WebVTT file: line 1 does not begin with WEBVTT")
                raise BadFile(what.format(file=path.name), _("export the captions as WebVTT"))
            if (kept.duration_ms or 0) >= duration_ms:
                raise BadFile(
                    _("“{file}” has a caption that begins after the end of the video").format(file=path.name),
                    _("check that it belongs to this video"),
                )
            return kept

        file = self._once({}, entry.key, entry.file, check)
        if file is None:
            return None
        kept = self._kept(file)
        return {"language": entry.language, "label": entry.label} | {
            key: kept[key] for key in ("sha256", "size")
        }

    def _check_image(self, path: Path) -> CheckedFile | KeptFile:
        if self._kept_before is None:
            return check_image(path)
        file = self._kept_before.get(str(path))
        if file is None or file.type not in PICTURES:
            what = _("“{file}” is no PNG, JPEG or WebP picture").format(file=path.name)
            raise BadFile(what, _("save it as one of these"))
        return file

    def _check_video(self, path: Path) -> "_Video":
        if self._kept_before is None:
            checked = check_video(path)
            return _Video(checked.file, checked.poster)
        file = self._kept_before.get(str(path))
        if file is None or file.type != Media.Type.MP4:
            raise BadFile(_("“{file}” is no video").format(file=path.name), _("publish a video"))
        return _Video(file, None)

    def _once(
        self,
        known: dict[Path, _Checked | None],
        key: str,
        path: Path,
        check: Callable[[Path], _Checked],
    ) -> _Checked | None:
        """What the check answers; None after a mistake has been noted."""
        if path not in known:
            try:
                known[path] = check(path)
            except BadFile as bad:
                self._mistakes.add(key, bad.what, bad.what_to_do)
                known[path] = None
        return known[path]

    def _described(self, file: CheckedFile | KeptFile, alt: str) -> dict[str, Any]:
        return self._kept(file) | {"alt": alt}

    def _kept(self, file: CheckedFile | KeptFile) -> dict[str, Any]:
        """Keep a file for publishing, under its hash."""
        told = described(file)
        self.files[told["sha256"]] = file
        return told
