"""What the rows of a company that comes from elsewhere must be together: signed documents, consents, signals, files."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, Model, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.acknowledgements.models import Acknowledgement
from server.acknowledgements.recording import CLOCK_TOLERANCE
from server.archives.archive import Manifest, damaged, is_media
from server.archives.arrival_rules import TOLERANCE
from server.archives.row_lines import wrong_row
from server.archives.rows import rows_of
from server.campaigns.countable import VIDEO
from server.campaigns.models import Campaign, Link, Media
from server.core.clock import now, utc_text
from server.core.errors import EnvironmentFault
from server.directory.models import SMALLEST_GROUP, Company, Group, Notice
from server.reports.models import Block, BlockMember, CohortMember, Suppression
from server.reports.tallies import Counts, counted
from server.signals.keys import person_key
from server.signals.models import CampaignKey, Consent, Signal, SignalName
from server.signals.queries import GIVEN, standing
from server.signing.checking import Keys, payload_of, usable
from server.signing.digests import notice_digest
from server.signing.documents import company_content
from server.signing.signers import REPLACED, USES, read_key_set, signer_in

ROWS_AT_ONCE = 2000
BEGINNINGS: Mapping[str, Callable[[bytes], bool]] = {
    Media.Type.PNG: lambda start: start.startswith(b"\x89PNG\r\n\x1a\n"),
    Media.Type.JPEG: lambda start: start.startswith(b"\xff\xd8\xff"),
    Media.Type.WEBP: lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP",
    Media.Type.MP4: lambda start: start[4:8] == b"ftyp",
    Media.Type.VTT: lambda start: start.startswith((b"WEBVTT", b"\xef\xbb\xbfWEBVTT")),
}


@dataclass(frozen=True)
class Wrong:
    """A row that does not fit: its model, its key, the column, and why."""

    model: type[Model]
    key: object
    column: str
    reason: str


@dataclass(frozen=True)
class SigningKeys:
    """The company's keys, as the archive holds them."""

    campaign: Keys
    receipt: Keys
    """With those of older receipts."""
    own_receipt: str
    """The id of the present one."""

    @classmethod
    def in_folder(cls, folder: Path) -> "SigningKeys":
        """Raises `Refused` for files that hold no such keys."""
        try:
            own = {use: signer_in(folder, use).public_key for use in USES}
            replaced = read_key_set(folder / REPLACED) if (folder / REPLACED).exists() else []
        except EnvironmentFault as error:
            raise damaged(f"keys/{error.message.removeprefix(f'{folder}/')}") from error
        return cls(usable([own["campaign"]]), usable([own["receipt"], *replaced]), own["receipt"]["kid"])


def refuse_what_does_not_fit(company: Company, manifest: Manifest, staged: Path) -> None:
    """Hold all rows of the company against each other, its keys and its files. Raises `Refused` for the first that is wrong.

    `staged`: the folder with its files.
    """
    keys = SigningKeys.in_folder(staged / "keys")
    looks: tuple[Callable[[], Iterator[Wrong]], ...] = (
        lambda: _company(company, keys),
        lambda: _groups(company),
        lambda: _media(company, manifest, staged),
        lambda: _campaigns(company, keys),
        lambda: _consents(company, keys),
        lambda: _notice_versions(company),
        lambda: _signals(company),
        lambda: _suppressions(company),
        lambda: _acknowledgements(company),
    )
    for look in looks:
        for wrong in look():
            raise wrong_row(wrong.model, _number_of(wrong, company.pk), f"{wrong.column}: {wrong.reason}")


def _number_of(wrong: Wrong, company_id: str) -> int:
    """Which line of the archive it was: rows were stored in that order."""
    return max(1, rows_of(wrong.model, company_id).filter(pk__lte=wrong.key).count())


# --- The company and its campaigns -------------------------------------------------------------------------


def _company(company: Company, keys: SigningKeys) -> Iterator[Wrong]:
    if not Notice.objects.filter(company=company).exists():
        yield Wrong(Notice, 0, "version", _("the company has no notice"))
        return
    if company.receipt_key not in ("", keys.own_receipt):
        yield Wrong(Company, company.pk, "receipt_key", _("the receipt key is another one"))
    if not company.document:
        return
    try:
        payload = payload_of(company.document, "tidings-company", keys.campaign)
    except ValueError as error:
        yield Wrong(
            Company,
            company.pk,
            "document",
            _("its keys are not those of its company ({reason})").format(reason=error),
        )
        return
    content, expected = payload["content"], json.loads(json.dumps(company_content(company)))
    # A document of an older version says less.
    wrong = [name for name in content if name not in expected or content[name] != expected[name]]
    if wrong or (payload.get("iss"), payload.get("sub")) != (company.pk, company.pk):
        yield Wrong(
            Company,
            company.pk,
            "document",
            _("it does not say what the row says: {name}").format(name=min(wrong, default="iss")),
        )
    if not _is_number(payload.get("ctr")) or payload["ctr"] > company.counter:
        yield Wrong(Company, company.pk, "counter", _("a document has a higher one"))
    expires = company.document_expires
    if expires is not None and payload.get("exp") != int(expires.timestamp()):
        yield Wrong(Company, company.pk, "document_expires", _("it is not when the document expires"))


def _groups(company: Company) -> Iterator[Wrong]:
    """Names are compared without regard to case, so two that differ in it alone would be one group to whom it is written."""
    seen: set[str] = set()
    for pk, name in Group.objects.filter(company=company).order_by("pk").values_list("pk", "name"):
        if name != name.strip() or name.casefold() in seen:
            yield Wrong(
                Group, pk, "name", _("another group has this name, or it begins or ends with a space")
            )
        seen.add(name.casefold())


def _campaigns(company: Company, keys: SigningKeys) -> Iterator[Wrong]:
    notice, today = company.notice_version(), now()
    for campaign in Campaign.objects.filter(company=company).order_by("pk").iterator(ROWS_AT_ONCE):
        for column, reason in _campaign(campaign, company, notice):
            yield Wrong(Campaign, campaign.pk, column, reason)
        if (
            campaign.ends > today
        ):  # the others are in nobody's feed, and may have been signed with a key that was replaced
            for column, reason in _document(campaign, company.pk, keys.campaign):
                yield Wrong(Campaign, campaign.pk, column, reason)
        if campaign.status == Campaign.Status.LIVE:
            yield from _contents(campaign)


def _campaign(campaign: Campaign, company: Company, notice: int) -> Iterator[tuple[str, str]]:
    if campaign.counter > company.counter:
        yield "counter", _("it is higher than the company’s")
    if campaign.notice_version > notice:
        yield "notice_version", _("there is no such notice")
    has_key = CampaignKey.objects.filter(campaign=campaign).exists()
    if campaign.closed_at is None and not has_key:
        yield "closed_at", _("it is empty, and the campaign has no key")
    if campaign.closed_at is not None and (has_key or campaign.result is None):
        yield "closed_at", _("a closed campaign has a result, and no key")


def _document(campaign: Campaign, company_id: str, keys: Keys) -> Iterator[tuple[str, str]]:
    try:
        payload = payload_of(campaign.document, "tidings-campaign", keys)
    except ValueError as error:
        yield "document", str(error)
        return
    told = {name: payload.get(name) for name in ("iss", "sub", "ctr", "content")}
    expected = {
        "iss": company_id,
        "sub": campaign.campaign_id,
        "ctr": campaign.counter,
        "content": campaign.content,
    }
    for name, value in expected.items():
        if told[name] != value:
            yield "document", _("it does not say what the row says: {name}").format(name=name)


def _contents(campaign: Campaign) -> Iterator[Wrong]:
    """The links and files that a campaign's texts name are those of its rows."""
    variants = campaign.content["variants"].values()
    named = [
        (link["link_id"], link["label"], link["url"]) for variant in variants for link in variant["links"]
    ]
    links = {link.link_id: link for link in Link.objects.filter(campaign=campaign)}
    if links.keys() != {link_id for link_id, _label, _url in named}:
        yield Wrong(Campaign, campaign.pk, "content", _("it has other links than the campaign"))
    for link in links.values():
        if (link.link_id, link.label, link.url) not in named:
            yield Wrong(Link, link.pk, "url", _("it is not in the campaign’s content"))
    files = {sha256 for variant in variants for sha256 in _files_of(variant)}
    if files - set(campaign.media.values_list("sha256", flat=True)):
        yield Wrong(Campaign, campaign.pk, "content", _("it names a file that the campaign does not have"))


def _files_of(part: object) -> Iterator[str]:
    """The hashes that a part of a content names."""
    if isinstance(part, Mapping):
        if isinstance(sha256 := part.get("sha256"), str):
            yield sha256
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _files_of(inner)


def _media(company: Company, manifest: Manifest, staged: Path) -> Iterator[Wrong]:
    sizes = {match[1]: member.size for name, member in manifest.files.items() if (match := is_media(name))}
    for row in Media.objects.filter(company=company).order_by("pk").iterator(ROWS_AT_ONCE):
        size = sizes.pop(row.sha256, None)
        if size is None:
            yield Wrong(Media, row.pk, "sha256", _("its file is not in the archive"))
            continue
        if size != row.size:
            yield Wrong(
                Media,
                row.pk,
                "size",
                ngettext("the file has {size} byte", "the file has {size} bytes", size).format(size=size),
            )
        with (staged / "media" / row.sha256[:2] / row.sha256).open("rb") as file:
            if not BEGINNINGS[row.type](file.read(16)):
                yield Wrong(Media, row.pk, "type", _("the file is of another type"))
    if sizes:
        raise damaged(_("no row tells of media/{sha256}").format(sha256=min(sizes)))
    if company.logo and not Media.objects.filter(company=company, sha256=company.logo["sha256"]).exists():
        yield Wrong(Company, company.pk, "logo", _("its file is not in the archive"))


# --- What people chose -----------------------------------------------------------------------------------------


def _consents(company: Company, keys: SigningKeys) -> Iterator[Wrong]:
    notices = {
        notice.version: notice_digest(notice.text) for notice in Notice.objects.filter(company=company)
    }
    rows = Consent.objects.filter(person__company=company).order_by("pk")
    several = (
        rows.order_by().values("receipt_id").annotate(people=Count("person", distinct=True), last=Max("pk"))
    )
    for pk in several.filter(people__gt=1).order_by("last").values_list("last", flat=True)[:1]:
        yield Wrong(Consent, pk, "receipt_id", _("it is another person’s"))
    for row in rows.iterator(ROWS_AT_ONCE):
        for column, reason in _receipt(row, company.pk, notices, keys.receipt):
            yield Wrong(Consent, row.pk, column, reason)


def _receipt(
    row: Consent, company_id: str, notices: Mapping[int, str], keys: Keys
) -> Iterator[tuple[str, str]]:
    """Whether the company signed that somebody chose what the row says, under the notice that is here."""
    try:
        payload = payload_of(row.receipt, "tidings-receipt", keys)
    except ValueError as error:
        yield "receipt", str(error)
        return
    content = payload["content"]
    said = {
        "receipt_id": str(row.receipt_id),
        "signal": row.signal,
        "status": row.status,
        "notice_version": row.notice_version,
        "time": utc_text(row.time),
        "language": row.language,
        "agent_version": row.agent_version,
    }
    for column, value in said.items():
        if content.get(column) != value:
            yield column, _("the receipt says something else")
    if (payload.get("iss"), payload.get("sub")) != (company_id, str(row.receipt_id)):
        yield "receipt", _("it is another one’s")
    if row.status == GIVEN and row.notice_version not in notices:
        yield "notice_version", _("there is no such notice")
    if content.get("notice_sha256") != notices.get(row.notice_version, ""):
        yield "notice_version", _("that notice had another text when this was chosen")


def _notice_versions(company: Company) -> Iterator[Wrong]:
    """Under an older notice than was in force, a campaign would count people who were asked afresh and did not answer.

    A version was in force from the first consent or campaign under it on.
    """
    first: dict[int, datetime] = {}
    campaigns = Campaign.objects.filter(company=company).order_by()
    given = Consent.objects.filter(person__company=company, status=GIVEN).order_by()
    for rows, column in ((campaigns, "published_at"), (given, "received_at")):
        for version, time in rows.values_list("notice_version").annotate(Min(column)):
            first[version] = min(time, first.get(version, time))
    open_ones = campaigns.filter(closed_at=None).order_by("pk")
    told = open_ones.values_list("pk", "notice_version", "published_at")
    for pk, version, published_at in told.iterator(ROWS_AT_ONCE):
        if any(newer > version and time + TOLERANCE < published_at for newer, time in first.items()):
            yield Wrong(
                Campaign, pk, "notice_version", _("a newer notice was in force when it was published")
            )


def _suppressions(company: Company) -> Iterator[Wrong]:
    """Whom figures leave out is of a cohort and counts as the erased person did: under an older notice, or never."""
    versions = {0, *Notice.objects.filter(company=company).values_list("version", flat=True)}
    rows = Suppression.objects.filter(person__company=company).order_by("pk")
    of_cohorts = rows.annotate(has_cohort=Exists(CohortMember.objects.filter(person=OuterRef("person"))))
    for pk, version, has_cohort in of_cohorts.values_list("pk", "notice_version", "has_cohort").iterator(
        ROWS_AT_ONCE
    ):
        if not has_cohort:
            yield Wrong(Suppression, pk, "person", _("this person is in no cohort"))
        if version not in versions or version >= max(versions):
            yield Wrong(Suppression, pk, "notice_version", _("there is no such older notice"))
    yield from _suppressed_members(company, rows)


def _suppressed_members(company: Company, rows: QuerySet[Suppression]) -> Iterator[Wrong]:
    """Whoever is left out is in no figure of a campaign under a newer notice."""
    suppressed = list(rows.values_list("person_id", "signal", "notice_version").iterator(ROWS_AT_ONCE))
    campaigns = Campaign.objects.filter(company=company, closed_at=None, blocks__live=True).distinct()
    for pk, notice, key in campaigns.order_by("pk").values_list("pk", "notice_version", "key__key"):
        for signal in SignalName.values:
            keys = [
                person_key(bytes(key), who) for who, of, upto in suppressed if of == signal and upto < notice
            ]
            counted_still = BlockMember.objects.filter(
                block__campaign=pk, block__live=True, block__signal=signal, person_key__among=keys
            )
            for member in counted_still.order_by("pk").values_list("pk", flat=True)[:1]:
                yield Wrong(BlockMember, member, "person_key", _("figures leave this person out"))


@dataclass
class _Allowed:
    """What may be stored of a campaign's signals: whose, when, and of which links."""

    first_day: date
    last_day: date
    links: frozenset[str]
    signals: dict[str, frozenset[str]] = field(default_factory=dict)

    def objection(self, key: str, signal: str, day: date, link_id: str) -> tuple[str, str] | None:
        """The column and why, or nothing."""
        if signal not in self.signals.get(key, ()):
            return "person_key", _("nobody agreed to share this")
        if not self.first_day <= day <= self.last_day:
            return "date", _("it is not within the campaign’s time")
        if signal == SignalName.CLICK and link_id not in self.links:
            return "link_id", _("the campaign has no such link")
        return None


def _signals(company: Company) -> Iterator[Wrong]:
    """Signals and figures are of people who agreed to share them: a withdrawal has erased them."""
    sharing, cohorts = _sharing(company), _cohorts(company)
    yield from _campaign_keys(company)
    campaigns = Campaign.objects.filter(company=company).order_by("pk")
    told_of = campaigns.filter(
        Exists(Signal.objects.filter(campaign=OuterRef("pk")))
        | Exists(BlockMember.objects.filter(block__campaign=OuterRef("pk"), block__live=True))
    )
    for campaign in (
        told_of.select_related("key").defer("content", "document", "result").iterator(ROWS_AT_ONCE)
    ):
        if campaign.closed_at is not None:  # which is left over until housekeeping sweeps it
            continue
        allowed = _allowed(campaign, sharing)
        rows = Signal.objects.filter(campaign=campaign).order_by("pk")
        told = rows.values_list("pk", "person_key", "signal", "date", "link_id")
        for pk, key, signal, day, link_id in told.iterator(ROWS_AT_ONCE):
            if objection := allowed.objection(key, signal, day, link_id):
                yield Wrong(Signal, pk, *objection)
        yield from _places(rows.order_by())
        yield from _blocks(campaign)
        members = BlockMember.objects.filter(block__campaign=campaign, block__live=True).order_by("pk")
        for pk, key, signal in members.values_list("pk", "person_key", "block__signal").iterator(
            ROWS_AT_ONCE
        ):
            if signal not in allowed.signals.get(key, ()):
                yield Wrong(BlockMember, pk, "person_key", _("nobody agreed to share this"))
        yield from _counted(campaign, cohorts)


def _places(rows: QuerySet[Signal]) -> Iterator[Wrong]:
    """Of a person and campaign, one row in each place: see ADR 23."""
    by_day = {True: ("person_key", "signal", "link_id", "date"), False: ("person_key", "signal")}
    for is_click, place in by_day.items():
        these = rows.filter(signal=SignalName.CLICK) if is_click else rows.exclude(signal=SignalName.CLICK)
        several = these.values(*place).annotate(times=Count("pk"), last=Max("pk")).filter(times__gt=1)
        for pk in several.order_by("last").values_list("last", flat=True)[:1]:
            yield Wrong(Signal, pk, "person_key", _("another row says the same of this person"))


def _blocks(campaign: Campaign) -> Iterator[Wrong]:
    """Nobody is in two blocks of a signal, and no figure is about a block of few: see ADR 7."""
    few = Block.objects.filter(campaign=campaign, live=True).annotate(here=Count("members"))
    for pk in few.filter(here__lt=SMALLEST_GROUP).order_by("pk").values_list("pk", flat=True)[:1]:
        yield Wrong(Block, pk, "live", _("it has fewer than {minimum} people").format(minimum=SMALLEST_GROUP))
    members = BlockMember.objects.filter(block__campaign=campaign)
    twice = members.values("person_key", "block__signal").annotate(times=Count("pk"), last=Max("pk"))
    for pk in twice.filter(times__gt=1).order_by("last").values_list("last", flat=True)[:1]:
        yield Wrong(BlockMember, pk, "block", _("this person is in another one of it"))


def _campaign_keys(company: Company) -> Iterator[Wrong]:
    """Under the same key one could see who is who in two campaigns."""
    seen: set[bytes] = set()
    for row in CampaignKey.objects.filter(campaign__company=company).order_by("pk").iterator(ROWS_AT_ONCE):
        if bytes(row.key) in seen:
            yield Wrong(CampaignKey, row.pk, "key", _("it is another campaign’s"))
        seen.add(bytes(row.key))


def _counted(campaign: Campaign, cohorts: Mapping[UUID, UUID]) -> Iterator[Wrong]:
    """A block that lives is as it was drawn: of so many people, all of one cohort; and its figures are theirs."""
    blocks = Block.objects.filter(campaign=campaign, live=True).order_by("pk")
    if not blocks.exists():
        return
    key = bytes(campaign.key.key)
    cohort_of = {person_key(key, person): cohort for person, cohort in cohorts.items()}
    where = BlockMember.objects.filter(block__in=blocks).order_by("pk")
    drawn = where.values_list("pk", "person_key", "block__cohort")
    for pk, member, cohort in drawn.iterator(ROWS_AT_ONCE):
        if cohort_of.get(member) != cohort:
            yield Wrong(BlockMember, pk, "block", _("it is of another cohort"))
    counts = {pk: tally.counts for pk, tally in counted(campaign)}
    for block in blocks.iterator(ROWS_AT_ONCE):
        now_there = counts[block.pk]
        if block.size != now_there.size:
            yield Wrong(Block, block.pk, "size", _people_in_it(now_there.size))
        if block.counts is None:
            continue
        if objection := _of_figures(block.counts, block.signal, now_there, campaign):
            yield Wrong(Block, block.pk, "counts", objection)


def _people_in_it(count: int) -> str:
    return ngettext("it has {count} person", "it has {count} people", count).format(count=count)


def _of_figures(counts: Mapping[str, Any], signal: str, now_there: Counts, campaign: Campaign) -> str:
    """What is wrong with figures of a snapshot. Only likes can be fewer today: all else is erased with its block."""
    days, links = counts["days"], counts["links"]
    if counts["size"] != now_there.size:
        return _people_in_it(now_there.size)
    most = now_there.size if signal == SignalName.LIKE else now_there.days.total()
    if sum(days.values()) > most or any(count > now_there.links[link] for link, count in links.items()):
        return _("fewer of its people did this")
    first, last = (time.date().isoformat() for time in (campaign.starts, campaign.ends))
    if not all(first <= day <= last for day in days):
        return _("it is not within the campaign’s time")
    return ""


def _cohorts(company: Company) -> dict[UUID, UUID]:
    """The cohort of each person. One object stands for each: there may be 100,000 people."""
    rows = CohortMember.objects.filter(person__company=company).values_list("person_id", "cohort")
    same: dict[UUID, UUID] = {}
    return {person: same.setdefault(cohort, cohort) for person, cohort in rows.iterator(ROWS_AT_ONCE)}


def _sharing(company: Company) -> dict[UUID, frozenset[str]]:
    """Who agreed to which signals, and did not take it back. One object stands for all who agreed to the same."""
    found: dict[UUID, frozenset[str]] = {}
    same: dict[frozenset[str], frozenset[str]] = {}
    rows = standing(company.pk).values_list("person_id", "signal")
    for person, signal in rows.iterator(ROWS_AT_ONCE):
        signals = found.get(person, frozenset()) | {signal}
        found[person] = same.setdefault(signals, signals)
    return found


def _allowed(campaign: Campaign, sharing: Mapping[UUID, frozenset[str]]) -> _Allowed:
    links = set(campaign.links.values_list("link_id", flat=True))
    if campaign.media.filter(type=Media.Type.MP4).exists():
        links.add(VIDEO)
    allowed = _Allowed(campaign.starts.date(), campaign.ends.date(), frozenset(links))
    key = bytes(campaign.key.key)
    allowed.signals.update((person_key(key, person), signals) for person, signals in sharing.items())
    return allowed


def _acknowledgements(company: Company) -> Iterator[Wrong]:
    rows = Acknowledgement.objects.filter(campaign__company=company).select_related("campaign").order_by("pk")
    for row in rows.defer("campaign__content", "campaign__document").iterator(ROWS_AT_ONCE):
        if not row.campaign.acknowledge:
            yield Wrong(Acknowledgement, row.pk, "campaign", _("this campaign does not ask for it"))
        elif row.time < row.campaign.starts - CLOCK_TOLERANCE:
            yield Wrong(Acknowledgement, row.pk, "time", _("it is before the campaign’s start"))


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
