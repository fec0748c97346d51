"""What became of the files of proofs that ran: a proof at the full counts takes hours, and may be run in parts."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.support.proof_report import Row
from tests.support.proofs import AREAS, Finding, guarantees_of


@dataclass
class Part:
    """What became of one file."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0


Parts = dict[str, Part]
"""By the file's path, as pytest names it."""


def kept(path: Path, commit: str) -> Parts:
    """The parts that ran before, if they were of the same code."""
    if not path.exists():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored["commit"] != commit:
        return {}
    return {
        file: Part(**part | {"findings": [Finding(**each) for each in part["findings"]]})
        for file, part in stored["parts"].items()
    }


def keep(path: Path, commit: str, parts: Mapping[str, Part]) -> None:
    """For a later run."""
    stored = {"commit": commit, "parts": {file: asdict(part) for file, part in parts.items()}}
    path.write_text(json.dumps(stored, ensure_ascii=False, indent=1), encoding="utf-8")


def rows(area: str, parts: Mapping[str, Part], files: Iterable[str]) -> list[Row]:
    """Each guarantee of an area, put together of the files that prove it. Whichever did not run is missing."""
    of_guarantee: dict[str, list[str]] = {name: [] for name in guarantees_of(area)}
    for file in sorted(files):
        if number := re.search(rf"/test_{AREAS[area].lower()}(\d+)_", file):
            of_guarantee[f"{AREAS[area]}{int(number[1])}"].append(file)
    made = []
    for guarantee, own in of_guarantee.items():
        row = Row(guarantee, missing=[file for file in own if file not in parts])
        for part in (parts[file] for file in own if file in parts):
            row.passed += part.passed
            row.failed += part.failed
            row.skipped += part.skipped
            row.findings += part.findings
            row.seconds += part.seconds
        made.append(row)
    return made
