"""Shows pop-ups as the desktop's own notifications, where our card cannot stand where it should: Wayland without XWayland.

The server of the notifications decides whether, where and how long one can be seen, and tells nobody. So a campaign that
was shown this way counts as displayed and never as *seen*; the person's own acts count as everywhere.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from agent.domain import limits
from agent.domain.model import Urgency
from agent.domain.msgspec_warmup import decode_json
from agent.system import subprocesses
from resources import i18n
from resources.i18n import _, ngettext
from ui.core.timers import Call, Timers
from ui.desktop.notification_messages import Notification, Outcome, Report, Weight
from ui.popup.dwell import time_out_ms
from ui.popup.ports import CardContent, DigestContent, PopupEvents
from ui.style import text_format

log = logging.getLogger(__name__)

OPEN, LATER, CLOSE = "default", "later", "close"
LONGEST_BODY = 400
"""Characters. Servers show a few lines; all of it is in the inbox."""
END_TIMEOUT_S = 2.0
_LATER_S = float(limits.REMIND_CHOICES_S[-1])
_WEIGHTS = {Urgency.URGENT: Weight.CRITICAL, Urgency.EMERGENCY: Weight.CRITICAL}

Command = Callable[[], Sequence[str]]


class NotificationHost:
    """One pop-up as notifications, from its first page to its end. All methods are called on the main thread.

    Args:
        events: hears what the person does.
        timers: for the time-out, which servers may ignore.
        post: calls something on the main thread; may be called on any.
        open_inbox: with a campaign's id, at the person's wish.
        show_quietly: what stands in where nobody shows notifications: the inbox, without taking the keyboard.
        command: the helper process.
    """

    def __init__(
        self,
        events: PopupEvents,
        timers: Timers,
        post: Callable[[Callable[[], None]], None],
        *,
        open_inbox: Callable[[str], None],
        show_quietly: Callable[[], None],
        command: Command = lambda: subprocesses.command("helper", "notification"),
    ) -> None:
        self._events = events
        self._timers = timers
        self._post = post
        self._open_inbox = open_inbox
        self._show_quietly = show_quietly
        self._command = command
        self._shown = ""
        self._time_out: Call | None = None
        self._helper: Helper | None = None

    def show(self, content: CardContent | DigestContent) -> None:
        shown, urgency = _what(content)
        if shown == self._shown:
            return
        self._stop_time_out()
        self._shown = shown
        duration_ms = time_out_ms(urgency)
        if duration_ms is not None:
            self._time_out = self._timers.after(duration_ms, self._events.expired)
        try:
            self._tell(notification_of(content, datetime.now(UTC)))
        except OSError as error:
            log.error("The notification helper did not start: %s", error)
            self._post(lambda: self._heard(Report(Outcome.UNAVAILABLE)))

    def look(self) -> None:
        """Only its server knows."""

    def close(self) -> None:
        self._stop_time_out()
        self._shown = ""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.close()

    def _tell(self, notification: Notification) -> None:
        """Raises OSError."""
        if self._helper is None or not self._helper.tell(notification):
            self._helper = Helper(self._command(), lambda report: self._post(lambda: self._heard(report)))
            self._helper.tell(notification)

    def _stop_time_out(self) -> None:
        if self._time_out is not None:
            self._time_out.cancel()
            self._time_out = None

    def _heard(self, report: Report) -> None:
        if not self._shown:
            return
        log.info("Notification: %s %s", report.outcome, report.detail)
        if report.outcome is Outcome.ACTION:
            self._act(report)
        elif report.outcome is Outcome.DISMISSED:
            self._events.dismiss()
        elif report.outcome is Outcome.EXPIRED:
            self._events.expired()
        elif report.outcome is Outcome.UNAVAILABLE:
            self._show_quietly()
            self._events.expired()

    def _act(self, report: Report) -> None:
        if report.detail == OPEN:
            if report.token:
                # Qt hands it to the compositor with the next window that asks for the keyboard.
                os.environ["XDG_ACTIVATION_TOKEN"] = report.token
            campaign_id = self._events.shown
            self._events.dismiss()
            self._open_inbox(campaign_id)
        elif report.detail == LATER:
            self._events.later(_LATER_S)
        elif report.detail == CLOSE:
            self._events.dismiss()


def _what(content: CardContent | DigestContent) -> tuple[str, Urgency]:
    if isinstance(content, DigestContent):
        return " ".join(item.campaign.campaign_id for item in content.items), Urgency.NORMAL
    return content.item.campaign.campaign_id, content.item.campaign.urgency


def notification_of(content: CardContent | DigestContent, now: datetime) -> Notification:
    """A campaign, or what a digest names, in the person's language, as plain text. No reminder after its end is offered."""
    if isinstance(content, DigestContent):
        return _digest(content)
    campaign = content.item.campaign
    text = campaign.variant(i18n.language())
    in_time = now + timedelta(seconds=_LATER_S) < campaign.ends
    later = ((LATER, _("Remind me in 1 hour")),) if in_time else ()
    body = text.body if len(text.body) <= LONGEST_BODY else text.body[: LONGEST_BODY - 1].rstrip() + "…"
    return Notification(
        title=text_format.titled(text.title, is_trial=campaign.is_trial),
        body="\n".join(part for part in (campaign.sender, body) if part),
        actions=((OPEN, _("Open")), *later, (CLOSE, _("Close"))),
        weight=_WEIGHTS.get(campaign.urgency, Weight.NORMAL),
        timeout_ms=time_out_ms(campaign.urgency) or 0,
    )


def _digest(content: DigestContent) -> Notification:
    count = len(content.items)
    titles = (item.campaign.variant(i18n.language()).title for item in content.items)
    title = ngettext(
        "While you were away: {n} announcement", "While you were away: {n} announcements", count
    ).format(n=count)
    return Notification(
        title=title,
        body="\n".join(titles)[:LONGEST_BODY],
        actions=((OPEN, _("Open inbox")), (CLOSE, _("Close"))),
        weight=Weight.NORMAL,
        timeout_ms=time_out_ms(Urgency.NORMAL) or 0,
    )


class Helper:
    """A running helper. Raises OSError where it cannot be started."""

    def __init__(self, command: Sequence[str], heard: Callable[[Report], None]) -> None:
        """``heard`` is called on a thread; with UNAVAILABLE if the helper fails."""
        self._heard = heard
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, name="notification", daemon=True).start()

    def tell(self, notification: Notification) -> bool:
        """Show this in place of the one before. Returns whether the helper still takes orders."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(notification) + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            log.info("The notification helper has gone: %s", error)
            return False
        return True

    def close(self) -> None:
        """Take the notification away, without waiting here."""
        threading.Thread(target=self._end, name="notification-end", daemon=True).start()

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        return self._process.wait(seconds)

    def _end(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError as error:
            log.debug("The notification helper had gone: %s", error)
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            log.warning("The notification helper did not end by itself.")
            self._process.kill()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                try:
                    report = decode_json(line, Report)
                except msgspec.DecodeError as error:
                    log.warning("The notification helper said something unknown: %s", error)
                else:
                    self._heard(report)
        if self._process.wait() != 0:
            self._heard(Report(Outcome.UNAVAILABLE, "the helper failed"))
