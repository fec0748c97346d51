"""What a measurement says, as a row of the table and of build/bench.json."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure beside its reference and its target.

    Attributes:
        part: `agent`, `inbox`, `player`, `server`, `growth` or `console`.
        what: what was measured, in a few words.
        value: in `unit`.
        unit: of `value` and `reference`.
        reference: the same of the reference program in the same run; None without one.
        reference_name: the reference program.
        target: in words.
        met: whether the target is met; None for a figure without one.
    """

    part: str
    what: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    reference: float | None = None
    reference_name: str = ""

    @property
    def ratio(self) -> float | None:
        """Value by reference."""
        return self.value / self.reference if self.reference else None
