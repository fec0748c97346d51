"""What can go wrong, as types, each with a title and a message for people.

::

    TidingsError
    ├── EnvironmentFault          the world is not as needed; nothing is wrong with the program
    │   ├── ServerUnreachable     no connection, or none that answers in time
    │   │   └── CertificateRefused
    │   ├── NotOurServer          an answer, but not of a Tidings server (a captive portal, a proxy's page)
    │   │   └── AnotherService    a refusal, but not of a Tidings server
    │   ├── FeedRefused           what is assigned does not fit its signed statement
    │   ├── ClockDiffers          this computer's clock and the server's are days apart
    │   ├── ServerBusy            429 or 503, with the time to wait
    │   ├── ServerFault           any other 5xx
    │   ├── Interrupted           ended by ourselves: to stop, to withdraw, to connect elsewhere
    │   ├── KeychainUnavailable   no keychain, or locked
    │   │   ├── KeychainWaiting   it may be asking the person
    │   │   ├── KeychainTurnedOff by a variable or a file
    │   │   ├── NoKeyringYet      there is a keychain, without a place for secrets
    │   │   └── KeychainNeeded    and what was asked for makes no sense without
    │   ├── DiskFault             full, read-only, or failing
    │   ├── PolicyUnusable        the organisation's policy file cannot be used (in device_policy)
    │   ├── StoreTooNew           the data was written by a newer version
    │   ├── StoreDamaged          the data cannot be read any more
    │   └── AlreadyRunning
    ├── Refused                   the server understood and says no
    │   ├── CodeRefused           unknown, used or expired invitation
    │   ├── WrongRegion           the company's data lies with servers of another region
    │   ├── TokenRefused          this computer's access was taken back
    │   │   ├── TokenReused       because a replaced token of it was used: there is a copy
    │   │   └── TokenMissing      its token is not in the keychain any more
    │   ├── NoticeChanged         the notice has a newer version: the person must be asked again
    │   └── NotUnderstood         it makes no sense to the server: sending it again is of no use
    ├── NotConfirmed              the server repeats old answers: something may be missing
    ├── InvalidInput              what a person typed cannot be right
    ├── NotConnected              a company is needed first
    ├── DocumentRefused           a document whose signature, company, expiry, counter or form is wrong
    └── MediaRefused              a file that is not what the signed campaign says

Anything else that is raised is a bug, logged with its traceback at the outermost door.
"""

from __future__ import annotations

from agent.domain.model import Region
from resources.i18n import _, ngettext


class TidingsError(Exception):
    """The root. ``detail`` is for the log: it holds no token and no personal data."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or type(self).__name__)
        self.detail = detail

    @property
    def title(self) -> str:
        return _("Something went wrong")

    @property
    def message(self) -> str:
        return _("Please try again. If it happens again, send the diagnostics to your administrator.")


class EnvironmentFault(TidingsError):
    """The world is not as needed. Passing faults are tried again."""

    @property
    def title(self) -> str:
        return _("This computer did not do what Tidings needs")

    @property
    def message(self) -> str:
        return _(
            "Try again. If it happens again, run “tidings doctor” and send what it says to your administrator."
        )


class ServerUnreachable(EnvironmentFault):
    """``sent``: whether the request may have reached the server, whose answer is lost then."""

    sent = True

    @property
    def title(self) -> str:
        return _("The server cannot be reached")

    @property
    def message(self) -> str:
        return _("Check the address and your network connection. Tidings keeps trying by itself.")


class CertificateRefused(ServerUnreachable):
    """TLS found no chain to an authority that this computer trusts; nothing was sent."""

    sent = False

    @property
    def title(self) -> str:
        return _("The server could not prove who it is")

    @property
    def message(self) -> str:
        return _(
            "Its certificate is not trusted by this computer. Ask your administrator; do not enter a code here."
        )


class NotOurServer(EnvironmentFault):
    """What answered is no campaign server, as in a network that wants a sign-in first."""

    @property
    def title(self) -> str:
        return _("Another page answered instead of the server")

    @property
    def message(self) -> str:
        return _(
            "This network may ask you to sign in first. Open your browser, sign in, and Tidings continues by itself."
        )


class AnotherService(NotOurServer):
    """A problem document (RFC 9457) of a type that no Tidings server has."""

    @property
    def title(self) -> str:
        return _("Something else answered instead of the server")

    @property
    def message(self) -> str:
        return _(
            "A proxy, or another service at the server's address, refused the request. Nothing was changed, and Tidings "
            "tries again by itself. If it lasts, tell your administrator; “tidings doctor” shows the way to the server."
        )


class FeedRefused(EnvironmentFault):
    """A feed that lacks its statement, or is another than it says. ``is_expired``: only its time is over."""

    def __init__(self, detail: str = "", *, is_expired: bool = False) -> None:
        super().__init__(detail)
        self.is_expired = is_expired

    @property
    def title(self) -> str:
        return _("The server's list of announcements is not right")

    @property
    def message(self) -> str:
        return _(
            "It is not the one that your company signed for this computer, so nothing was changed. Tidings asks again by "
            "itself; if it lasts, tell your administrator."
        )


class ClockDiffers(EnvironmentFault):
    """``days``: how far apart, at least 1."""

    def __init__(self, detail: str = "", *, days: int) -> None:
        super().__init__(detail or f"{days} d between this clock and the server's")
        self._days = days

    @property
    def title(self) -> str:
        return _("This computer's clock may be wrong")

    @property
    def message(self) -> str:
        return ngettext(
            "It differs from the server's by {n} day, so Tidings cannot tell whether an announcement is missing. Set date "
            "and time; if they are right here, tell your administrator.",
            "It differs from the server's by {n} days, so Tidings cannot tell whether an announcement is missing. Set date "
            "and time; if they are right here, tell your administrator.",
            self._days,
        ).format(n=self._days)


class ServerBusy(EnvironmentFault):
    """``retry_after_s``: seconds to wait, None when the server did not say."""

    def __init__(self, detail: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s

    @property
    def title(self) -> str:
        return _("The server is busy")

    @property
    def message(self) -> str:
        return _("Tidings tries again in a while, by itself.")


class ServerFault(EnvironmentFault):
    """The server failed: a 5xx that is not “busy”, or a damaged answer."""

    @property
    def title(self) -> str:
        return _("The server has a problem")

    @property
    def message(self) -> str:
        return _("Nothing is lost: Tidings tries again by itself. If it lasts, tell your administrator.")


class Interrupted(EnvironmentFault):
    """Ended by ourselves. Nobody needs to be told, and what was cut off is done again."""


class KeychainUnavailable(EnvironmentFault):
    """``locked``: it is there but did not open in time."""

    def __init__(self, detail: str = "", locked: bool = False) -> None:
        super().__init__(detail)
        self.locked = locked

    @property
    def title(self) -> str:
        return _("The keychain is locked") if self.locked else _("No keychain was found")

    @property
    def message(self) -> str:
        return _(
            "The key of this computer is held in memory only, and you will have to connect again after the next start. "
            "Unlock or install your system's keychain to avoid that."
        )


class KeychainWaiting(KeychainUnavailable):
    """No answer yet. It is taken when it comes."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, locked=True)

    @property
    def title(self) -> str:
        return _("Your keychain has not answered yet")

    @property
    def message(self) -> str:
        return _(
            "It may be asking for a password, or for permission, in a window of its own. Tidings goes on by itself as soon "
            "as it answers."
        )


class KeychainTurnedOff(KeychainUnavailable):
    """``detail``: the variable or file that does."""

    @property
    def title(self) -> str:
        return _("The keychain is turned off")

    @property
    def message(self) -> str:
        return _(
            "{what} turns it off for programs in Python. Remove that, then start Tidings again: until then the key of this "
            "computer is held in memory only."
        ).format(what=self.detail)


class NoKeyringYet(KeychainUnavailable):
    """The keychain runs, and has no collection to keep secrets in."""

    @property
    def title(self) -> str:
        return _("There is no keyring yet")

    @property
    def message(self) -> str:
        return _(
            "Your keychain has no keyring to keep secrets in. Create one in your desktop's program for passwords and keys, "
            "and make it the default: until then the key of this computer is held in memory only."
        )


class KeychainNeeded(KeychainUnavailable):
    """``is_used``: the server has answered the code already, which can be used again for a while."""

    def __init__(self, detail: str = "", locked: bool = False, *, is_used: bool = False) -> None:
        super().__init__(detail, locked)
        self._is_used = is_used

    @property
    def message(self) -> str:
        if self._is_used:
            return _(
                "Nothing was stored. Unlock your system's keychain and try again within ten minutes: the same code still "
                "works."
            )
        return _(
            "The invitation was not used. Unlock your system's keychain, then try again, or connect from the window of "
            "Tidings, which can hold the key in memory until it is quit."
        )


class DiskFault(EnvironmentFault):
    """A file could not be written or read: full, read-only, failing, or another user's."""

    @property
    def title(self) -> str:
        return _("The disk cannot be written")

    @property
    def message(self) -> str:
        return _(
            "It is full, read-only or failing, or a file of Tidings belongs to another user. Free some space, then try "
            "again; “tidings doctor” says what it finds."
        )


class StoreUnreadable(DiskFault):
    """The store could not be opened, so that an empty one stands for it. ``file``: its name."""

    def __init__(self, detail: str, *, file: str) -> None:
        super().__init__(detail)
        self._file = file

    @property
    def title(self) -> str:
        return _("Your data on this computer cannot be read")

    @property
    def message(self) -> str:
        return _(
            "Until {file} can be read again, no announcements are received or shown, and nothing can be turned on. What you "
            "turned off is off, and nothing of it is sent; what the file notes of it is deleted then. Tidings looks again "
            "and goes on by itself. “tidings doctor” says what keeps the file."
        ).format(file=self._file)


class NoHome(EnvironmentFault):
    """Neither the environment nor the system's accounts tell where this person's home folder is."""

    @property
    def title(self) -> str:
        return _("It is not known where your home folder is")

    @property
    def message(self) -> str:
        return _("Set HOME to its whole path, then start Tidings again.")


class RelativeHome(NoHome):
    """``TIDINGS_HOME`` names another folder wherever one is: a second agent with choices of its own."""

    @property
    def title(self) -> str:
        return _("TIDINGS_HOME is no whole path")

    @property
    def message(self) -> str:
        return _("Set it to a whole path, or remove it, then start Tidings again.")


class StoreTooNew(EnvironmentFault):
    """The store's schema is of a later version of Tidings; it was left as it is."""

    @property
    def title(self) -> str:
        return _("Your data was written by a newer version")

    @property
    def message(self) -> str:
        return _("Install the newer version of Tidings again. Nothing was changed.")


class StoreDamaged(EnvironmentFault):
    """The store cannot be read, and may not or could not be repaired here."""

    @property
    def title(self) -> str:
        return _("Your data on this computer is damaged")

    @property
    def message(self) -> str:
        return _(
            "Tidings repairs it by itself when it starts, and loses as little as it can. If this comes again after a start, "
            "run “tidings purge”, then connect again with a new code. Your announcements come back from the server."
        )


class EnrolmentLost(EnvironmentFault):
    """Both notes of the connection were damaged, and something is owed to the company or shared with it."""

    @property
    def title(self) -> str:
        return _("This computer has lost to which company it was connected")

    @property
    def message(self) -> str:
        return _(
            "Its notes of that were damaged. Nothing is sent. What you turned off is off, and the server is told as soon as "
            "this computer is connected again: ask your administrator for an invitation code."
        )


class AlreadyRunning(EnvironmentFault):
    """``host``: the other computer where it runs, empty for this one. ``pid``: 0 where that is not known.

    ``display``: where its windows are, empty for none.
    """

    def __init__(self, detail: str = "", *, host: str = "", pid: int = 0, display: str = "") -> None:
        super().__init__(detail)
        self.host, self.pid, self.display = host, pid, display

    @property
    def title(self) -> str:
        return _("Tidings is already running")

    @property
    def message(self) -> str:
        return f"{self.where} {self._way_out}"

    @property
    def where(self) -> str:
        """A sentence; in the case of an agent that did not say, only that it is another login's or version's."""
        if self.host:
            return _("It runs on the computer {host}, as process {pid}.").format(host=self.host, pid=self.pid)
        if self.display:
            return _("It runs on this computer, as process {pid}, on the display {display}.").format(
                pid=self.pid, display=self.display
            )
        if self.pid:
            return _("It runs on this computer, as process {pid}, without windows.").format(pid=self.pid)
        return _("It runs on this computer, perhaps in an earlier version.")

    @property
    def _way_out(self) -> str:
        if self.host:
            return _("Nothing was changed. Do this there, or quit Tidings there first.")
        if self.pid and not self.display:
            return _("Nothing was changed. To do this, end that process first.")
        return _("Nothing was changed. To do this, look for its icon in the tray and quit it there first.")


class TakesNoQuestion(EnvironmentFault):
    """An agent runs, and commands cannot ask it. ``where``: a sentence that says where it runs."""

    def __init__(self, where: str) -> None:
        super().__init__("the running agent takes no question")
        self.where = where

    @property
    def title(self) -> str:
        return _("Tidings runs, and does not answer")

    @property
    def message(self) -> str:
        return (
            self.where
            + " "
            + _(
                "It may be starting or ending: look again in a minute. If it still does not answer, end that process, then "
                "start Tidings again. What is shown here is what the disk says, and what is turned off there stays off."
            )
        )


class NoAnswer(EnvironmentFault):
    """The agent that runs took what it was asked, and did not say what came of it."""

    @property
    def title(self) -> str:
        return _("Tidings runs, but did not answer")

    @property
    def message(self) -> str:
        return _(
            "What you asked for may have been done, or not. Look at your choices and at what was sent once it answers: in "
            "its window, or with “tidings privacy show”."
        )


class Refused(TidingsError):
    """The server understood and says no. ``answer``: the exact bytes with which it did, empty where they are not known."""

    answer: bytes = b""

    @property
    def title(self) -> str:
        return _("The server refused the request")

    @property
    def message(self) -> str:
        return _("This version of Tidings may be too old for your company's server. Tell your administrator.")


class CodeRefused(Refused):
    """The server knows no such invitation code, or it is used or expired."""

    @property
    def title(self) -> str:
        return _("This code does not work")

    @property
    def message(self) -> str:
        return _(
            "It is mistyped, already used or expired. Check it, or ask your administrator for a new one."
        )


class WrongRegion(Refused):
    """``theirs``: where the company's data is kept; ``own``: where the server is; None where the answer did not say."""

    def __init__(self, detail: str = "", theirs: Region | None = None, own: Region | None = None) -> None:
        super().__init__(detail)
        self._theirs = theirs
        self._own = own

    @property
    def title(self) -> str:
        return _("This server is in another region")

    @property
    def message(self) -> str:
        if self._theirs is None or self._own is None:
            return _(
                "Your company's data is kept elsewhere. Nothing was stored here. Ask for the right address."
            )
        return _(
            "Your company's data is kept in {theirs}; this server is in {own}. Nothing was stored here. Ask for the right "
            "address."
        ).format(theirs=_region(self._theirs), own=_region(self._own))


def _region(region: Region) -> str:
    return _("the European Union") if region is Region.EU else _("the United States")


class TokenRefused(Refused):
    """The server answered 401: this computer's token is revoked, or newer than the backup that the server came from."""

    @property
    def title(self) -> str:
        return _("This computer is no longer connected")

    @property
    def message(self) -> str:
        return _(
            "Your company's server does not know it any more: it took back this computer's access, or was put back from a "
            "backup that is older than the connection. Ask your administrator for a new code to connect again. What is here "
            "stays."
        )


class TokenReused(TokenRefused):
    """The server saw a replaced token again and ended all of this computer's tokens (ADR 18)."""

    @property
    def title(self) -> str:
        return _("This computer was disconnected, as its key was used elsewhere too")

    @property
    def message(self) -> str:
        return _(
            "Somebody may have a copy of it; it is of no use any more. Tell your administrator, and ask for a new code to "
            "connect again."
        )


class TokenMissing(TokenRefused):
    """The store says that this computer is enrolled, and the keychain has no token."""

    @property
    def title(self) -> str:
        return _("This computer must be connected again")

    @property
    def message(self) -> str:
        return _("Its key is not in your system's keychain. Ask your administrator for a new code.")


class NoticeChanged(Refused):
    """The company has a newer privacy notice than the one that the person chose under."""

    @property
    def title(self) -> str:
        return _("The privacy notice has changed")

    @property
    def message(self) -> str:
        return _("Nothing is shared until you have chosen again.")


class NotUnderstood(Refused):
    """The server cannot make sense of a request, now or later."""


class NotConfirmed(TidingsError):
    """``days``: since the newest statement of what is assigned, at least 2."""

    def __init__(self, detail: str = "", *, days: int) -> None:
        super().__init__(detail)
        self._days = days

    @property
    def title(self) -> str:
        return ngettext(
            "The server has not confirmed for {n} day that nothing is missing",
            "The server has not confirmed for {n} days that nothing is missing",
            self._days,
        ).format(n=self._days)

    @property
    def message(self) -> str:
        return _(
            "It answers, but with what it said before: announcements and recalls may be missing. A proxy or the server may "
            "be at fault. Tell your administrator, and ask there what is new."
        )


class InvalidInput(TidingsError):
    """``message`` is the reason, already in the person's language."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._message = message

    @property
    def title(self) -> str:
        return _("Please check what you entered")

    @property
    def message(self) -> str:
        return self._message


class NotConnected(TidingsError):
    """What was asked needs an enrolment, and there is none."""

    @property
    def title(self) -> str:
        return _("Not connected to a company")

    @property
    def message(self) -> str:
        return _("Connect first: ask your administrator for an invitation code.")


class DocumentRefused(TidingsError):
    """A signed document did not pass: signature, key, type, company, counter or schema."""

    @property
    def title(self) -> str:
        return _("An announcement was refused")

    @property
    def message(self) -> str:
        return _(
            "It is not signed by your company as it should be, so it is not shown. Tell your administrator."
        )


class MediaRefused(TidingsError):
    """A file's size or SHA-256 is not the one in the signed document."""

    @property
    def title(self) -> str:
        return _("This picture or video cannot be shown")

    @property
    def message(self) -> str:
        return _("The file is not the one that your company signed. It is fetched again later.")
