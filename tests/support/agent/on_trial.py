"""An agent for trials with faults: connected, sharing, with things that wait; and what it may send at most."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from agent.store.event_queue import EventQueue
from agent.store.migrations import MIGRATIONS
from tests.support.agent.company_in_memory import Company, running
from tests.support.agent.parts import SettableClock, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE
from tests.support.agent.withdrawing import AnyKeychain

CAMPAIGNS = [f"c-{number:02}" for number in range(12)]
RULES = [f"c-rules-{number}" for number in range(4)]
UNSEALED = """
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    campaign_id TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT
"""


def a_company() -> Company:
    """Its announcements, four of which ask whether they were read."""
    company = Company()
    for campaign_id in CAMPAIGNS:
        company.publish(campaign_id, running(f"Title of {campaign_id}"))
    for campaign_id in RULES:
        company.publish(campaign_id, running(f"Rules of {campaign_id}", acknowledge=True))
    return company


def prepare(folder: Path, server: LoopbackServer, clicks: int = 30) -> None:
    """A person who has sent something; so many clicks, a heart and a *seen* each, and two confirmations wait."""
    with an_agent(folder, AnyKeychain()) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.preferences.change({"popups_per_hour": 3})
        agent.runtime.interactions.record(Interaction(CAMPAIGNS[0], InteractionKind.CLICKED, "l1"))
        agent.runtime.interactions.acknowledge(RULES[0])
        agent.runtime.sync_once()
        for number in range(clicks):
            agent.runtime.interactions.record(
                Interaction(CAMPAIGNS[number % len(CAMPAIGNS)], InteractionKind.CLICKED, f"l{number}")
            )
        for campaign_id in CAMPAIGNS:
            agent.runtime.interactions.record(Interaction(campaign_id, InteractionKind.LIKED))
            agent.runtime.interactions.record(Interaction(campaign_id, InteractionKind.SEEN))
        for campaign_id in RULES[1:3]:
            agent.runtime.interactions.acknowledge(campaign_id)


def written(folder: Path) -> set[str]:
    """All that a person's computer may send or show as sent: each event and confirmation, byte for byte."""
    with an_agent(folder, AnyKeychain()) as agent:
        return {item.body.decode() for item in agent.runtime.my_data.sent()}


def received(company: Company) -> set[str]:
    """The events and confirmations that a company has, written as an agent writes them."""
    kept: Iterable[object] = (*company.events.values(), *company.acknowledged.values())
    return {json.dumps(each, separators=(",", ":"), ensure_ascii=False) for each in kept}


def make_old(folder: Path, versions: int) -> None:
    """Let the data be as a program so many versions back had written it."""
    path = folder / "data" / "tidings.sqlite3"
    new, old = path.with_name("new"), len(MIGRATIONS) - versions
    path.replace(new)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for migration in MIGRATIONS[:old]:
            for statement in filter(str.strip, migration.split(";\n")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {old}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("ATTACH ? AS new", (str(new),))
        for (table,) in connection.execute(
            "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall():
            names = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
        connection.execute("DETACH new")
    new.unlink()
    queue = EventQueue(folder / "data", SettableClock())
    for signal in FeedbackSignal:
        events = queue.head(signal, 1_000)
        file = folder / "data" / f"outbox-{signal.value}.sqlite3"
        file.unlink()
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(UNSEALED)
            connection.executemany(
                "INSERT INTO event (event_id, campaign_id, body) VALUES (?, ?, ?)",
                [(each.event_id, each.campaign_id, each.body) for each in events],
            )
