"""The notification helper before a notification server that speaks the real protocol (python3-dbusmock's), on a real bus."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress

from agent.system import subprocesses
from tests.support.children import Child
from tests.support.desktop.session_bus import SessionBus, own_user_only
from tests.support.waiting import PATIENCE_S, until
from ui.desktop.notification_messages import Notification, Outcome, Report, Weight
from ui.popup.hosts.notification import Helper

NAME = "org.freedesktop.Notifications"
MOCK = DBusAddress("/org/freedesktop/Notifications", NAME, "org.freedesktop.DBus.Mock")
NOTE = Notification(
    "Ham & eggs", "1 < 2 and <b>more</b>", (("default", "Open"), ("later", "Later")), Weight.CRITICAL, 20_000
)


class Server:
    """A notification server with chosen capabilities."""

    def __init__(self, bus: SessionBus, folder: Path, capabilities: str) -> None:
        self._bus = bus
        options = json.dumps({"capabilities": capabilities})
        command = ["/usr/bin/python3", "-m", "dbusmock", "--template", "notification_daemon", "-p", options]
        self.process = Child(command, folder / "server.log", {"DBUS_SESSION_BUS_ADDRESS": bus.address})
        until(lambda: NAME in bus.names(), "the notification server")

    def calls(self, member: str) -> list[str]:
        """The arguments of each call of a method, as the server noted them."""
        lines = [line.partition(" ")[2] for line in self.process.output().splitlines()]
        return [line.removeprefix(f"{member} ") for line in lines if line.startswith(f"{member} ")]

    def tells(self, member: str, signature: str, *values: object) -> None:
        body = (
            NAME,
            member,
            signature,
            [(each, value) for each, value in zip(signature, values, strict=True)],
        )
        self._bus.call(MOCK, "EmitSignal", "sssav", body)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tidings-") as made:
        yield own_user_only(Path(made) / "run")


@pytest.fixture
def bus(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionBus]:
    running = SessionBus(folder, {}, [])
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", running.address)
    yield running
    running.daemon.stop()


@pytest.fixture
def heard() -> list[Report]:
    return []


@pytest.fixture
def helper(bus: SessionBus, heard: list[Report]) -> Iterator[Helper]:
    running = Helper(subprocesses.command("helper", "notification"), heard.append)
    yield running
    running.close()
    assert running.wait(PATIENCE_S) == 0


@pytest.fixture
def server(bus: SessionBus, folder: Path) -> Iterator[Server]:
    running = Server(bus, folder, "body body-markup actions")
    yield running
    running.process.stop()


def outcomes(heard: list[Report]) -> list[Outcome]:
    return [each.outcome for each in heard]


def test_the_text_is_plain_for_a_server_that_reads_markup(
    server: Server, helper: Helper, heard: list[Report]
) -> None:
    helper.tell(NOTE)
    until(lambda: heard, "an answer")
    (call,) = server.calls("Notify")
    assert '"Ham & eggs" "1 &lt; 2 and &lt;b&gt;more&lt;/b&gt;"' in call
    assert '["default", "Open", "later", "Later"]' in call
    assert '"urgency": 2' in call
    assert '"suppress-sound": True' in call
    assert call.endswith(" 20000")
    assert outcomes(heard) == [Outcome.SHOWN]


def test_a_server_that_can_do_little_is_asked_for_little(
    bus: SessionBus, folder: Path, helper: Helper, heard: list[Report]
) -> None:
    little = Server(bus, folder, "body")
    helper.tell(NOTE)
    until(lambda: heard, "an answer")
    (call,) = little.calls("Notify")
    assert '"Ham & eggs" "1 < 2 and <b>more</b>" []' in call
    little.process.stop()
    until(lambda: Outcome.EXPIRED in outcomes(heard), "the helper to notice that the server went")


def test_the_next_announcement_takes_the_place_of_the_one_before(
    server: Server, helper: Helper, heard: list[Report]
) -> None:
    helper.tell(NOTE)
    helper.tell(Notification("Second"))
    until(lambda: len(heard) == 2, "two answers")
    first, second = server.calls("Notify")
    assert first.startswith('"Tidings" 0 ')
    assert second.startswith('"Tidings" 1 ')


@pytest.mark.parametrize(
    ("reason", "outcome"), [(1, Outcome.EXPIRED), (2, Outcome.DISMISSED), (4, Outcome.EXPIRED)]
)
def test_who_closed_it_is_told_apart(
    reason: int, outcome: Outcome, server: Server, helper: Helper, heard: list[Report]
) -> None:
    helper.tell(NOTE)
    until(lambda: heard, "an answer")
    server.tells("NotificationClosed", "uu", 99, 2)
    server.tells("NotificationClosed", "uu", 1, reason)
    until(lambda: len(heard) == 2, "the end to be told")
    assert heard[1] == Report(outcome)


def test_an_action_brings_the_token_that_lets_a_window_come_to_the_front(
    server: Server, helper: Helper, heard: list[Report]
) -> None:
    helper.tell(NOTE)
    until(lambda: heard, "an answer")
    server.tells("ActivationToken", "us", 1, "token-7")
    server.tells("ActionInvoked", "us", 1, "later")
    until(lambda: len(heard) == 2, "the action")
    assert heard[1] == Report(Outcome.ACTION, "later", "token-7")


def test_the_notification_goes_with_the_agent(server: Server, helper: Helper, heard: list[Report]) -> None:
    helper.tell(NOTE)
    until(lambda: heard, "an answer")
    helper.close()
    until(lambda: server.calls("CloseNotification") == ["1"], "the notification to be taken away")


def test_a_desktop_without_a_server_says_so(helper: Helper, heard: list[Report]) -> None:
    helper.tell(NOTE)
    until(lambda: heard, "an answer")
    assert outcomes(heard) == [Outcome.UNAVAILABLE]
