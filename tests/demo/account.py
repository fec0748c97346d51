"""The closing account: what the employee did, what left the computer, what the server has."""

import http
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from agent.store.database import Database
from agent.store.sent_messages import MessageStore
from tests.support.server.sample import SampleCompany


@dataclass(frozen=True)
class Share:
    """What an act is to send. `detail`: the link of a click, the value of a like, the signal of a consent."""

    kind: str
    campaign_id: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Sent:
    """An entry of the agent's ledger. `key` is its name in both books."""

    key: str
    size: int
    outcome: str


@dataclass
class Act:
    """One thing that the employee did; nothing may leave but `shares`, and `reason` says why."""

    did: str
    picture: str
    shares: tuple[Share, ...] = ()
    reason: str = ""


@dataclass
class Account:
    """Acts in their order, and the books of both sides once `read_books` has read them."""

    acts: list[Act] = field(default_factory=list)
    sent: dict[Share, Sent] = field(default_factory=dict)
    stored: dict[str, Share] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    """Signals that were switched off again: what was shared of them must be gone at the end."""

    def note(self, did: str, picture: str, *shares: Share, reason: str = "") -> None:
        """Adds an act."""
        self.acts.append(Act(did, picture, shares, reason))

    def read_books(self, agent_database: Path, company: SampleCompany) -> None:
        """Reads the agent's ledger and the server's database, after both have stopped writing."""
        database = Database(agent_database)
        messages = MessageStore(database)
        for part in messages.parts():
            event = msgspec.json.decode(part.body)
            self.sent[share_of(event)] = Sent(part.event_id, len(part.body), part.outcome)
        for message in messages.all():
            if message.path.endswith("/consents"):
                consent = msgspec.json.decode(message.body)
                outcome = "signed receipt" if message.status == http.HTTPStatus.OK else "no receipt"
                self.sent[consent_of(consent)] = Sent(consent_key(consent), len(message.body), outcome)
            if message.path.endswith("/acknowledgements") and message.answer is not None:
                said = msgspec.json.decode(message.body)
                outcome = msgspec.json.decode(message.answer)["status"]
                self.sent[confirmation_of(said)] = Sent(said["event_id"], len(message.body), outcome)
        database.close()
        self.stored = {str(row["event_id"]): share_of(row) for row in company.stored()}
        self.stored |= {row["event_id"]: confirmation_of(row) for row in company.acknowledgements()}
        self.stored |= {consent_key(row): consent_of(row) for row in company.consents()}

    def discrepancies(self) -> list[str]:
        """What is not as promised: too little or too much left the computer, or the server has something else."""
        expected = {share for act in self.acts for share in act.shares}
        keys = {sent.key for sent in self.sent.values()}
        found = [f"not sent: {share}" for share in expected - self.sent.keys()]
        found += [f"sent, though it was off: {share}" for share in self.sent.keys() - expected]
        found += [
            f"stored otherwise: {share}"
            for share, sent in self.sent.items()
            if self.stored.get(sent.key) != (None if share.kind in self.withdrawn else share)
        ]
        found += [f"stored, but never sent: {share}" for key, share in self.stored.items() if key not in keys]
        return found

    def show(self, console: Console) -> None:
        """Prints the table."""
        table = Table(box=box.ROUNDED, show_lines=True, title="What happened", title_justify="left")
        table.add_column("", justify="right", style="dim")
        table.add_column("The employee", ratio=3)
        table.add_column("left the computer", ratio=3)
        table.add_column("the server has", ratio=2)
        table.add_column("picture", style="dim", no_wrap=True)
        for number, act in enumerate(self.acts, 1):
            table.add_row(str(number), act.did, *self._both_sides(act), act.picture)
        console.print(table)

    def _both_sides(self, act: Act) -> tuple[str, str]:
        if not act.shares:
            return f"[dim]nothing[/]{f' ({act.reason})' if act.reason else ''}", "[dim]nothing[/]"
        left, kept = [], []
        for share in act.shares:
            sent = self.sent.get(share)
            stored = self.stored.get(sent.key) if sent else None
            left.append(f"{words(share)}, {sent.size} bytes: {sent.outcome}" if sent else "[red]nothing![/]")
            gone = (
                "[dim]erased when she switched it off[/]"
                if share.kind in self.withdrawn
                else "[red]nothing![/]"
            )
            kept.append(words(stored) if stored else gone)
        return "\n".join(left), "\n".join(kept)


def share_of(event: dict[str, Any]) -> Share:
    """A signal as both books name it."""
    detail = event.get("link_id") or event.get("value")
    return Share(event["signal"], event["campaign_id"], "" if detail is None else str(detail))


def confirmation_of(acknowledgement: dict[str, str]) -> Share:
    """“I have read this”, by name, as both books name it."""
    return Share("confirmed as read, by name", acknowledgement["campaign_id"])


def consent_of(consent: dict[str, Any]) -> Share:
    """A consent or a withdrawal as both books name it."""
    return Share(f"consent {consent['status']}", detail=consent["signal"])


def consent_key(consent: dict[str, Any]) -> str:
    """What names a consent message: a receipt is opened by one and ended by another."""
    return f"{consent['receipt_id']} {consent['status']}"


def words(share: Share) -> str:
    """What was shared, in a few words."""
    return " ".join(filter(None, (f"[green]{share.kind}[/]", share.detail)))
