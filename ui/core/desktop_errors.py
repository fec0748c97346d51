"""What can go wrong on the desktop itself, with a title and a sentence for people like every error of the agent."""

from __future__ import annotations

from agent.domain.errors import EnvironmentFault
from resources.i18n import _


class BrowserUnavailable(EnvironmentFault):
    """The desktop started no browser for a link."""

    @property
    def title(self) -> str:
        return _("No browser could be started")

    @property
    def message(self) -> str:
        return _(
            "Choose a default browser in your system's settings, then open the link again from the inbox."
        )


class NoScreen(EnvironmentFault):
    """``display``: the one that does not answer, empty where none is named."""

    def __init__(self, display: str) -> None:
        super().__init__("no screen answers")
        self._display = display

    @property
    def title(self) -> str:
        return _("There is no screen in this session")

    @property
    def message(self) -> str:
        way_out = _("Start Tidings from your desktop, or use “tidings run --headless”.")
        if not self._display:
            return way_out
        return _("The display {name} does not answer.").format(name=self._display) + " " + way_out


class FolderNotShown(EnvironmentFault):
    """``folder``: its path."""

    def __init__(self, folder: str) -> None:
        super().__init__("no program shows folders")
        self._folder = folder

    @property
    def title(self) -> str:
        return _("The folder could not be shown")

    @property
    def message(self) -> str:
        return _("Your files are there all the same: {folder}").format(folder=self._folder)


class PlayerUnavailable(EnvironmentFault):
    """The player's process could not be started."""

    @property
    def title(self) -> str:
        return _("The video player could not be started")

    @property
    def message(self) -> str:
        return _("Close some programs and try again. The announcement stays in your inbox.")


class PlayerEnded(EnvironmentFault):
    """The player's process ended by a signal or with an error."""

    @property
    def title(self) -> str:
        return _("The video player stopped unexpectedly")

    @property
    def message(self) -> str:
        return _("Only the video is affected. The announcement stays in your inbox.")


class VideoMissing(EnvironmentFault):
    """The video's file is not in the cache yet."""

    @property
    def title(self) -> str:
        return _("The video is not here yet")

    @property
    def message(self) -> str:
        return _("It is being fetched. Open the announcement again from your inbox in a while.")
