"""Measures agent, inbox, player, server and console, each figure beside a reference measured in the same run: `make bench`.

The figures are printed and written to build/bench.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row

RESULTS = Path(__file__).resolve().parents[1] / "build" / "bench.json"
MARKS = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        choices=("agent", "inbox", "player", "server", "growth", "console"),
        help="one of the six only",
    )
    parser.add_argument(
        "--idle-seconds", type=float, default=120, help="how long programs at rest are watched (default: 120)"
    )
    parser.add_argument("--strict", action="store_true", help="exit code 1 if a target is missed")
    return parser.parse_args()


def main() -> int:
    """Measures and tells. Returns 0, or 1 with --strict if a target is missed, 2 if it could not be measured."""
    options = parse()
    console = Console()
    rows: list[Row] = []
    if options.only in (None, "agent"):
        from benchmarks import agent, gotify

        console.print("Agent: about 10 minutes, most of it at rest …")
        try:
            rows += agent.run(options.idle_seconds)
        except gotify.InstallationFailed as error:
            console.print(f"{gotify.NAME} could not be installed:\n{error}", style="red", markup=False)
            return 2
    if options.only in (None, "inbox"):
        from benchmarks import inbox

        console.print("Inbox …")
        rows += inbox.run()
    if options.only in (None, "player"):
        from benchmarks import player

        console.print("Player: about 3 minutes …")
        rows += player.run()
    if options.only in (None, "server"):
        from benchmarks import server

        console.print("Server …")
        rows += server.run()
    if options.only == "growth":  # it takes an hour
        from benchmarks import growth

        console.print("Growth: each command over a company of 100,000 people, and of a tenth …")
        rows += growth.run()
    if options.only == "console":  # it takes half an hour
        from benchmarks import console as pages

        console.print("Console: every page of a company of 100,000 people, on both databases …")
        rows += pages.run()
    console.print(table_of(rows))
    save(rows)
    missed = [row.what for row in rows if row.met is False]
    return 1 if missed and options.strict else 0


def table_of(rows: Sequence[Row]) -> Table:
    """The figures for people."""
    table = Table(box=box.ROUNDED, title="Measured", title_justify="left")
    for heading in ("", "what", "value", "reference", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading in ("value", "ratio") else "left")
    for row in rows:
        reference = (
            "" if row.reference is None else f"{figure(row.reference)} {row.unit}, {row.reference_name}"
        )
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        value = f"{figure(row.value)} {row.unit}"
        table.add_row(row.part, row.what, value, reference, ratio, row.target, MARKS[row.met])
    return table


def figure(value: float) -> str:
    """A number with three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def save(rows: Sequence[Row]) -> None:
    """Writes build/bench.json."""
    machine = {
        "processors": psutil.cpu_count(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    result = {
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine,
        "rows": [asdict(row) | {"ratio": row.ratio} for row in rows],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
