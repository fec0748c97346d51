"""What went wrong with the server last, until it goes right again."""

from __future__ import annotations

from dataclasses import dataclass

from agent.consent.choice_errors import ReceiptRefused
from agent.domain import errors


@dataclass
class Faults:
    """Of one enrolment: another one begins with a new value.

    ``of_poll``: why the last poll failed. ``revocation``: the server knows this computer's token no longer, and no task
    runs but, now and then, the poll. ``of_receipt``: the last receipt of the server did not hold.
    ``refused_documents``: campaigns of the last feed that were not signed as they must be. ``answered``: a poll has gone
    right.
    """

    of_poll: errors.TidingsError | None = None
    revocation: errors.TokenRefused | None = None
    of_receipt: ReceiptRefused | None = None
    refused_documents: int = 0
    answered: bool = False
