"""What the windows ask of the agent: the part of ``agent.runtime.Runtime`` that they use, as a protocol.

The runtime itself is imported after the tray icon is shown; a test brings a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from agent.domain.model import (
    Change,
    Company,
    FeedbackSignal,
    InboxItem,
    Interaction,
    PresenceState,
    Selection,
    SignalChoice,
    Status,
)
from agent.domain.my_data_models import (
    Comparison,
    Copy,
    Corrected,
    DetailName,
    DetailValue,
    Held,
    KeptReceipt,
    SentItem,
)
from agent.domain.preferences import Preferences


class MyDataPort(Protocol):
    """One's own data: ``agent.privacy.my_data.MyData``."""

    def sent(self) -> list[SentItem]: ...

    def receipts(self) -> list[KeptReceipt]: ...

    def sent_json(self) -> bytes: ...

    def receipt_file(self, receipt_id: str, status: str = "") -> bytes: ...

    def held(self) -> Held:
        """Waits for the network."""

    def verify(self) -> Comparison:
        """Waits for the network."""

    def correct(self, changes: Mapping[DetailName, DetailValue]) -> tuple[Corrected, ...]:
        """Waits for the network."""

    def copy(self) -> Copy:
        """Waits for the network."""

    def keys(self) -> object: ...


class PreferencesPort(Protocol):
    """Each method is documented at ``agent.settings.preferences_service.PreferenceKeeper``."""

    def effective(self) -> Preferences: ...

    def own(self) -> Preferences: ...

    def locked(self) -> frozenset[str]: ...

    def change(self, values: Mapping[str, Any]) -> None: ...

    def keep(self, own: Preferences) -> None: ...


class InteractionsPort(Protocol):
    """Each method is documented at ``agent.outbox.recorder.Interactions``. All raise DiskFault."""

    def record(self, interaction: Interaction) -> None: ...

    def displayed(self, campaign_ids: Collection[str]) -> None: ...

    def acknowledge(self, campaign_id: str) -> None:
        """Raises InvalidInput, too."""

    def mark_read(self, campaign_ids: Collection[str], read: bool) -> None: ...

    def remind(self, campaign_id: str, delay_s: float | None) -> None: ...


class Agent(Protocol):
    """Each method is documented at the runtime. Those that wait for the network say so: on a worker only."""

    @property
    def interactions(self) -> InteractionsPort: ...

    @property
    def my_data(self) -> MyDataPort: ...

    @property
    def preferences(self) -> PreferencesPort: ...

    def suggested_server(self) -> str: ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """Takes up to a few seconds."""

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]: ...

    def status(self) -> Status: ...

    def inbox(self, *, newest: int | None = None, only: Collection[str] | None = None) -> list[InboxItem]: ...

    def select(self, presence: PresenceState) -> Selection: ...

    def choices(self) -> tuple[SignalChoice, ...]: ...

    def media_path(self, sha256: str) -> Path | None: ...

    def allowed_url(self, campaign_id: str, link_id: str) -> str: ...

    def choose(
        self,
        choices: Mapping[FeedbackSignal, bool],
        is_wanted: Callable[[], bool] = ...,
        since: Mapping[FeedbackSignal, datetime | None] | None = ...,
        shown: Company | None = ...,
    ) -> None: ...

    def defer_choice(self) -> None: ...

    def pause(self, seconds: float | None) -> None: ...

    def check_now(self) -> None: ...

    def delete_all_shared(self) -> None:
        """Waits for the network."""

    def disconnect(self) -> bool:
        """Waits for the network. Returns whether the server heard of it."""

    def enrol(self, server_url: str, code: str) -> None:
        """Waits for the network."""
