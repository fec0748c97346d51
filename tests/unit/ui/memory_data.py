"""One's own data in memory, for the windows under test."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from agent.domain import errors
from agent.domain.model import Region
from agent.domain.my_data_models import (
    Comparison,
    Controller,
    Copy,
    Corrected,
    Detail,
    DetailName,
    DetailValue,
    Held,
    KeptReceipt,
    SentItem,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DETAILS = (
    Detail("email", "lea@northwind.example", "directory"),
    Detail("first_name", "Léa", "person"),
    Detail("last_name", "Roux", "person"),
    Detail("title", "Designer", "directory", "Lead designer"),
    Detail("work_landline", "", "person"),
    Detail("work_cell", "", "person"),
    Detail("site_addresses", ("12 rue des Tanneurs", "69001 Lyon"), "person"),
)


class MemoryData:
    """Answers what it was given; ``fault`` is raised by whatever asks the server."""

    def __init__(self) -> None:
        self.items: list[SentItem] = []
        self.kept: list[KeptReceipt] = []
        self.details = DETAILS
        self.comparison = Comparison(0, ())
        self.fault: errors.TidingsError | None = None

    def sent(self) -> list[SentItem]:
        return list(self.items)

    def receipts(self) -> list[KeptReceipt]:
        return list(self.kept)

    def sent_json(self) -> bytes:
        return b'{"messages": []}'

    def receipt_file(self, receipt_id: str, status: str = "") -> bytes:
        return f"{receipt_id} {status}".encode()

    def held(self) -> Held:
        self._reach()
        controller = Controller("Northwind SAS", "Inès Martin", "dpo@northwind.example", Region.EU, 3)
        return Held(1, NOW, controller, self.details, (), (), (), (), (), (), {})

    def verify(self) -> Comparison:
        self._reach()
        return self.comparison

    def correct(self, changes: Mapping[DetailName, DetailValue]) -> tuple[Corrected, ...]:
        self._reach()
        results: list[Corrected] = []
        for number, detail in enumerate(self.details):
            if detail.field in changes:
                value = changes[detail.field]
                if value == detail.value:
                    results.append(Corrected(detail.field, "unchanged"))
                elif detail.owner == "directory":
                    results.append(Corrected(detail.field, "requested"))
                else:
                    results.append(Corrected(detail.field, "changed"))
                    changed = msgspec.structs.replace(detail, value=value)
                    self.details = (*self.details[:number], changed, *self.details[number + 1 :])
        return tuple(results)

    def copy(self) -> Copy:
        self._reach()
        return Copy(b'{"v": 1}', "<p>All about Léa</p>")

    def _reach(self) -> None:
        if self.fault is not None:
            raise self.fault
