"""A campaign as a communicator writes it, in TOML. `docs/campaign-format.md` describes the format."""

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from server.campaigns.countable import VIDEO
from server.campaigns.manifest_links import MAX_URL_CHARACTERS, checked_address
from server.campaigns.manifest_tables import Mistake, Mistakes, Table
from server.campaigns.models import Campaign
from server.core.errors import Refused

MAX_FILE_BYTES = 512 * 1024
MOST_KEY_PARTS = 16
"""Of a key with dots. Ours have five at most; to parse one takes time in the square of them."""
_NO_KEY = re.compile(
    r'''"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|'{3}.*?(?:'{3,5}|\Z)|"(?:\\.|[^"\\\n])*+"?|'[^'\n]*+'?|\#[^\n]*+''',
    re.DOTALL,
)
"""Strings, up to the end where they have none, and remarks: where dots are only text."""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MOST_KEY_PARTS}}}")
DEFAULT_SPAN = timedelta(days=14)
MAX_SPAN = timedelta(days=366)
MAX_VARIANTS = 20
MAX_LINKS = 5
MAX_CAPTIONS = 20
MAX_ALT_CHARACTERS = 500
MAX_GROUPS, MAX_PEOPLE = 200, 5_000

_LANGUAGE = r"[a-z]{2}(-[A-Za-z0-9]{2,8})?"


@dataclass(frozen=True)
class LinkEntry:
    """A link of a variant."""

    link_id: str
    label: str
    url: str


@dataclass(frozen=True)
class ImageEntry:
    """A picture of a variant. `key` is the place in the file to name in a message."""

    key: str
    file: Path
    alt: str


@dataclass(frozen=True)
class CaptionsEntry:
    """Captions of a video in one language."""

    key: str
    file: Path
    language: str
    label: str


@dataclass(frozen=True)
class VideoEntry:
    """The video of a variant."""

    key: str
    file: Path
    alt: str
    poster: ImageEntry | None
    captions: tuple[CaptionsEntry, ...]


@dataclass(frozen=True)
class VariantEntry:
    """The campaign in one language."""

    title: str
    body: str
    links: tuple[LinkEntry, ...]
    image: ImageEntry | None
    video: VideoEntry | None


@dataclass(frozen=True)
class AudienceEntry:
    """Whom the campaign is for, as it is written."""

    everyone: bool
    groups: tuple[str, ...]
    people: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    """Groups whose people do not get it, whatever else names them."""


@dataclass(frozen=True)
class Manifest:
    """A campaign file. Its form is right; media and audience have yet to be looked at. `digest`: of its bytes, in hex."""

    path: Path
    digest: str
    campaign_id: str
    sender: str
    urgency: str
    acknowledge: bool
    starts: datetime
    ends: datetime
    default_language: str
    audience: AudienceEntry
    variants: dict[str, VariantEntry] = field(default_factory=dict)

    @property
    def is_emergency(self) -> bool:
        """Whether the campaign would pass everything and cover every screen."""
        return self.urgency == Campaign.Urgency.EMERGENCY


def refusal(path: Path, mistakes: Mistakes) -> Refused:
    """The exception that lists all mistakes of a campaign file."""
    listed = "\n".join(str(mistake) for mistake in mistakes.found)
    return Refused(_("{file} cannot be published").format(file=path.name), listed)


def read_manifest(
    path: Path, now: datetime, link_hosts: Sequence[str], media_folder: Path | None = None
) -> Manifest:
    """Read and check a campaign file. Media are looked for in `media_folder`, else next to the file.

    Raises `Refused` with all mistakes of the file.
    """
    return _checked(path, _content(path), now, link_hosts, media_folder or path.parent)


def content_and_files(manifest: Manifest, media_folder: Path | None = None) -> tuple[bytes, dict[str, Path]]:
    """The bytes of a campaign file that was read, and the files beside it by the names that it says.

    Raises `Refused` when it cannot be read any more.
    """
    folder = media_folder or manifest.path.parent
    found: list[Path] = []
    for variant in manifest.variants.values():
        if variant.image is not None:
            found.append(variant.image.file)
        if (video := variant.video) is not None:
            found += [video.file, *(one.file for one in video.captions)]
            found += [] if video.poster is None else [video.poster.file]
    return _content(manifest.path), {path.relative_to(folder).as_posix(): path for path in found}


def check_manifest(
    content: bytes, now: datetime, link_hosts: Sequence[str], names: Collection[str] | None = None
) -> Manifest:
    """Check a campaign file that came over the network. `names`: of the files that came along, None where none can.

    Raises `Refused` as above.
    """
    return _checked(Path("campaign.toml"), content, now, link_hosts, names)


def _checked(
    path: Path,
    content: bytes,
    now: datetime,
    link_hosts: Sequence[str],
    media: Path | Collection[str] | None,
) -> Manifest:
    mistakes = Mistakes()
    root = Table(parsed(path.name, content), "", mistakes)
    digest = hashlib.sha256(content).hexdigest()
    manifest = _read(path, digest, root, now, _Reader(media, link_hosts))
    if mistakes.found:
        raise refusal(path, mistakes)
    return manifest


def mistakes_of(
    values: dict[str, object],
    now: datetime,
    link_hosts: Sequence[str],
    names: Collection[str] | None = None,
) -> list[Mistake]:
    """What is wrong with the values of a campaign file. `names`: as of `check_manifest`."""
    mistakes = Mistakes()
    _read(Path("campaign"), "", Table(values, "", mistakes), now, _Reader(names, link_hosts))
    return mistakes.found


def _read(path: Path, digest: str, root: Table, now: datetime, reader: "_Reader") -> Manifest:
    starts, ends = _times(root, now)
    manifest = Manifest(
        path=path,
        digest=digest,
        campaign_id=root.matching(
            "id", r"c-[a-z0-9-]{1,40}", _("write “c-” and up to 40 of: a-z, 0-9, hyphen"), default=""
        ),
        sender=_sender(root),
        urgency=root.choice("urgency", Campaign.Urgency.values, Campaign.Urgency.NORMAL),
        acknowledge=root.flag("acknowledge"),
        starts=starts,
        ends=ends,
        default_language=root.matching("default_language", _LANGUAGE, _("write it as “en” or “fr-CA”")),
        audience=_audience(root),
        variants=reader.variants(root),
    )
    if manifest.variants and manifest.default_language not in manifest.variants:
        root.refuse(
            "default_language",
            _("there is no variant in this language"),
            _("add [variants.{language}], or name one of: {languages}").format(
                language=manifest.default_language, languages=", ".join(manifest.variants)
            ),
        )
    root.finish()
    return manifest


def _sender(root: Table) -> str:
    """Who speaks: never the program that shows it, which asks what to share in windows of its own."""
    sender = root.text("sender", 80)
    if re.search(r"\btidings\b", unicodedata.normalize("NFKC", sender).casefold()):
        root.refuse(
            "sender",
            _("people would take it for a message of Tidings itself"),
            _("say who speaks in your company"),
        )
    return sender


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Refused(
            _("{file} cannot be published").format(file=path.name),
            _("It cannot be read: {reason}").format(reason=error.strerror),
        ) from error


def parsed(name: str, content: bytes) -> dict[str, Any]:
    """The tables of a campaign file, unchecked. `name`: what messages call it. Raises `Refused`."""
    title = _("{file} cannot be published").format(file=name)
    if len(content) > MAX_FILE_BYTES:
        raise Refused(
            title, _("It is too large for a campaign file. Videos and pictures are files of their own.")
        )
    try:
        text = content.decode("utf-8")
        if long_key := _LONG_KEY.search(_NO_KEY.sub("_", text)):
            raise Refused(
                title,
                _("A key of it has more than {most} parts: {key}…").format(
                    most=MOST_KEY_PARTS, key=long_key[0][:40]
                ),
            )
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise Refused(title, _("It is not in UTF-8. Save it with that encoding.")) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # of numbers without end, and of tables within tables without end
        raise Refused(title, _("It is no valid TOML: {reason}.").format(reason=error)) from error


def _times(root: Table, now: datetime) -> tuple[datetime, datetime]:
    present = now.replace(microsecond=0)
    starts = root.moment("starts") or present
    ends = root.moment("ends") or max(starts, present) + DEFAULT_SPAN
    if ends <= starts:
        root.refuse("ends", _("it is not after the start"), _("choose a later time"))
    elif ends <= present:
        root.refuse("ends", _("it lies in the past"), _("choose a later time"))
    elif ends - starts > MAX_SPAN:
        root.refuse("ends", _("a campaign runs for a year at most"), _("choose an earlier time"))
    return starts, ends


def _audience(root: Table) -> AudienceEntry:
    table = root.table("audience")
    if table is None:
        root.refuse(
            "audience", _("nobody would get it"), _("add [audience] with groups, people or everyone = true")
        )
        return AudienceEntry(False, (), ())
    audience = AudienceEntry(
        everyone=table.flag("everyone"),
        groups=tuple(table.texts("groups", MAX_GROUPS)),
        people=tuple(table.texts("people", MAX_PEOPLE)),
        excluded=tuple(table.texts("except_groups", MAX_GROUPS)),
    )
    named = bool(audience.groups or audience.people)
    if audience.everyone and named:
        table.refuse(
            "everyone", _("everyone is named together with groups or people"), _("keep one of the two")
        )
    elif not audience.everyone and not named:
        table.refuse("", _("nobody would get it"), _("name groups or people, or write everyone = true"))
    in_both = {name.casefold() for name in audience.groups} & {name.casefold() for name in audience.excluded}
    for name in audience.excluded:
        if name.casefold() in in_both:
            what = _("“{value}” is also among the groups that get it").format(value=name)
            table.refuse("except_groups", what, _("keep one of the two"))
    table.finish()
    return audience


class _Reader:
    def __init__(self, media: Path | Collection[str] | None, link_hosts: Sequence[str]) -> None:
        self._media = media
        self._link_hosts = link_hosts

    def variants(self, root: Table) -> dict[str, VariantEntry]:
        table = root.table("variants")
        if table is None:
            root.refuse("variants", _("it is missing"), _("add [variants.en] with a title"))
            return {}
        found = {language: self._variant(table, language, entry) for language, entry in table.named_tables()}
        if not 0 < len(found) <= MAX_VARIANTS:
            root.refuse(
                "variants", _("there must be 1 to {most}").format(most=MAX_VARIANTS), _("add or remove some")
            )
        return found

    def _variant(self, variants: Table, language: str, table: Table) -> VariantEntry:
        if not re.fullmatch(_LANGUAGE, language):
            variants.refuse(language, _("this is no language code"), _("write it as “en” or “fr-CA”"))
        title = table.text("title", 200)
        image, video = table.table("image"), table.table("video")
        variant = VariantEntry(
            title=title,
            body=table.text("body", 5_000, default="", several_lines=True),
            links=self._links(table),
            image=self._image(image) if image is not None else None,
            video=self._video(video, title) if video is not None else None,
        )
        table.finish()
        return variant

    def _links(self, variant: Table) -> tuple[LinkEntry, ...]:
        links: list[LinkEntry] = []
        for number, table in enumerate(variant.tables("links", MAX_LINKS), start=1):
            url = table.text("url", MAX_URL_CHARACTERS)
            if url:
                url = checked_address(url, self._link_hosts, partial(table.refuse, "url"))
            link = LinkEntry(
                link_id=table.matching(
                    "id", r"[a-z0-9-]{1,40}", _("write up to 40 of: a-z, 0-9, hyphen"), default=f"l{number}"
                ),
                label=table.text("label", 40),
                url=url,
            )
            if link.link_id == VIDEO or link.link_id in {other.link_id for other in links}:
                table.refuse(
                    "id", _("“{value}” is taken").format(value=link.link_id), _("choose another one")
                )
            table.finish()
            links.append(link)
        return tuple(links)

    def _image(self, table: Table) -> ImageEntry:
        image = ImageEntry(
            table.name_of("file"), self._file(table, "file"), table.text("alt", MAX_ALT_CHARACTERS)
        )
        table.finish()
        return image

    def _video(self, table: Table, title: str) -> VideoEntry:
        alt = table.text("alt", MAX_ALT_CHARACTERS, default=title)
        poster = (
            ImageEntry(table.name_of("poster"), self._file(table, "poster"), alt)
            if table.has("poster")
            else None
        )
        video = VideoEntry(
            key=table.name_of("file"),
            file=self._file(table, "file"),
            alt=alt,
            poster=poster,
            captions=self._captions(table),
        )
        table.finish()
        return video

    def _captions(self, video: Table) -> tuple[CaptionsEntry, ...]:
        captions: list[CaptionsEntry] = []
        for table in video.tables("captions", MAX_CAPTIONS):
            entry = CaptionsEntry(
                key=table.name_of("file"),
                file=self._file(table, "file"),
                language=table.matching("language", _LANGUAGE, _("write it as “en” or “fr-CA”")),
                label=table.text("label", 40),
            )
            if entry.language in {other.language for other in captions}:
                table.refuse("language", _("this language is there twice"), _("keep one of the two"))
            table.finish()
            captions.append(entry)
        return tuple(captions)

    def _file(self, table: Table, key: str) -> Path:
        name = table.text(key, 200)
        if self._media is None:
            table.refuse(key, _("no file came along"), _("publish it with: tidings-server campaign publish"))
            return Path(name)
        if not isinstance(self._media, Path):
            if name and name not in self._media:
                table.refuse(
                    key,
                    _("there is no file “{file}”").format(file=name),
                    _("send it along, in one ZIP file with the campaign file"),
                )
            return Path(name)
        path = self._media / name
        if name and not path.is_file():
            table.refuse(
                key,
                _("there is no file “{file}”").format(file=name),
                _("put it into {folder}, or correct the name").format(folder=path.parent),
            )
        return path
