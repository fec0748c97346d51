"""The guarantees (P: privacy, R: reliability, S: security) and what was found when they were tried.

A test marked ``@pytest.mark.proves("P5")`` asks the ``proof`` fixture how often to try, and writes down what it counted. In
`make test` it tries a few times; `make prove-privacy` and its siblings set ``TIDINGS_PROOF=full`` and make a report out of
the findings. The tests of P5 are in files named ``test_p05_…`` in the folder of their area.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

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
    "R1": ("An event that was accepted on the computer is not lost while consent lasts", "0 lost"),
    "R2": ("One effect for each event, also where answers are lost", "0 doubled"),
    "R4": ("Faults of the disk lose nothing", "0 lost"),
    "R5": ("Damaged pages are set aside", "0 crashes, 0 bad rows sent"),
    "R8": ("A restart of the server makes no herd", "peak at most 2 x steady"),
    "R9": ("Slow and endless answers stall nothing", "stalls under 50 ms, 64 MiB at most"),
    "R12": ("10,000 agents that poll each minute are served on 2 cores", "p99 at most 250 ms, 0 errors"),
    "R14": ("A migration that is killed loses nothing", "0 lost"),
    "R15": ("One agent for each person's data", "exactly 1"),
    "R16": ("A video whose line is cut goes on where it was", "0 bytes"),
    "S2": ("A hijacked server without the keys forges nothing, and a freeze is noticed", "0 forged, 48 h"),
    "S3": ("Text from the company is inert", "0 opens, 0 connects"),
    "S4": ("Links lead to https and allowed hosts only, and say where", "0 escapes"),
    "S5": ("Media are checked before they are decoded", "0 decoded"),
    "S7": ("A reused refresh token revokes its family, a lost answer does not", "0 false log-outs"),
    "S9": ("Logs hold no token and no e-mail address", "0 needles"),
    "S10": ("The API answers whatever it is sent", "0 of 5xx"),
    "S12": ("Companies are apart", "0 rows"),
    "S13": (
        "Roles do what their table says, by no other site's form, and nothing goes out alone",
        "0 exceptions",
    ),
    "S15": ("The audit chain shows tampering", "all"),
}

AREAS: Mapping[str, str] = {"privacy": "P", "reliability": "R", "security": "S"}
"""The folder of each area's tests, and the letter of its guarantees."""


def guarantees_of(area: str) -> list[str]:
    """The numbers of an area's guarantees, in order."""
    return [name for name in GUARANTEES if name.startswith(AREAS[area])]


DATABASES = {name.lower(): name for name in ("SQLite", "PostgreSQL")}
"""As a report calls them, by what the parameters of tests call them."""


@dataclass(frozen=True)
class Finding:
    """One figure. ``figure`` of ``trials`` tries; ``what`` says what was counted, ``database`` and ``file`` where."""

    guarantee: str
    what: str
    figure: str
    trials: int
    database: str = ""
    file: str = ""

    @property
    def subject(self) -> str:
        """What was counted, and where."""
        return f"{self.what} ({self.database})" if self.database else self.what


class Proof:
    """What a test that proves a guarantee asks and tells."""

    def __init__(self, guarantee: str, database: str, file: str) -> None:
        self.guarantee = guarantee
        self.database = database
        self.file = file

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
            finding = Finding(self.guarantee, what, str(figure), trials, self.database, self.file)
            line = json.dumps(asdict(finding), ensure_ascii=False)
            with Path(path).open("a", encoding="utf-8") as findings:
                findings.write(line + "\n")


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """The guarantee that the test's ``proves`` mark names. Imported by the conftest of each area."""
    mark = request.node.get_closest_marker("proves")
    assert mark is not None, "mark the test with @pytest.mark.proves(…)"
    (guarantee,) = mark.args
    assert guarantee in GUARANTEES
    parameters = getattr(request.node, "callspec", None)
    chosen = map(str, parameters.params.values()) if parameters else ()
    databases = [DATABASES[each.lower()] for each in chosen if each.lower() in DATABASES]
    return Proof(guarantee, next(iter(databases), ""), request.node.nodeid.partition("::")[0])


def findings(path: Path) -> list[Finding]:
    """What a run wrote down, in order."""
    if not path.exists():
        return []
    return [Finding(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
