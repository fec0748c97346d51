"""What people are told of files of the store that were damaged and set aside (``agent.store.repairs``)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from agent.domain import errors, limits
from agent.domain.labels import SIGNALS
from agent.domain.model import FeedbackSignal
from agent.store import repairs
from agent.store.repairs import SetAside
from resources.i18n import _

_OUTBOXES = {f"outbox-{signal.value}.sqlite3": signal for signal in FeedbackSignal}


class DataDamaged(errors.EnvironmentFault):
    """Something on the disk was not what had been written. What could be read was kept."""

    def __init__(self, files: Iterable[SetAside]) -> None:
        self._files = tuple(files)
        super().__init__(", ".join(each.store for each in self._files))

    @property
    def title(self) -> str:
        return _("Some of your data on this computer was damaged")

    @property
    def message(self) -> str:
        return _(
            "Lost: {lost}. The rest was kept, and nothing that is damaged is sent. Announcements come back from the server. "
            "The disk of this computer may be failing: tell your administrator."
        ).format(lost="; ".join(_lost(each) for each in self._files))


def told(folder: Path, now: datetime) -> DataDamaged | None:
    """What was found damaged in the last days, None for nothing."""
    since = now - timedelta(days=limits.DAMAGE_TOLD_DAYS)
    recent = [each for each in repairs.found(folder) if each.time >= since]
    return DataDamaged(recent) if recent else None


def _lost(file: SetAside) -> str:
    signal = _OUTBOXES.get(file.store)
    what = SIGNALS[signal]() if signal else _("Announcements and what was sent")
    day = file.time.astimezone().strftime("%Y-%m-%d")
    if file.lost is None:
        return _("{what}, {day}: an unknown number of entries").format(what=what, day=day)
    return _("{what}, {day}: {n}").format(what=what, day=day, n=file.lost)
