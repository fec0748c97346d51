"""Words for what a person reads of their own data, in their language: on the copy's page and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.domain.model import FeedbackSignal, Region
from agent.domain.my_data_models import ACKNOWLEDGEMENT, DetailName, SentStatus
from resources.i18n import _, pgettext

Words = Callable[[], str]
"""Asked when it is shown, since the language is chosen after this module is imported."""

SIGNALS: Mapping[FeedbackSignal, Words] = {
    FeedbackSignal.SEEN: lambda: _("Seen"),
    FeedbackSignal.CLICK: lambda: _("Clicks"),
    FeedbackSignal.LIKE: lambda: _("Likes"),
}
KINDS: Mapping[str, Words] = {
    "seen": lambda: _("Seen"),
    "click": lambda: _("Click"),
    "like": lambda: pgettext("what was sent", "Like"),
    "given": lambda: _("Consent given"),
    "withdrawn": lambda: _("Consent withdrawn"),
    "correction": lambda: _("Correction"),
    "enrolment": lambda: _("Computer connected"),
    "key": lambda: _("Key replaced"),
    ACKNOWLEDGEMENT: lambda: _("Confirmed as read"),
}
STATUSES: Mapping[SentStatus, Words] = {
    SentStatus.WAITING: lambda: _("no answer yet"),
    SentStatus.STORED: lambda: _("stored"),
    SentStatus.ERASED: lambda: _("deleted what was shared"),
    SentStatus.DELETED: lambda: _("deleted since"),
    SentStatus.DROPPED: lambda: _("not kept: no consent was in force"),
    SentStatus.REFUSED: lambda: _("refused"),
}
REGIONS: Mapping[Region, Words] = {
    Region.EU: lambda: _("European Union"),
    Region.US: lambda: _("United States"),
}
DETAILS: Mapping[DetailName, Words] = {
    "email": lambda: _("E-mail address"),
    "first_name": lambda: _("First name"),
    "last_name": lambda: _("Last name"),
    "title": lambda: _("Job title"),
    "work_landline": lambda: _("Work phone"),
    "work_cell": lambda: _("Work mobile"),
    "site_addresses": lambda: _("Sites"),
}
OUTCOMES: Mapping[str, Words] = {
    "changed": lambda: _("changed"),
    "requested": lambda: _("asked for: your administrator decides"),
    "unchanged": lambda: _("unchanged"),
}
