"""What the presenter notes of an announcement, and what it remembers itself where the disk takes nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from msgspec.structs import replace

from agent.campaigns import selection
from agent.domain import errors
from agent.domain.model import InboxItem, Interaction, InteractionKind, Selection
from ui.core.agent_port import Agent
from ui.popup.ports import Actions

log = logging.getLogger(__name__)


class Noting:
    """What happens in passing, while the person may be typing elsewhere: told quietly, and once.

    A disk that cannot note that something was displayed must not make it come again and again.
    """

    def __init__(self, agent: Agent, actions: Actions) -> None:
        self._agent = agent
        self._actions = actions
        self._not_noted: set[str] = set()
        self._told: set[type[errors.TidingsError]] = set()

    def record(self, campaign_id: str, act: InteractionKind) -> None:
        """Note it, or tell the person why not."""
        try:
            self._agent.interactions.record(Interaction(campaign_id, act))
        except errors.TidingsError as error:
            log.error("%s was not recorded: %s", act, error.detail)
            self._tell_once(error)
        else:
            self._told.clear()

    def displayed(self, campaign_ids: Collection[str]) -> None:
        """Note that they came to the screen, or tell the person why not and remember it."""
        if not campaign_ids:
            return
        try:
            self._agent.interactions.displayed(sorted(campaign_ids))
        except errors.TidingsError as error:
            log.error("What came to the screen was not recorded: %s", error.detail)
            self._tell_once(error)
            self._not_noted.update(campaign_ids)
        else:
            self._told.clear()

    def _tell_once(self, fault: errors.TidingsError) -> None:
        """Not again with each announcement, until the disk takes something."""
        if type(fault) not in self._told:
            self._told.add(type(fault))
            self._actions.tell(fault, quietly=True)

    @property
    def owed(self) -> frozenset[str]:
        """What is to be noted again."""
        return frozenset(self._not_noted)

    def again(self, inbox: Mapping[str, InboxItem]) -> None:
        """What the disk did not take before. Nobody is told again while it still does not."""
        items = [inbox[campaign_id] for campaign_id in sorted(self._not_noted) if campaign_id in inbox]
        owed = [
            item.campaign.campaign_id
            for item in items
            if item.state.displayed is None and not selection.asked_for(item)
        ]
        try:
            if owed:
                self._agent.interactions.displayed(owed)
        except errors.TidingsError as error:
            log.info("Still not recorded: %s", error.detail)
            return
        self._not_noted.clear()

    def without(self, found: Selection) -> Selection:
        """The same without what was displayed and could not be noted, unless the person asked for it again."""
        return replace(found, show=self._news(found.show), digest=self._news(found.digest))

    def _news(self, items: tuple[InboxItem, ...]) -> tuple[InboxItem, ...]:
        noted = self._not_noted
        return tuple(i for i in items if i.campaign.campaign_id not in noted or selection.asked_for(i))
