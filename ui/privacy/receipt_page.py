"""A signed receipt and what it says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.domain.model import Region
from agent.domain.my_data_models import KeptReceipt


@dataclass(frozen=True)
class ReceiptSays:
    """What a receipt says, read from its document. ``time``: of the person's act, UTC."""

    controller: str
    dpo_email: str
    region: Region
    purpose: str
    notice_version: int
    notice_sha256: str
    time: datetime


@dataclass(frozen=True)
class ReceiptPage:
    """A receipt and what it says; None where it cannot be read."""

    kept: KeptReceipt
    says: ReceiptSays | None
