"""What mails say: that something is there, and one link. Never what it is, about whom, or who did it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime

from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.core import clock

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Text:
    """The subject, and what stands above and below the link."""

    subject: Promise | str
    above: Promise | str
    below: Promise | str = ""


NOTICE = Text(
    _("Something waits for you in the console"),
    _("Something waits for you in the console of Tidings:"),
    _("A program sent this. You can switch such mail off on your account's page."),
)
ALERT = Text(
    _("The server of Tidings needs somebody"),
    _("The server of Tidings needs somebody to look at it:"),
    _("A program sent this. You can switch such mail off on your account's page."),
)
SIGN_IN = Text(
    _("Your way into the console"),
    _("This link lets you into the console of Tidings. It works once, within 24 hours:"),
    _("It is for you alone: do not pass it on. If you expected none, leave it alone."),
)
INVITATION = Text(
    _("Connect your computer to Tidings"),
    _("Start Tidings on your computer and type server and code:"),
    _("The code is for you alone, and works once. Nothing is switched on for you."),
)
TEST = Text(_("Tidings can send mail"), _("Somebody tried whether this server can send mail. It can."))


def message(text: Text, link: str, address: str, sender: str, language: str = "") -> EmailMessage:
    """The mail, in one language, or in each that there is where it is not known."""
    languages: Sequence[str] = (language,) if language else LANGUAGES
    bodies, subjects = [], []
    for one in languages:
        with translation.override(one):
            subjects.append(str(text.subject))
            bodies.append("\n\n".join(filter(None, (str(text.above), link, str(text.below)))))
    domain = sender.rpartition("@")[2]
    return EmailMessage(
        " / ".join(subjects),
        "\n\n--\n\n".join(bodies) + "\n",
        sender,
        [address],
        headers={
            "Date": format_datetime(clock.now()),
            "Message-ID": f"<{secrets.token_hex(16)}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
