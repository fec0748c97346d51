"""Consent, pure: the states, their transitions, and the one definition of *allowed* (docs/privacy.md).

GDPR article 4(11) and 7: freely given, specific, informed, by a clear act, and as easy to withdraw as to give.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from agent.domain import limits
from agent.domain.model import ConsentMessage, ConsentState, FeedbackSignal, SignalChoice

FIRST_TIME, LAST_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
"""The protocol has no others. The first is that of a consent of which nothing is known: any withdrawal ends it. The last is
that of such a withdrawal: the server takes it for made when it arrives."""


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """One person's consent for one signal, as it stands on this computer.

    ``announced``: the server has acknowledged the receipt. ``owed``: a withdrawal that the server has not acknowledged;
    it is sent before anything else of this signal. ``receipt_id`` of what is withdrawn: a withdrawal that is owed after that
    one. ``company``: the id of the one for whom this was chosen; empty in records from before it was kept.
    """

    signal: FeedbackSignal
    state: ConsentState = ConsentState.NOT_ASKED
    receipt_id: str = ""
    notice_version: int = 0
    time: datetime | None = None
    language: str = ""
    announced: bool = False
    owed: ConsentMessage | None = None
    company: str = ""


def allowed(
    consent: Consent,
    *,
    company: Collection[FeedbackSignal],
    device: Collection[FeedbackSignal],
    notice_version: int,
) -> bool:
    """Whether this signal may be made and sent. The only definition; asked when an event is made and when it is sent."""
    return (
        consent.state is ConsentState.GIVEN
        and bool(consent.receipt_id)
        and consent.notice_version == notice_version
        and consent.signal in company
        and consent.signal in device
    )


def choice(
    consent: Consent, *, company: Collection[FeedbackSignal], device: Collection[FeedbackSignal]
) -> SignalChoice:
    """What the switch of a signal shows: the person's state, and whether company and computer leave the choice open."""
    return SignalChoice(consent.signal, consent.state, consent.signal in company, consent.signal in device)


def give(
    consent: Consent,
    *,
    receipt_id: str,
    notice_version: int,
    now: datetime,
    language: str,
    anew: bool = False,
) -> Consent:
    """A new deliberate act. Giving what is given for the same notice changes nothing, unless ``anew``.

    ``anew``: it is not known when it was given, and the server was not told yet: this act says when.

    A withdrawal that is still owed came before it: the server goes by their times. Of two the newer one is owed.
    """
    if consent.state is ConsentState.GIVEN and consent.notice_version == notice_version:
        if consent.announced or not anew:
            return consent
        consent = replace(consent, receipt_id="")
    owed = _owed_next(consent) or consent.owed
    return Consent(
        signal=consent.signal,
        state=ConsentState.GIVEN,
        receipt_id=receipt_id,
        notice_version=notice_version,
        time=_whole_seconds(now if owed is None or owed.time == LAST_TIME else max(now, owed.time)),
        language=language,
        owed=owed or _withdrawal(consent, now),
    )


def dated(message: ConsentMessage, time: datetime) -> ConsentMessage:
    """With another time, within what the protocol has."""
    return replace(message, time=_whole_seconds(min(max(time, FIRST_TIME), LAST_TIME)))


def refuse(consent: Consent, *, notice_version: int, now: datetime, language: str) -> Consent:
    """Withdraw what was given, refuse what was not. Nothing is sent for a refusal.

    A withdrawal ends all receipts of its signal that were given before it, so the newest is owed; an older one, which is too
    early for that, is owed before it: it alone ends for sure what it names, if that was cut off and reaches the server late.
    """
    was_given = bool(consent.receipt_id)
    refused = Consent(
        signal=consent.signal,
        state=ConsentState.WITHDRAWN
        if was_given or consent.state is ConsentState.WITHDRAWN
        else ConsentState.REFUSED,
        notice_version=notice_version,
        time=_whole_seconds(now),
        language=language,
        owed=consent.owed,
    )
    return _owing(refused, _withdrawal(consent, now))


def _owing(consent: Consent, withdrawal: ConsentMessage | None) -> Consent:
    """With a withdrawal that is owed now, or next where another one is owed."""
    if withdrawal is None:
        return consent
    if consent.owed is None or consent.owed.receipt_id == withdrawal.receipt_id:
        return replace(consent, owed=withdrawal)
    return replace(consent, receipt_id=withdrawal.receipt_id)


def _owed_next(consent: Consent) -> ConsentMessage | None:
    if consent.state is not ConsentState.WITHDRAWN or consent.time is None:
        return None
    return _withdrawal(consent, consent.time)


def withdraw_everywhere(
    consent: Consent, *, receipt_id: str, notice_version: int, now: datetime, language: str
) -> Consent:
    """Withdraw for every computer of the person, also what was never given on this one.

    The server erases the person's rows of a signal at any withdrawal of it, so a receipt of its own will do.
    """
    withdrawn = refuse(consent, notice_version=notice_version, now=now, language=language)
    withdrawn = replace(withdrawn, state=ConsentState.WITHDRAWN)
    if consent.receipt_id:
        return withdrawn
    everywhere = ConsentMessage(
        receipt_id, consent.signal, "withdrawn", notice_version, _whole_seconds(now), language
    )
    return _owing(withdrawn, everywhere)


def ended_elsewhere(consent: Consent, *, receipt_id: str, now: datetime) -> Consent:
    """The server no longer knows this receipt as given: it was withdrawn on another computer. Nothing is owed for it."""
    if consent.receipt_id != receipt_id:
        return consent
    return replace(
        consent,
        state=ConsentState.WITHDRAWN,
        receipt_id="",
        time=_whole_seconds(now),
        announced=False,
    )


def distrust(consent: Consent) -> Consent:
    """Where this is recorded cannot be written: a withdrawal may be missing there. What was given must be given anew."""
    if consent.state is ConsentState.GIVEN:
        return replace(consent, state=ConsentState.EXPIRED)
    return consent


def without_record(kept: Consent, noted: Consent) -> Consent:
    """What a note says, which may have been made by somebody who could not read what was given: that is withdrawn then."""
    if noted.state is ConsentState.NOT_ASKED and noted.time is not None and kept.receipt_id:
        return replace(
            refuse(
                replace(kept, owed=None),
                notice_version=kept.notice_version,
                now=LAST_TIME,
                language=noted.language or kept.language,
            ),
            time=noted.time,
            company=kept.company,
        )
    return noted


def for_company(consent: Consent, company_id: str) -> Consent:
    """What was chosen for another company is nothing to this one: it is asked afresh, and hears of no withdrawal."""
    if consent.company == company_id:
        return consent
    if consent.company:
        return Consent(consent.signal)
    return replace(consent, company=company_id) if consent.receipt_id or consent.owed else consent


def written_elsewhere(here: Consent, record: Consent) -> Consent:
    """Another process wrote the record while this one ran: what is off there is off here, and nothing is turned on by it.

    A withdrawal that was owed here is told, perhaps for the second time, which does no harm.
    """
    if record.state is not ConsentState.GIVEN:
        return replace(record, owed=record.owed or here.owed)
    if here.state is ConsentState.GIVEN and here.receipt_id == record.receipt_id:
        return record
    return distrust(here)


def defer(consent: Consent, *, notice_version: int, now: datetime) -> Consent:
    """The question was closed without an answer: off, as before."""
    if consent.state is ConsentState.GIVEN:
        return consent
    if consent.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN):
        return consent
    return replace(
        consent, state=ConsentState.DEFERRED, notice_version=notice_version, time=_whole_seconds(now)
    )


def expire(consent: Consent, *, notice_version: int) -> Consent:
    """The notice has another version: what was given for the old one no longer counts."""
    if consent.state is ConsentState.GIVEN and consent.notice_version != notice_version:
        return replace(consent, state=ConsentState.EXPIRED)
    return consent


def announce(consent: Consent, message: ConsentMessage, told: datetime) -> Consent:
    """The server acknowledged a message, told with this time: it is no longer owed."""
    if consent.owed == message:
        following = _owed_next(consent)
        return replace(consent, owed=following, receipt_id="" if following else consent.receipt_id)
    if consent.receipt_id == message.receipt_id and message.status == "given" and not consent.announced:
        return replace(consent, announced=True, time=_whole_seconds(told))
    return consent


def next_message(consent: Consent) -> ConsentMessage | None:
    """What must be sent next about this consent: a withdrawal owed first, then a consent not yet announced."""
    if consent.owed is not None:
        return consent.owed
    return None if consent.announced else given_message(consent)


def given_message(consent: Consent) -> ConsentMessage | None:
    """How it is told, or told again, that this consent was given; None where it is not in force."""
    if consent.state is not ConsentState.GIVEN or consent.time is None:
        return None
    return ConsentMessage(
        consent.receipt_id,
        consent.signal,
        "given",
        consent.notice_version,
        consent.time,
        consent.language,
    )


def must_ask(consents: Collection[Consent], *, notice_version: int, now: datetime) -> bool:
    """Whether the first-run question is due: never asked, expired, or put off a while ago.

    A refusal is not asked about again.
    """
    return any(_ask_about(consent, notice_version, now) for consent in consents)


def _ask_about(consent: Consent, notice_version: int, now: datetime) -> bool:
    if consent.state in (ConsentState.NOT_ASKED, ConsentState.EXPIRED):
        return True
    if consent.state is ConsentState.DEFERRED:
        wait = timedelta(days=limits.ASK_AGAIN_AFTER_DEFERRAL_DAYS)
        return consent.time is None or now >= consent.time + wait
    return False


def _withdrawal(consent: Consent, now: datetime) -> ConsentMessage | None:
    if not consent.receipt_id:
        return None
    return ConsentMessage(
        consent.receipt_id,
        consent.signal,
        "withdrawn",
        consent.notice_version,
        _whole_seconds(now),
        consent.language,
    )


def _whole_seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
