"""The closing account: what the employee did, what left the computer, what the server has."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from agent.store.connection import Database
from agent.store.messages import MessageStore, SentPart
from tests.support.sample import SampleCompany


@dataclass(frozen=True)
class Share:
    """A signal that an act is to send. `detail` is the link's id of a click, the value of a like."""

    signal: str
    campaign_id: str
    detail: str = ""


@dataclass
class Act:
    """One thing that the employee did; `share` None where nothing may leave, and `reason` why."""

    did: str
    picture: str
    share: Share | None = None
    reason: str = ""


@dataclass
class Account:
    """Acts in their order, and the books of both sides once `balance` has read them."""

    acts: list[Act] = field(default_factory=list)
    sent: dict[Share, SentPart] = field(default_factory=dict)
    stored: dict[str, Share] = field(default_factory=dict)

    def note(self, did: str, picture: str, share: Share | None = None, reason: str = "") -> None:
        """Adds an act."""
        self.acts.append(Act(did, picture, share, reason))

    def read_books(self, agent_database: Path, company: SampleCompany) -> None:
        """Reads the agent's ledger and the server's database, after both have stopped writing."""
        database = Database(agent_database)
        for part in MessageStore(database).parts():
            event = msgspec.json.decode(part.body)
            self.sent[share_of(event)] = part
        database.close()
        self.stored = {str(row["event_id"]): share_of(row) for row in company.stored()}

    def discrepancies(self) -> list[str]:
        """What is not as promised: too little or too much left the computer, or the server has something else."""
        expected = {act.share for act in self.acts if act.share}
        ids = {part.event_id for part in self.sent.values()}
        found = [f"not sent: {share}" for share in expected - self.sent.keys()]
        found += [f"sent, though it was off: {share}" for share in self.sent.keys() - expected]
        found += [
            f"not stored: {share}" for share, part in self.sent.items() if part.event_id not in self.stored
        ]
        found += [f"stored, but never sent: {share}" for key, share in self.stored.items() if key not in ids]
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
        if act.share is None:
            nothing = f"[dim]nothing[/]{f' ({act.reason})' if act.reason else ''}"
            return nothing, "[dim]nothing[/]"
        part = self.sent.get(act.share)
        if part is None:
            return "[red]nothing![/]", "[red]nothing![/]"
        stored = self.stored.get(part.event_id)
        sent = f"{words(act.share)}, {len(part.body)} bytes: {part.outcome or 'no answer yet'}"
        return sent, words(stored) if stored else "[red]nothing![/]"


def share_of(event: dict[str, object]) -> Share:
    """A signal as both books name it."""
    detail = event.get("link_id") or event.get("value")
    return Share(str(event["signal"]), str(event["campaign_id"]), "" if detail is None else str(detail))


def words(share: Share) -> str:
    """A signal in a few words."""
    return " ".join(filter(None, (f"[green]{share.signal}[/]", share.detail)))
