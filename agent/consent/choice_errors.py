"""What can go wrong with a choice of the person. Each says what holds all the same."""

from __future__ import annotations

from agent.domain import errors
from resources.i18n import _


class NotRecorded(errors.DiskFault):
    """A choice holds, and is not on the disk yet."""

    @property
    def title(self) -> str:
        return _("Your choice is not on the disk yet")

    @property
    def message(self) -> str:
        return _(
            "What you turned off is off, and your company's server is told as soon as it can be reached. What you turned "
            "on stays off. The disk is full, read-only or failing: repair that before you restart this computer, or look "
            "at your choices again afterwards."
        )


class NotDeleted(errors.DiskFault):
    """What was withdrawn is still on the disk."""

    @property
    def title(self) -> str:
        return _("Something is still on this computer")

    @property
    def message(self) -> str:
        return _(
            "What you turned off is off, and nothing of it is sent. The disk is full, read-only or failing, so that not "
            "all could be deleted here yet. Tidings tries again by itself; repair the disk."
        )


class NothingIsRecorded(errors.DiskFault):
    """Choices could not be written when the agent started: all is off."""

    @property
    def title(self) -> str:
        return _("Nothing is shared: your choices cannot be recorded")

    @property
    def message(self) -> str:
        return _(
            "The disk is read-only or failing, so everything is off. Announcements still arrive. Repair the disk, then "
            "choose again: Tidings notices that by itself."
        )


class OnlyRecorded(errors.EnvironmentFault):
    """The agent that runs did not answer, so that what was turned off is written down for it."""

    @property
    def title(self) -> str:
        return _("Tidings runs, but did not answer")

    @property
    def message(self) -> str:
        return _(
            "What you turned off is written down: the Tidings that runs looks there before it makes or sends anything, and "
            "tells your company's server. Nothing else was changed. If it goes on not answering, end that process and start "
            "Tidings again."
        )


class EndedWaiting(errors.EnvironmentFault):
    """The person ended the command before it had an answer: what was to be turned off is written down."""

    @property
    def title(self) -> str:
        return _("You ended the command")

    @property
    def message(self) -> str:
        return _(
            "What was to be turned off is written down: Tidings looks there before it makes or sends anything, and tells "
            "your company's server when it runs. “tidings privacy show” says what is on."
        )


class ReceiptRefused(errors.EnvironmentFault):
    """A server's answer to a choice that proves nothing."""

    @property
    def title(self) -> str:
        return _("A receipt of your company's server is not right")

    @property
    def message(self) -> str:
        return _(
            "It does not prove that the server did what you chose, so it does not count. What is off stays off. Tidings "
            "tells the server again; if it lasts, tell your administrator."
        )
