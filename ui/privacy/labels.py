"""What the privacy window says of one's own data, in the person's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.domain.model import FeedbackSignal
from agent.domain.my_data_models import ACKNOWLEDGEMENT, SentItem, SentStatus
from resources.i18n import _, ngettext, pgettext
from ui.style import text_format

SUMMARY_DAYS = 30
EXACT_BYTES = 10_000
"""Sizes up to here are said to the byte."""
NOTHING = "—"


def explanation(signal: FeedbackSignal) -> str:
    """What is shared with a signal, and what never is."""
    return {
        FeedbackSignal.SEEN: _(
            "That a pop-up was on your screen for at least 3 seconds. The date, never the time."
        ),
        FeedbackSignal.CLICK: _(
            "Which button of a pop-up you pressed, or that you started a video. Never the pages you visit after it."
        ),
        FeedbackSignal.LIKE: _(
            "The heart on a video, and taking it back. Off: your hearts stay on this computer."
        ),
    }[signal]


def kind_text(item: SentItem) -> str:
    """What a message was, such as “Seen” or “Clicks turned off”."""
    return _kind(item.kind, item.signal)


def event_text(kind: str) -> str:
    """What an event was, by the kind of its message."""
    return _kind(kind, "")


def kind_texts() -> list[str]:
    """Every text that ``kind_text`` may give, for the width of a column."""
    kinds = [_kind(signal.value, signal.value) for signal in FeedbackSignal]
    kinds += [_kind(status, signal.value) for status in ("given", "withdrawn") for signal in FeedbackSignal]
    return [*kinds, *(_kind(kind, "") for kind in ("correction", "enrolment", "key", ACKNOWLEDGEMENT))]


def _kind(kind: str, signal: str) -> str:
    names = {
        "seen": _("Seen"),
        "click": _("Click"),
        "like": pgettext("what was sent", "Like"),
        "correction": _("Details corrected"),
        "enrolment": _("Computer connected"),
        "key": _("Key replaced"),
        ACKNOWLEDGEMENT: _("Confirmed as read"),
    }
    if kind in names:
        return names[kind]
    return turned(kind, FeedbackSignal(signal))


def turned(status: str, signal: FeedbackSignal) -> str:
    """A consent that was given, or one that was withdrawn."""
    on = {
        FeedbackSignal.SEEN: _("Seen turned on"),
        FeedbackSignal.CLICK: _("Clicks turned on"),
        FeedbackSignal.LIKE: _("Likes turned on"),
    }
    off = {
        FeedbackSignal.SEEN: _("Seen turned off"),
        FeedbackSignal.CLICK: _("Clicks turned off"),
        FeedbackSignal.LIKE: _("Likes turned off"),
    }
    return (on if status == "given" else off)[signal]


def status_text(item: SentItem) -> str:
    """What became of a message, in a word or two."""
    if item.status is SentStatus.ERASED:
        return _("erased {count}").format(count=item.erased)
    return _status_names()[item.status]


def status_texts() -> list[str]:
    """Every text that ``status_text`` may give, for the width of a column."""
    return [*_status_names().values(), _("erased {count}").format(count=9_999)]


def _status_names() -> dict[SentStatus, str]:
    return {
        SentStatus.WAITING: _("waiting"),
        SentStatus.STORED: _("stored"),
        SentStatus.DELETED: _("deleted"),
        SentStatus.DROPPED: _("not kept"),
        SentStatus.REFUSED: _("refused"),
    }


def status_explanation(item: SentItem) -> str:
    """The same in a sentence."""
    return {
        SentStatus.WAITING: _("It waits on this computer until your company's server has answered."),
        SentStatus.STORED: _("Your company's server has stored it."),
        SentStatus.ERASED: ngettext(
            "Your company's server has deleted {count} entry.",
            "Your company's server has deleted {count} entries.",
            item.erased,
        ).format(count=item.erased),
        SentStatus.DELETED: _("It was stored, and deleted when you turned this off."),
        SentStatus.DROPPED: _("The server kept nothing of it: this was turned off."),
        SentStatus.REFUSED: _("The server refused it and kept nothing of it."),
    }[item.status]


def when_text(moment: datetime | None, now: datetime) -> str:
    """Today 09:12, Yesterday, 20 Nov; a dash for what has not left yet. In the local time zone."""
    if moment is None:
        return NOTHING
    local, today = moment.astimezone(), now.astimezone().date()
    if local.date() == today:
        return _("Today {time}").format(time=f"{local:%H:%M}")
    if local.date() == today - timedelta(days=1):
        return _("Yesterday")
    return text_format.day(moment) if local.year == today.year else text_format.full_day(moment)


def when_texts() -> list[str]:
    """Samples of the longest that ``when_text`` gives."""
    return [_("Today {time}").format(time="00:00"), _("Yesterday")]


def size_text(count: int) -> str:
    """164 B, 1.2 kB."""
    if count < 1_000:
        return _("{count} B").format(count=count)
    return _("{count} kB").format(count=text_format.decimal(count / 1_000))


def spoken(item: SentItem, now: datetime) -> str:
    """A row, for a screen reader."""
    when = when_text(item.sent_at, now) if item.sent_at else _("not sent yet")
    parts = (kind_text(item), item.title, when, size_text(len(item.body)), status_text(item))
    return ", ".join(part for part in parts if part)


def summary(items: Sequence[SentItem], now: datetime) -> str:
    """5 messages · 780 bytes in 30 days."""
    since = now - timedelta(days=SUMMARY_DAYS)
    sizes = [len(item.body) for item in items if item.sent_at is None or item.sent_at >= since]
    messages = ngettext("{count} message", "{count} messages", len(sizes)).format(count=len(sizes))
    total = sum(sizes)
    exact = ngettext("{count} byte", "{count} bytes", total).format(count=total)
    size = exact if total < EXACT_BYTES else size_text(total)
    return _("{messages} · {size} in {days} days").format(messages=messages, size=size, days=SUMMARY_DAYS)


def readable(content: bytes) -> str:
    r"""Bytes as text; those that are none as ``\xNN``."""
    return content.decode("utf-8", "backslashreplace")


def field_name(field: str) -> str:
    """What the directory calls a field."""
    return {
        "email": _("E-mail address"),
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "title": _("Job title"),
        "work_landline": _("Work phone"),
        "work_cell": _("Work mobile"),
        "site_addresses": _("Sites"),
    }[field]
