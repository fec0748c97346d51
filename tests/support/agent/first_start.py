"""The agent that runs, as far as a second start sees it: its lock, its channel, and what wants its inbox."""

from functools import partial

from agent.domain import errors
from agent.ipc import calls, channel, running_instance
from agent.ipc.calls import Asked
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders
from ui.desktop.single_instance import InboxRequests


class FirstStart:
    """Counts in `shown` how often it was asked for its inbox.

    Args:
        folders: whose `data` it works on.
        display: where its windows are.
        lock: the one that it has already.
    """

    def __init__(self, folders: Folders, display: str = "", lock: InstanceLock | None = None) -> None:
        self.lock = lock or InstanceLock(folders, display)
        self.requests = InboxRequests()
        self.requests.received.connect(self._show)
        self.shown = 0
        answer = partial(
            calls.answer,
            not_open,
            data=running_instance.data_mark(folders.data),
            show_inbox=self.requests.ask,
        )
        self.stop_answering = channel.Channel(self.lock, answer).close

    def close(self) -> None:
        self.stop_answering()
        self.lock.release()

    def _show(self) -> None:
        self.shown += 1


def not_open() -> Asked:
    raise errors.AlreadyRunning("nobody asks this one for data")
