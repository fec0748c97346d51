"""The server's commands over a company of 100,000 people with 20,000 open campaigns: seconds, and memory at most.

The database is filled with bulk inserts, in SQLite. Nothing runs at the same time but the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from tests.support import django_ready  # noqa: F401  # isort: skip  (first: models need it)
from benchmarks.rows import Row
from server.campaigns.models import Campaign
from server.signals.models import CampaignKey, Consent, Signal
from tests.support import server_data
from tests.support.campaign_server import ServerHome
from tests.support.wire import an_hour_ago

PEOPLE = int(os.environ.get("TIDINGS_BENCH_PEOPLE", "100000"))
CAMPAIGNS = int(os.environ.get("TIDINGS_BENCH_CAMPAIGNS", "20000"))
PURGED = 1000
ROWS_AT_ONCE = 500
SIGNALS = ("seen", "click", "like")
MOST_MB = 300


def run() -> list[Row]:
    """Fill one server, and measure one command after the other."""
    with tempfile.TemporaryDirectory(prefix="tidings-growth-") as name:
        folder = Path(name)
        home = ServerHome(folder / "server")
        home.init()
        rows = [_measured(home, f"import of {PEOPLE:,} people", "people", "import", _people_file(folder))]
        rows.append(
            _measured(home, "the same as a dry run", "people", "import", "--dry-run", folder / "people.csv")
        )
        with home.opened():
            _fill()
        rows.append(_measured(home, f"list of {CAMPAIGNS:,} campaigns", "campaign", "list"))
        rows.append(
            _measured(home, f"report over {len(SIGNALS) * PEOPLE:,} signals, counted", "report", "c-0")
        )
        rows.append(_measured(home, "the same report, read", "report", "c-0"))
        rows.append(_withdrawal(home))
        rows.append(
            _measured(home, f"purge of {PURGED:,} people", "purge", "--yes", "--from", _leavers(folder))
        )
        rows.append(_measured(home, "export of the company", "company", "export", folder / "company.zip"))
        rows.append(_measured(home, "closing of the company", "company", "close", "northwind", "--yes"))
        rows.append(_measured(home, "import of the company", "company", "import", folder / "company.zip"))
        return rows


def _people_file(folder: Path) -> Path:
    file = folder / "people.csv"
    lines = (f"p{number}@northwind.example,P{number},Everyone;G{number % 100}" for number in range(PEOPLE))
    file.write_text("\n".join(["email,first_name,groups", *lines, ""]), encoding="utf-8")
    return file


def _leavers(folder: Path) -> Path:
    file = folder / "leavers.txt"
    file.write_text("\n".join(f"p{number}@northwind.example" for number in range(PURGED)) + "\n")
    return file


def _fill() -> None:
    """Open campaigns to everyone; everybody shares everything, and has seen, clicked and liked the first campaign."""
    first = server_data.publish("c-0", starts=an_hour_ago() - timedelta(hours=1))
    owner = server_data.company()
    campaigns = [
        Campaign(
            company=owner,
            campaign_id=f"c-{number}",
            starts=first.starts,
            ends=first.ends,
            content=first.content,
            document=first.document,
            to_everyone=True,
            notice_version=first.notice_version,
        )
        for number in range(1, CAMPAIGNS)
    ]
    Campaign.objects.bulk_create(campaigns, batch_size=ROWS_AT_ONCE)
    keys = [CampaignKey(campaign=campaign, key=os.urandom(32)) for campaign in campaigns]
    CampaignKey.objects.bulk_create(keys, batch_size=ROWS_AT_ONCE)
    people = list(owner.people.values_list("pk", flat=True))
    for signal in SIGNALS:
        consents = (
            Consent(
                person_id=person,
                receipt_id=uuid4(),
                signal=signal,
                status=Consent.Status.GIVEN,
                notice_version=3,
                time=an_hour_ago(),
                language="en",
                agent_version="0.1.0",
                receipt="r" * 900,
            )
            for person in people
        )
        Consent.objects.bulk_create(consents, batch_size=ROWS_AT_ONCE)
    _act(first, people)


def _act(campaign: Campaign, people: Sequence[UUID]) -> None:
    from server.signals.keys import person_key

    key = campaign.key.key
    extras: dict[str, dict[str, Any]] = {
        "seen": {},
        "click": {"link_id": "l1"},
        "like": {"value": 1, "seq": 1},
    }
    signals = (
        Signal(
            campaign=campaign,
            event_id=uuid4(),
            person_key=person_key(key, person),
            signal=signal,
            date=campaign.starts.date(),
            **extras[signal],
        )
        for person in people
        for signal in SIGNALS
    )
    Signal.objects.bulk_create(signals, batch_size=ROWS_AT_ONCE)


def _measured(home: ServerHome, what: str, *words: str | Path) -> Row:
    """Run a command in a process of its own."""
    begun = time.monotonic()
    program = (
        "import resource, sys; from server.__main__ import main; status = main(sys.argv[1:]); "
        "used = resource.getrusage(resource.RUSAGE_SELF); "
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        env=home.variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begun
    assert done.returncode == 0, done.stderr
    processor, most = done.stderr.split()[-2:]
    megabytes = int(most) / 1024
    print(
        f"{what}: {seconds:.1f} s ({float(processor):.1f} s of a processor), {megabytes:.0f} MB", flush=True
    )
    return Row(
        "growth",
        f"{what}; {float(processor):.1f} s of a processor, {megabytes:.0f} MB at most",
        seconds,
        "s",
        f"< {MOST_MB} MB",
        megabytes < MOST_MB,
    )


def _withdrawal(home: ServerHome) -> Row:
    from tests.support import company_life as life

    with home.opened():
        person = server_data.company().people.get(email=f"p{PURGED}@northwind.example")
        receipt = life.give(person)
        begun = time.monotonic()
        life.withdraw(person, receipt)
        seconds = time.monotonic() - begun
    print(f"withdrawal: {seconds:.2f} s", flush=True)
    return Row(
        "growth", f"a withdrawal with {CAMPAIGNS:,} open campaigns", seconds, "s", "< 2 s", seconds < 2
    )
