"""What everybody in the agent talks about. Frozen values; imports nothing of ours from outside this room.

What also travels (``Company``, ``Campaign`` and their parts) has the fields of ``docs/protocol`` and refuses unknown ones.
Times are timezone-aware UTC, sizes are bytes, durations name their unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from unicodedata import category
from urllib.parse import urlsplit

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from agent.domain import person_words, plain_text
from agent.domain.msgspec_warmup import resolve

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
CampaignId = Annotated[str, Meta(pattern="^c-[a-z0-9-]{1,40}$")]
LinkId = Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}$")]
Pixels = Annotated[int, Meta(ge=1, le=16_384)]
Bytes = Annotated[int, Meta(ge=1, le=2**31)]
UtcTime = Annotated[datetime, Meta(tz=True)]

TrialId = Annotated[str, Meta(pattern="^t-[0-9a-f]{16}$")]

VIDEO_LINK_ID: LinkId = "video"
"""The link id of a click that started the campaign's video."""


def is_trial_id(campaign_id: str) -> bool:
    """Whether it is the id of a test that somebody sent to themselves. No campaign's id begins so."""
    return campaign_id.startswith("t-")


class FeedbackSignal(StrEnum):
    """What a person may agree to report back, each by itself."""

    SEEN = "seen"
    CLICK = "click"
    LIKE = "like"


class ConsentState(StrEnum):
    """The state of one person's consent for one signal (docs/privacy.md)."""

    NOT_ASKED = "not_asked"
    GIVEN = "given"
    REFUSED = "refused"
    DEFERRED = "deferred"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ERASED = "erased"


class Urgency(StrEnum):
    """How much a campaign may interrupt, from never (silent) to over every screen (emergency)."""

    SILENT = "silent"
    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class CampaignStatus(StrEnum):
    """Whether the company stands by the campaign."""

    LIVE = "live"
    RECALLED = "recalled"


class Region(StrEnum):
    """Where a company's data is stored: the European Union or the United States."""

    EU = "eu"
    US = "us"


class Image(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A picture of a signed document, found by its digest."""

    sha256: Sha256
    size: Bytes
    type: Annotated[str, Meta(pattern="^image/(png|jpeg|webp)$")]
    width: Pixels
    height: Pixels
    alt: Annotated[str, Meta(max_length=500)] = ""

    def __post_init__(self) -> None:
        if self.alt:
            force_setattr(self, "alt", plain_text.one_line(self.alt))


class Captions(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A WebVTT file."""

    language: Annotated[str, Meta(pattern="^[a-z]{2}(-[A-Za-z0-9]{2,8})?$")]
    label: Annotated[str, Meta(min_length=1, max_length=40)]
    sha256: Sha256
    size: Bytes

    def __post_init__(self) -> None:
        force_setattr(self, "label", plain_text.one_line(self.label))


class Video(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A video of a signed document, found by its digest."""

    sha256: Sha256
    size: Bytes
    type: Annotated[str, Meta(pattern="^video/mp4$")]
    width: Pixels
    height: Pixels
    duration_ms: Annotated[int, Meta(ge=1, le=86_400_000)]
    poster: Image | None = None
    captions: Annotated[tuple[Captions, ...], Meta(max_length=20)] = ()


class Link(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Where a campaign leads, in the order and with the words of its author."""

    link_id: LinkId
    label: Annotated[str, Meta(min_length=1, max_length=40)]
    url: Annotated[str, Meta(min_length=1, max_length=2_000)]

    def __post_init__(self) -> None:
        force_setattr(self, "label", plain_text.one_line(self.label))

    @property
    def destination(self) -> str:
        """The host that it leads to, as people read it.

        A name in other letters is followed by its ASCII form (RFC 3492), since letters of two scripts may look alike.
        """
        try:
            host = urlsplit(self.url).hostname or ""
        except ValueError:
            return self.url
        readable = ".".join(map(_readable_label, host.split(".")))
        return host if readable == host else f"{readable} ({host})"


def _readable_label(label: str) -> str:
    """A label of a host in its own letters, or as it is where these cannot be read or seen."""
    if not label.startswith("xn--"):
        return label
    try:
        letters = label.removeprefix("xn--").encode("ascii").decode("punycode")
        if f"xn--{letters.encode('punycode').decode('ascii')}" != label.lower():
            return label
    except UnicodeError:
        return label
    return letters if not letters.isascii() and all(map(_is_readable, letters)) else label


def _is_readable(letter: str) -> bool:
    return (
        letter == "-" or letter.isdecimal() or (category(letter)[0] in "LM" and plain_text.is_visible(letter))
    )


class Variant(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A campaign in one language. Title and body are plain text."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    body: Annotated[str, Meta(max_length=5_000)] = ""
    links: Annotated[tuple[Link, ...], Meta(max_length=5)] = ()
    image: Image | None = None
    video: Video | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "title", plain_text.one_line(self.title))
        force_setattr(self, "body", plain_text.several_lines(self.body))


class Campaign(Struct, frozen=True, weakref=True):
    """One announcement, verified: its signature, company, expiry and counter were right when it was stored."""

    campaign_id: str
    counter: int
    status: CampaignStatus
    sender: str
    urgency: Urgency
    starts: datetime
    ends: datetime
    default_language: str
    variants: Mapping[str, Variant]
    acknowledge: bool = False
    """The company asks the person to confirm by name that they have read it."""

    def __post_init__(self) -> None:
        if self.sender:
            force_setattr(self, "sender", plain_text.one_line(self.sender))

    @property
    def is_trial(self) -> bool:
        """It is a test that the person sent to their own computers: nobody hears what they do with it (ADR 53)."""
        return is_trial_id(self.campaign_id)

    @property
    def interrupts(self) -> Urgency:
        """Which urgency says what it may interrupt: who sent it to themselves a moment ago waits for it."""
        return Urgency.URGENT if self.is_trial and self.urgency is Urgency.NORMAL else self.urgency

    def variant(self, language: str) -> Variant:
        """The text in a language, else in the campaign's own, else in any. Raises KeyError for a recalled campaign."""
        for code in (language, language.split("-")[0], self.default_language):
            if code in self.variants:
                return self.variants[code]
        if not self.variants:
            raise KeyError(self.campaign_id)
        return next(iter(self.variants.values()))


class Notice(Struct, frozen=True, forbid_unknown_fields=True):
    """The company's information on the processing (GDPR articles 13 and 14), by language."""

    version: Annotated[int, Meta(ge=1)]
    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    text: Annotated[dict[str, str], Meta(min_length=1, max_length=50)]

    def in_language(self, language: str) -> str:
        """The notice in a language, else in English, else in any; empty when there is none."""
        return self.text.get(language) or self.text.get("en") or next(iter(self.text.values()), "")


class Company(Struct, frozen=True):
    """What the company's signed document says of itself, of its notice and of what it asks for."""

    company_id: str
    name: str
    legal_name: str
    region: Region
    dpo_name: str
    dpo_email: str
    accent: str
    link_hosts: tuple[str, ...]
    signals: frozenset[FeedbackSignal]
    notice: Notice
    named_reporting: bool = False
    """Reports name the people who share: the question says so."""
    logo: Image | None = None

    def __post_init__(self) -> None:
        for name in ("name", "legal_name", "dpo_name"):
            if text := getattr(self, name):
                force_setattr(self, name, plain_text.one_line(text))

    def tells_as(self, other: Company) -> bool:
        """Whether both tell the same of who is responsible, what for, and where: a choice for one is one for the other."""
        return self._answers() == other._answers()

    def _answers(self) -> tuple[object, ...]:
        return self.company_id, self.legal_name, self.region, self.named_reporting, self.notice


class Person(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom this computer is connected as. No signature covers it: only ``shown_name`` and ``shown_address`` are shown."""

    email: Annotated[str, Meta(min_length=3, max_length=320)]
    first_name: Annotated[str, Meta(max_length=200)] = ""

    @property
    def shown_name(self) -> str:
        return person_words.first_name(self.first_name)

    @property
    def shown_address(self) -> str:
        return person_words.address(self.email)


class InteractionKind(StrEnum):
    """What happened between a person and a campaign. A time-out is no dismissal, and neither is *seen*."""

    DISPLAYED = "displayed"
    """A pop-up with it appeared. Local only."""
    SEEN = "seen"
    """It was visible for ``limits.SEEN_AFTER``, the screen unlocked."""
    CLICKED = "clicked"
    """A link was opened (``link_id``) or the video was started (``VIDEO_LINK_ID``)."""
    LIKED = "liked"
    UNLIKED = "unliked"
    DISMISSED = "dismissed"
    """The person closed the pop-up. Local only."""
    TIMED_OUT = "timed_out"
    """The pop-up closed itself. Local only; the campaign stays unread."""
    READ = "read"
    """It was opened in the inbox. Local only."""


class Interaction(Struct, frozen=True):
    """What a person did with a campaign, before consent decides whether anybody hears of it."""

    campaign_id: str
    act: InteractionKind
    link_id: str = ""


class CampaignState(Struct, frozen=True, gc=False):
    """What this computer knows about one campaign. Stays here. Limits count what ``popped_up`` without being asked for."""

    received: datetime
    listed: bool = True
    """Named by the server's last feed."""
    displayed: datetime | None = None
    read: bool = False
    liked: bool = False
    remind_at: datetime | None = None
    remind_after_login: str = ""
    """The login in which the person asked to be reminded at the next one, if they did."""
    acknowledged: datetime | None = None
    """When the person confirmed by name that they have read it."""
    popped_up: datetime | None = None
    expires: datetime | None = None
    """When the campaign's document does: it is not shown after that."""


class InboxItem(Struct, frozen=True, gc=False):
    """A campaign with what this computer knows of it."""

    campaign: Campaign
    state: CampaignState


class Event(Struct, frozen=True):
    """One signal on its way to the server: an encoded protocol event and its keys."""

    event_id: str
    campaign_id: str
    signal: FeedbackSignal
    body: bytes


class ConsentMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """What is told to the server about one receipt. ``status`` is ``given`` or ``withdrawn``."""

    receipt_id: str
    signal: FeedbackSignal
    status: str
    notice_version: int
    time: datetime
    language: str


class SignalChoice(Struct, frozen=True):
    """One switch, as the person sees it."""

    signal: FeedbackSignal
    state: ConsentState
    allowed_by_company: bool
    allowed_by_device: bool

    @property
    def on(self) -> bool:
        """Whether this signal is shared: company allows AND device policy allows AND the person gave it."""
        return self.allowed_by_company and self.allowed_by_device and self.state is ConsentState.GIVEN

    @property
    def locked(self) -> bool:
        """Turned off by the organisation, whatever the person chose."""
        return not (self.allowed_by_company and self.allowed_by_device)


class ConnectionState(StrEnum):
    """How things stand with the company's server."""

    NOT_CONNECTED = "not_connected"
    """No company yet, or disconnected."""
    CONNECTING = "connecting"
    """Enrolled; no check has ended since the start."""
    CONNECTED = "connected"
    OFFLINE = "offline"
    """Enrolled; the last check failed."""
    HALTED = "halted"
    """A fault of this computer keeps it from taking anything: ``Status.halted_by``."""
    REVOKED = "revoked"
    """The server refuses this computer: it must be connected again."""


class Trouble(Struct, frozen=True):
    """Something the person or an administrator should know, in the person's language."""

    code: str
    title: str
    message: str


class Status(Struct, frozen=True):
    """The whole state that tray, windows and ``tidings status`` show."""

    connection: ConnectionState
    server_url: str = ""
    company: Company | None = None
    person: Person | None = None
    last_check: datetime | None = None
    paused_until: datetime | None = None
    unread: int = 0
    waiting: int = 0
    """Signals and consent messages not yet answered by the server."""
    owed: int = 0
    """The consent messages among them."""
    choose_now: bool = False
    """The person has not been asked yet (or must be asked again) what to share."""
    troubles: tuple[Trouble, ...] = ()
    halted_by: Trouble | None = None
    """The one for which nothing is taken."""


class Change(StrEnum):
    """What a listener of the runtime is told: something of this kind changed; ask the runtime for the new state."""

    STATUS = "status"
    CAMPAIGNS = "campaigns"
    CONSENT = "consent"
    PREFERENCES = "preferences"


class HoldReason(StrEnum):
    """Why a campaign is not shown now."""

    NOT_STARTED = "not_started"
    EXPIRED = "expired"
    RECALLED = "recalled"
    NOT_LISTED = "not_listed"
    SILENT = "silent"
    ALREADY_DISPLAYED = "already_displayed"
    REMIND_LATER = "remind_later"
    PAUSED = "paused"
    SCREEN_LOCKED = "screen_locked"
    DO_NOT_DISTURB = "do_not_disturb"
    QUIET_HOURS = "quiet_hours"
    TOO_MANY = "too_many"
    TOO_SOON = "too_soon"
    FULL_SCREEN = "full_screen"
    PRESENTING = "presenting"
    AWAY = "away"
    """Nobody has touched keyboard or pointer for a while."""
    MEDIA_MISSING = "media_missing"


class Tristate(StrEnum):
    """Yes, no, or what could not be found out."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class PresenceState(Struct, frozen=True):
    """What the desktop says of the person. Unknown is a state, not a guess."""

    locked: Tristate = Tristate.UNKNOWN
    full_screen: Tristate = Tristate.UNKNOWN
    do_not_disturb: Tristate = Tristate.UNKNOWN
    presenting: Tristate = Tristate.UNKNOWN
    """A presentation or the like: somebody asked the desktop to stay awake and undisturbed."""
    idle: Tristate = Tristate.UNKNOWN
    """Nobody has touched keyboard or pointer for ``limits.IDLE_AFTER_S``."""


class Selection(Struct, frozen=True):
    """What to show now, in order, and for each other campaign why not."""

    show: tuple[InboxItem, ...]
    held: Mapping[str, HoldReason]
    next_check_at: datetime | None = None
    """When the first reason ends by itself that holds one back."""
    digest: tuple[InboxItem, ...] = ()
    """What was missed in an absence: one page for all of them, in place of a burst."""
    until: Mapping[str, datetime] = {}
    """When a reason to hold one back ends, where that is known."""
    quiet_until: datetime | None = None
    """When the quiet hours end that hold now."""


resolve(Campaign, Company, Person)
