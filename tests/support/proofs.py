"""The guarantees P1 to P17 and what was found when they were tried.

A test marked ``@pytest.mark.proves("P5")`` asks the ``proof`` fixture how often to try, and writes down what it counted. In
`make test` it tries a few times; `make prove-privacy` sets ``TIDINGS_PROOF=full`` and makes the report out of the findings.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FULL = "TIDINGS_PROOF"
FINDINGS = "TIDINGS_PROOF_FINDINGS"

GUARANTEES: Mapping[str, tuple[str, str]] = {
    "P1": ("No signal leaves before the person gave it", "0 bytes"),
    "P2": ("Accept and refuse: same screen, size, number of clicks", "0 differences"),
    "P3": ("Refusal changes no content", "0 differences"),
    "P4": ("No administrator can list individual choices", "0 answers"),
    "P5": ("Nothing is recorded while off; giving again sends no history", "0 events"),
    "P6": ("A withdrawal survives kill -9 at any point", "0 resurrected"),
    "P7": ("A withdrawal works on a full or read-only disk", "all"),
    "P8": ("No residue after withdrawal, purge, uninstall", "0 needles"),
    "P9": ("A bad consent record means off", "0 sends"),
    "P10": ("Policy only restricts", "0 widened"),
    "P11": ("The server drops late events", "0 stored"),
    "P12": ("Only the allowed fields travel", "0 unknown"),
    "P13": ("Five people or more behind each figure, complements hidden", "0 cells"),
    "P14": ("Removing people erases all about them", "0 rows, 60 s for 10,000"),
    "P15": ("A restored backup replays erasures before it serves", "0 served"),
    "P16": ("The export is complete, a correction arrives", "100 %, one poll"),
    "P17": ("A company's data stays in its region", "0 stored elsewhere"),
}


@dataclass(frozen=True)
class Finding:
    """One figure. ``figure`` of ``trials`` tries; ``what`` says what was counted."""

    guarantee: str
    what: str
    figure: str
    trials: int


class Proof:
    """What a test that proves a guarantee asks and tells."""

    def __init__(self, guarantee: str) -> None:
        self.guarantee = guarantee

    @property
    def is_full(self) -> bool:
        """Whether the full counts of the guarantee are asked for."""
        return os.environ.get(FULL) == "full"

    def trials(self, full: int, few: int) -> int:
        """How often to try."""
        return full if self.is_full else few

    def found(self, what: str, figure: object, trials: int) -> None:
        """Write a figure down. The test itself asserts what it must be, after this."""
        if path := os.environ.get(FINDINGS):
            line = json.dumps(asdict(Finding(self.guarantee, what, str(figure), trials)), ensure_ascii=False)
            with Path(path).open("a", encoding="utf-8") as findings:
                findings.write(line + "\n")


def findings(path: Path) -> list[Finding]:
    """What a run wrote down, in order."""
    if not path.exists():
        return []
    return [Finding(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
