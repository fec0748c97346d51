"""How windows note what the person did: one way for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from agent.domain import errors
from agent.domain.model import Interaction, InteractionKind
from ui.core.agent_port import Agent

log = logging.getLogger(__name__)


class Recorder:
    """Each method answers whether it could be noted; if not, the person was told why by ``tell``."""

    def __init__(self, agent: Agent, tell: Callable[[errors.TidingsError], None]) -> None:
        self._agent = agent
        self._tell = tell

    def record(self, campaign_id: str, act: InteractionKind, link_id: str = "") -> bool:
        """A click, a like, that it was read. ``link_id``: of what was clicked."""
        return self._told(lambda: self._agent.interactions.record(Interaction(campaign_id, act, link_id)))

    def acknowledge(self, campaign_id: str) -> bool:
        """That the person confirms by name that they have read it."""
        return self._told(lambda: self._agent.interactions.acknowledge(campaign_id))

    def remind(self, campaign_id: str, delay_s: float | None) -> bool:
        """That it is to come again, after so many seconds or at the next login (None)."""
        return self._told(lambda: self._agent.interactions.remind(campaign_id, delay_s))

    def mark_read(self, campaign_ids: Collection[str], read: bool) -> bool:
        """That they were read, or were not."""
        return self._told(lambda: self._agent.interactions.mark_read(campaign_ids, read))

    def follow_link(self, campaign_id: str, link_id: str, open_url: Callable[[str], bool]) -> bool:
        """Note the click and open the link. Answers whether the browser opened it.

        A disk that takes no note keeps nobody from reading on.
        """
        try:
            url = self._agent.allowed_url(campaign_id, link_id)
        except errors.TidingsError as error:
            self._tell(error)
            return False
        self.record(campaign_id, InteractionKind.CLICKED, link_id)
        return open_url(url)

    def _told(self, note: Callable[[], None]) -> bool:
        try:
            note()
        except errors.TidingsError as error:
            log.error("It was not recorded: %s: %s", type(error).__name__, error.detail)
            self._tell(error)
            return False
        return True
