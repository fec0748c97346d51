"""The report of `make prove-privacy` and its siblings: one line a guarantee, with the figures that were counted."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from tests.support.proofs import GUARANTEES, Finding

CHANGED = " with changes"
STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --paper: #faf9f6; --line: #e4e1da; --good: #0f766e; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f2efe9; --paper: #191816; --line: #3a3733; --good: #5eead4; --bad: #fca5a5; }
}
body { margin: 2.5rem auto; max-width: 66rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
table { border-collapse: collapse; width: 100%; margin-top: 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .5rem; border-bottom: 1px solid var(--line); }
td:first-child { font-variant-numeric: tabular-nums; white-space: nowrap; }
ul { margin: 0; padding-left: 1.1rem; }
.held { color: var(--good); font-weight: 600; }
.failed, .not { color: var(--bad); font-weight: 600; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } }
"""


@dataclass(frozen=True)
class Making:
    """What a report was made of.

    `commit`: the code that was tried, in words. `is_full`: whether at the full counts. `load`: how many processes wanted a
    processor, on average over the last minute of the run.
    """

    commit: str
    is_full: bool
    seconds: float
    load: float = 0.0

    def sentences(self) -> str:
        """All of it, for people."""
        counts = (
            "at the full counts" if self.is_full else "a few times only: this is no proof at the full counts"
        )
        return (
            f"Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in {self.seconds / 60:.0f} minutes, of {self.commit}, {counts}."
            f" {platform.system()}, Python {platform.python_version()}, {os.cpu_count()} processors,"
            f" a load of {self.load:.1f} at the end."
        )


def commit_of(root: Path) -> str:
    """Which code lies in a folder: its commit, and whether files were changed since."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *words], cwd=root, capture_output=True, text=True, timeout=60, check=False
            )
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    if not commit:
        return "code of no known commit"
    return f"commit {commit}" + (CHANGED if git("status", "--porcelain") else "")


@dataclass
class Row:
    """What became of one guarantee."""

    guarantee: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """`held` only where all tests ran, each passed, and a figure was written down."""
        if self.failed:
            return "failed"
        is_whole = not (self.skipped or self.missing)
        return "held" if self.passed and self.findings and is_whole else "not shown"

    def figures(self) -> str:
        """The figures in one line."""
        return "; ".join(f"{each.subject}: {each.figure} of {each.trials:,}" for each in self.findings)


def page(area: str, rows: Sequence[Row], making: Making) -> str:
    """The whole report, a file that needs nothing else."""
    held = sum(row.verdict == "held" for row in rows)
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tidings: proof of {area}</title><style>{STYLE}</style></head>
<body>
<h1>Proof of {area}</h1>
<p>{held} of {len(rows)} guarantees held. Each was tried against the real programs with the fault that it names; the figures
are what was counted. To repeat it: <code>make prove-{area}</code>.</p>
<p>{escape(making.sentences())}</p>
<table>
<thead><tr><th>No.</th><th>Guarantee</th><th>Must be</th><th>Counted</th><th>Seconds</th><th>Result</th></tr></thead>
<tbody>
{"".join(map(_line, rows))}</tbody>
</table>
</body>
</html>
"""


def _line(row: Row) -> str:
    statement, target = GUARANTEES[row.guarantee]
    counted = [
        f"{escape(each.subject)}: <b>{escape(each.figure)}</b> of {each.trials:,}" for each in row.findings
    ]
    counted += [f"failed: {escape(name)}" for name in row.failed]
    counted += [f"did not run: {escape(name)}" for name in row.missing]
    counted += [f"could not be tried here: {escape(name)}" for name in row.skipped]
    items = "".join(f"<li>{each}</li>" for each in counted)
    return (
        f"<tr><td>{row.guarantee}</td><td>{escape(statement)}</td><td>{escape(target)}</td>"
        f"<td><ul>{items}</ul></td><td>{row.seconds:,.0f}</td>"
        f'<td class="{row.verdict.split()[0]}">{row.verdict}</td></tr>\n'
    )
