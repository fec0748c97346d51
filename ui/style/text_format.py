"""What several windows say in the same words: signals, regions, times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from unicodedata import bidirectional

from PySide6.QtCore import QDate, QLocale

from agent.domain.model import Campaign, Company, FeedbackSignal, Region, SignalChoice
from resources.i18n import _, language, ngettext

TOMORROW_HOUR = 9
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def is_right_to_left(text: str) -> bool:
    """Whether its first letter with a direction runs from right to left (Unicode Standard Annex 9, rules P2 and P3)."""
    isolates = 0
    for kind in map(bidirectional, text):
        if kind in ("LRI", "RLI", "FSI"):
            isolates += 1
        elif kind == "PDI":
            isolates = max(isolates - 1, 0)
        elif kind in ("L", "R", "AL") and not isolates:
            return kind != "L"
    return False


def isolated(text: str) -> str:
    """The text so that it keeps its own direction within a line of ours, and leaves that of the line alone."""
    if any(bidirectional(character) in ("R", "AL", "AN") for character in text):
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"
    return text


def joined(*parts: str) -> str:
    """Parts of a line, such as a sender and a time, each in its own direction; empty ones are left out."""
    return " · ".join(isolated(part) for part in parts if part)


def sender_of(campaign: Campaign) -> str:
    """From whom, marked where it is a test that the person sent to themselves."""
    return joined(_("Test"), campaign.sender) if campaign.is_trial else campaign.sender


def titled(title: str, *, is_trial: bool) -> str:
    """A title for a window or a screen reader, marked where it is a test."""
    return _("Test: {title}").format(title=title) if is_trial else title


def sharing_of(campaign: Campaign, share_line: str) -> str:
    """What is shared of a campaign: of a test nothing, whatever is shared of others."""
    return _("A test: nothing is reported") if campaign.is_trial else share_line


def short_share_line(choices: Iterable[SignalChoice]) -> str:
    """What is shared, without what is not."""
    return share_line(choice for choice in choices if choice.on)


def share_line(choices: Iterable[SignalChoice]) -> str:
    """What is shared and what is not, in one line."""
    names = {
        FeedbackSignal.SEEN: _("seen"),
        FeedbackSignal.CLICK: _("clicks"),
        FeedbackSignal.LIKE: _("likes"),
    }
    choices = tuple(choices)
    shared = ", ".join(names[choice.signal] for choice in choices if choice.on)
    not_shared = ", ".join(names[choice.signal] for choice in choices if not choice.on)
    if not shared:
        return _("Nothing is shared")
    if not not_shared:
        return _("Shared: {names}").format(names=shared)
    return _("Shared: {shared} · Not shared: {not_shared}").format(shared=shared, not_shared=not_shared)


def signal_name(signal: FeedbackSignal) -> str:
    """The heading of a signal's switch."""
    return {
        FeedbackSignal.SEEN: _("Seen"),
        FeedbackSignal.CLICK: _("Clicks"),
        FeedbackSignal.LIKE: _("Likes"),
    }[signal]


def signal_description(signal: FeedbackSignal) -> str:
    """What exactly is shared with it, in a short sentence."""
    return {
        FeedbackSignal.SEEN: _("A pop-up was on your screen. The date only."),
        FeedbackSignal.CLICK: _("Which button you pressed, or that you started a video."),
        FeedbackSignal.LIKE: _("The heart on a video."),
    }[signal]


def who_sees(company: Company) -> str:
    """Whether reports name a person (docs/privacy.md, "On the server")."""
    if company.named_reporting:
        return _("{company} sees your name with what you share.").format(company=company.name)
    return _(
        "Reports count groups of five people or more and name nobody. Nobody at {company} can look up your choice."
    ).format(company=company.name)


def region_name(region: Region) -> str:
    """Where the data is stored, to follow "stored in"."""
    return _("the European Union") if region is Region.EU else _("the United States")


def duration_text(milliseconds: int) -> str:
    """A length such as 1:24 or 1:02:03."""
    seconds = round(milliseconds / 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def video_badge(duration_ms: int, has_captions: bool) -> str:
    """A video's length, and CC when it has captions."""
    return f"{duration_text(duration_ms)} · CC" if has_captions else duration_text(duration_ms)


def received_text(received: datetime, now: datetime) -> str:
    """How long ago, for a pop-up: "now", "5 min ago", else the time or day."""
    minutes = int((now - received).total_seconds() // 60)
    if minutes < 1:
        return _("now")
    if minutes < 60:
        return ngettext("{count} min ago", "{count} min ago", minutes).format(count=minutes)
    return list_time(received, now)


def list_time(moment: datetime, now: datetime) -> str:
    """A short time for a list: 09:12 today, Fri this week, 12 Nov this year, else with the year. In the local time zone."""
    local, today = moment.astimezone(), now.astimezone().date()
    days = (today - local.date()).days
    if days == 0:
        return local.strftime("%H:%M")
    if 0 < days < 7:
        return _locale().toString(_date(local), "ddd").rstrip(".")
    return _locale().toString(_date(local), "d MMM" if local.year == today.year else "d MMM yyyy")


def full_time(moment: datetime) -> str:
    """23 Nov 2026, 09:12, in the local time zone."""
    local = moment.astimezone()
    return f"{_locale().toString(_date(local), 'd MMM yyyy')}, {local:%H:%M}"


def day(moment: datetime) -> str:
    """30 Nov, in the local time zone."""
    return _locale().toString(_date(moment.astimezone()), "d MMM")


def full_day(moment: datetime) -> str:
    """30 Nov 2025, in the local time zone."""
    return _locale().toString(_date(moment.astimezone()), "d MMM yyyy")


def decimal(number: float) -> str:
    """A number with one decimal: 1.2, or 1,2 in French."""
    return _locale().toString(number, "f", 1)


def count_text(count: int) -> str:
    """10,000 or 10 000."""
    return _locale().toString(count)


def notice_day(iso_date: str) -> str:
    """2 Nov 2026, from 2026-11-02."""
    return _locale().toString(QDate.fromString(iso_date, "yyyy-MM-dd"), "d MMM yyyy")


def seconds_until_tomorrow(now: datetime) -> float:
    """From now until tomorrow morning, in the local time zone."""
    local = now.astimezone()
    morning = (local + timedelta(days=1)).replace(
        hour=TOMORROW_HOUR, minute=0, second=0, microsecond=0, tzinfo=None
    )
    return (morning.astimezone() - local).total_seconds()


def _locale() -> QLocale:
    return QLocale(language())


def _date(moment: datetime) -> QDate:
    return QDate(moment.year, moment.month, moment.day)
