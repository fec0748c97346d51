"""Every command of the server over a company of 100,000 people with 20,000 campaigns, and over one of a tenth of that.

The processor's time counts, which other programs hardly change: at ten times the size a command may take ten times as long
and half as much again, or as long as before where it is about one thing. And no command may take more than 300 MB.
The databases are filled with bulk inserts, in SQLite, or in PostgreSQL with TIDINGS_BENCH_POSTGRESQL=1.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.support.server import django_ready  # noqa: F401  # isort: skip  (first: models need it)
from benchmarks.rows import Row
from tests.support.server import bulk_data, large_company, postgres
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago

PEOPLE = int(os.environ.get("TIDINGS_BENCH_PEOPLE", "100000"))
CAMPAIGNS = int(os.environ.get("TIDINGS_BENCH_CAMPAIGNS", "20000"))
ON_POSTGRESQL = os.environ.get("TIDINGS_BENCH_POSTGRESQL") == "1"
TIMES = 10
LINEAR, CONSTANT = 1.5 * TIMES, 2.0
"""How many times as long a command may take over ten times as much."""
MOST_MB = 300
ACTIVE = 20
"""Of the campaigns that are due to be closed, from as many something came in, each of fifty people."""


@dataclass(frozen=True)
class Command:
    """A command of the server. `{folder}` in its words is the one of its files."""

    words: str
    most: float = LINEAR

    def of(self, folder: Path) -> list[str]:
        """The words as they are run."""
        return self.words.format(folder=folder).split()


COMMANDS = (
    Command("campaign list"),
    Command("campaign list --json"),
    Command("campaign publish {folder}/news.toml", CONSTANT),
    Command("campaign recall c-2", CONSTANT),
    Command("report"),
    Command("report c-0"),  # the first is counted, the second read
    Command("report c-0 --json", CONSTANT),
    Command("report c-1 --acknowledgements"),
    Command("company list"),
    Command("company show"),
    Command("check"),
    Command("people import --dry-run {folder}/people.csv"),
    Command("people import {folder}/people.csv"),
    Command("people import {folder}/changed.csv"),
    Command("device list"),
    Command("device list --json"),
    Command("device revoke p1@northwind.example", CONSTANT),
    Command("corrections list --json"),
    Command("audit show", CONSTANT),
    Command("audit show --last 1000000"),
    Command("audit verify"),
    Command("audit export"),
    Command("record", CONSTANT),
    Command("keys show", CONSTANT),
    Command("token list", CONSTANT),
    Command("ledger verify"),
    Command("purge --yes p5@northwind.example"),
    Command("purge --yes --from {folder}/leavers.txt"),
    Command("invite p7@northwind.example", CONSTANT),
    Command("invite --all"),
    Command("housekeeping --dry-run"),
    Command("housekeeping"),
    Command("company export {folder}/company.zip"),
    Command("company close northwind --yes"),
    Command("company import {folder}/company.zip"),
)
NEWS = """
# Where there are 20,000 announcements for everyone, this is one more only when they have ended.
starts = {starts}
sender = "Internal news"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "News"
"""


def run() -> list[Row]:
    """Fill two servers, and measure one command after the other in both. Nothing of ours runs at the same time."""
    with tempfile.TemporaryDirectory(prefix="tidings-growth-") as name, _urls() as urls:
        folders = [Path(name) / "small", Path(name) / "large"]
        homes = [ServerHome(folder / "server", url) for folder, url in zip(folders, urls, strict=True)]
        for home, folder, part in zip(homes, folders, (TIMES, 1), strict=True):
            _fill(home, folder, PEOPLE // part, CAMPAIGNS // part)
        rows = [_withdrawal(homes)]
        for command in COMMANDS:
            used = [
                _used(home, "-m", "server", *command.of(folder))
                for home, folder in zip(homes, folders, strict=True)
            ]
            rows.append(_row(command.words.format(folder="…"), used, command.most))
        return rows


@contextlib.contextmanager
def _urls() -> Iterator[list[str | None]]:
    if not ON_POSTGRESQL:
        yield [None, None]
        return
    with postgres.cluster() as cluster:
        yield [cluster.new_database(), cluster.new_database()]


def _fill(home: ServerHome, folder: Path, people: int, campaigns: int) -> None:
    home.init()
    lines = [
        f"{large_company.address(number)},P{number},Everyone;G{number % large_company.GROUPS}"
        for number in range(people)
    ]
    for name, content in (
        ("people.csv", ["email,first_name,groups", *lines]),
        ("changed.csv", ["email,first_name,groups", *(line.replace(",P", ",Q") for line in lines)]),
        ("leavers.txt", [large_company.address(number) for number in range(people // 100, people // 50)]),
        ("news.toml", [NEWS.format(starts=f"{an_hour_ago() + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}")]),
    ):
        (folder / name).write_text("\n".join([*content, ""]), encoding="utf-8")
    with home.opened():
        ids = large_company.people(people)
        made = large_company.campaigns(campaigns, ids)
        large_company.consents(ids)
        large_company.signals(made[0], ids)
        for campaign in made[7::10][: ACTIVE * campaigns // CAMPAIGNS]:
            large_company.signals(campaign, ids[:50], ("seen",))
        large_company.computers(ids[: people * 4 // 5])
        large_company.invitations(ids, an_hour_ago())
        large_company.corrections(ids[: people // 100])
        large_company.acknowledgements(made[1], ids[: people // 2])
        owner = bulk_data.company()
        large_company.audit_entries(owner, people)
        large_company.erased_before(owner, people)


@dataclass(frozen=True)
class _Used:
    processor_s: float
    megabytes: float


MEASURE = """
import os, sys
unread = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ, file_actions=unread)
_pid, status, used = os.wait4(pid, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Started by a small process: Linux counts the memory of whoever starts a program as the program's own (getrusage(2))."""


def _used(home: ServerHome, *words: str) -> _Used:
    """Run Python with these words, in a process of its own, to its end."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words],
        env=home.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (words, done.stderr)
    processor_s, megabytes = map(float, done.stdout.split())
    return _Used(processor_s, megabytes)


def _row(what: str, used: list[_Used], most: float) -> Row:
    small, large = used
    ratio = large.processor_s / small.processor_s
    print(
        f"{what}: {small.processor_s:.1f} → {large.processor_s:.1f} s of a processor, {large.megabytes:.0f} MB",
        flush=True,
    )
    return Row(
        "growth",
        f"{what}; {large.megabytes:.0f} MB at most",
        large.processor_s,
        "s",
        f"≤ {most:g} ×, < {MOST_MB} MB",
        ratio <= most and large.megabytes < MOST_MB,
        small.processor_s,
        f"at a {TIMES}th of the size",
    )


WITHDRAWAL = """
import django
django.setup()
from server.directory.models import Person
from tests.support.server import company_life as life
person = Person.objects.get(email="p9@northwind.example")
receipt = life.give(person)
life.withdraw(person, receipt)
"""


def _withdrawal(homes: list[ServerHome]) -> Row:
    """Of one person, who could have acted in each campaign: their keys are worked out, 20,000 in a tenth of a second."""
    used = []
    for home in homes:
        home.environment |= {
            "DJANGO_SETTINGS_MODULE": "server.settings",
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        }
        used.append(_used(home, "-c", WITHDRAWAL))
    return _row("a withdrawal", used, CONSTANT)
