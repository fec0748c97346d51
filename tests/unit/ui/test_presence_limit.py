"""How long it is believed that somebody presents, by a clock that the tests move."""

import pytest

from agent.domain import limits
from agent.domain.model import PresenceState, Tristate
from ui.desktop.presence.base import BoundedPresenting

YES, NO, UNKNOWN = Tristate.YES, Tristate.NO, Tristate.UNKNOWN


class Presenting:
    """Somebody presents, or not."""

    def __init__(self) -> None:
        self.state = PresenceState(locked=NO, presenting=YES)

    def current(self) -> PresenceState:
        return self.state


class Hours:
    """A presence that is asked every so often, by a clock that the test moves."""

    def __init__(self) -> None:
        self.desktop = Presenting()
        self._seconds = 1_000.0
        self._presence = BoundedPresenting(self.desktop, lambda: self._seconds)

    def pass_by(self, seconds: float, every: float = 15.0) -> Tristate:
        """The last of the answers."""
        end = self._seconds + seconds
        while self._seconds < end:
            self._seconds = min(self._seconds + every, end)
            answer = self._presence.current()
        return answer.presenting


@pytest.fixture
def hours() -> Hours:
    return Hours()


def test_a_meeting_is_believed_to_its_end(hours: Hours) -> None:
    assert hours.pass_by(limits.PRESENTING_AT_MOST_S) is YES


def test_what_keeps_the_screen_on_for_longer_is_no_presentation(hours: Hours) -> None:
    assert hours.pass_by(limits.PRESENTING_AT_MOST_S + 60) is UNKNOWN
    assert hours.pass_by(86_400) is UNKNOWN


def test_the_next_presentation_is_believed_again(hours: Hours) -> None:
    hours.pass_by(86_400)
    hours.desktop.state = PresenceState(presenting=NO)
    assert hours.pass_by(15) is NO
    hours.desktop.state = PresenceState(presenting=YES)
    assert hours.pass_by(15) is YES


def test_what_nobody_asked_about_meanwhile_counts_as_a_new_presentation(hours: Hours) -> None:
    hours.pass_by(15)
    assert hours.pass_by(86_400, every=86_400) is YES
