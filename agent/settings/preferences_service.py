"""The person's preferences: kept in the store, overlaid with what the organisation fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent.domain import errors, preferences
from agent.domain.preferences import Preferences
from agent.settings.device_policy import PolicyFile
from agent.store.settings import SettingStore
from resources.i18n import _

NAME = "preferences"


class PreferenceKeeper:
    """``changed`` is called after each change."""

    def __init__(self, settings: SettingStore, policy: PolicyFile, changed: Callable[[], None]) -> None:
        self._settings = settings
        self._policy = policy
        self._changed = changed

    def effective(self) -> Preferences:
        """What holds now."""
        policy = self._policy.current()
        return preferences.locked(self.own(), policy.fixed, policy.locked)

    def own(self) -> Preferences:
        """What the person set, also where the organisation fixed something else."""
        return preferences.decode(self._settings.get(NAME))

    def locked(self) -> frozenset[str]:
        """The names of what the organisation fixed."""
        return self._policy.current().locked

    def change(self, values: Mapping[str, Any]) -> None:
        """Keep other values for some names. Raises InvalidInput for what is fixed or cannot be, DiskFault."""
        if self.locked() & values.keys():
            raise errors.InvalidInput(_("Your organisation has fixed this setting."))
        try:
            changed = preferences.with_values(self.own(), values)
        except msgspec.ValidationError as error:
            raise errors.InvalidInput(
                _("This value is not possible here: {reason}").format(reason=error)
            ) from error
        self.keep(changed)

    def keep(self, own: Preferences) -> None:
        """Keep all of the person's own, for example those from before a change. Raises DiskFault."""
        self._settings.set(NAME, preferences.encode(own))
        self._changed()
