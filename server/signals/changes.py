"""What else must happen when somebody takes back a signal or is erased, in that same transaction."""

from collections.abc import Iterable
from uuid import UUID


def leave(people: Iterable[UUID], company_id: str, signals: Iterable[str], *, erased: bool = False) -> int:
    """Take these people out of all figures (`server.reports.blocks.leave`). Answers how many blocks went.

    Its rows are figures about at least five people: they are no part of the signals that a receipt counts as erased.
    """
    # Imported here: reports read consents, and consents are what ends a block.
    from server.reports import blocks

    return blocks.leave(people, company_id, signals, erased=erased)
