"""The agent's edges, small and real: a clock that a test sets, a keychain in memory, documents verified in-process."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import msgspec

from agent.consent.gate import ConsentGate
from agent.consent.record_file import ConsentFile
from agent.consent.server_clock import ServerClock
from agent.domain import errors
from agent.domain.model import Company, FeedbackSignal, Person
from agent.outbox.sent_log import SentLog
from agent.outbox.signals import Outbox
from agent.protocol import codec
from agent.runtime import Runtime
from agent.store.campaigns import CampaignStore
from agent.store.database import Database
from agent.store.enrolment import Enrolment, EnrolmentStore
from agent.store.event_queue import EventQueue
from agent.store.migrations import migrate
from agent.store.sent_messages import MessageStore
from agent.system.clock import SystemClock
from agent.system.dirs import Folders
from agent.transport.http_client import ApiClient
from agent.verification import verifier
from agent.verification.receipt_checks import ReceiptChecker
from agent.verification.verifier import VerifyRequest, VerifyResult
from tests.contract.golden_documents import COMPANY_CONTENT, COMPANY_ID, PUBLIC_KEYS
from tests.support.agent.company_in_memory import PERSON, TOKEN


class SettableClock:
    """Goes on only when it is told to; begins at the real time, so that real documents are valid."""

    def __init__(self, now: datetime | None = None) -> None:
        self.wall = now or datetime.now(UTC)
        self.ticks = 1000.0

    def now(self) -> datetime:
        """The wall clock."""
        return self.wall

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self.ticks

    def elapsed(self) -> float:
        """The same; it never sleeps."""
        return self.ticks

    def wait(self, seconds: float) -> None:
        """Time passes at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.wall += timedelta(seconds=seconds)


class MemoryKeychain:
    """A keychain that can be locked."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.fault: errors.KeychainUnavailable | None = None
        self.asked = 0
        self.answers_late: Callable[[], None] = lambda: None

    def when_late(self, call: Callable[[], None]) -> None:
        """Told by `answers_late`."""
        self.answers_late = call

    def close(self) -> None:
        """Nothing is open."""

    def look(self) -> None:
        """Whether it can be used."""
        self._ask()

    def _ask(self) -> None:
        self.asked += 1
        if self.fault is not None:
            raise self.fault

    def read(self, account: str) -> str | None:
        """The secret, if there is one."""
        self._ask()
        return self.secrets.get(account)

    def write(self, account: str, secret: str) -> None:
        """Keep it."""
        self._ask()
        self.secrets[account] = secret

    def delete(self, account: str) -> None:
        """Forget it."""
        self._ask()
        self.secrets.pop(account, None)

    def delete_unasked(self, account: str) -> None:
        """It asks nobody."""
        self.delete(account)


class OwnProcessVerifier:
    """Verifies as the helper process does, without starting one."""

    def __init__(self) -> None:
        self.questions: list[VerifyRequest] = []

    def verify(self, question: VerifyRequest) -> tuple[VerifyResult, ...]:
        """One verdict for each document."""
        self.questions.append(question)
        return verifier.verify_documents(question)


def a_company(**changes: object) -> Company:
    """Northwind, as an agent knows it, with other values for some fields."""
    company = codec.decode_company(COMPANY_ID, msgspec.json.encode(COMPANY_CONTENT))
    return msgspec.structs.replace(company, **changes)


def notice(version: int) -> object:
    """Northwind's notice, in another version."""
    return msgspec.structs.replace(a_company().notice, version=version)


@dataclass
class Sending:
    """Gate, outbox and ledger over one folder, with a way to a server."""

    gate: ConsentGate
    outbox: Outbox
    queue: EventQueue
    messages: MessageStore
    database: Database
    client: ApiClient

    def close(self) -> None:
        """As at the end of a process."""
        self.client.close()
        self.database.close()


def sending_parts(folder: Path, url: str, clock: SettableClock, company: Company | None = None) -> Sending:
    """The parts that make and send events, as the runtime puts them together."""
    database = Database(folder / "tidings.sqlite3")
    migrate(database)
    file = ConsentFile(folder / "consent.record")
    file.prepare()
    company = company or a_company()
    server_clock = ServerClock(clock)
    server_clock.heard(format_datetime(clock.now(), usegmt=True), may_be_repeated=False)
    gate = ConsentGate(file, clock, server_clock=server_clock)
    gate.use_company(company)
    enrolments = EnrolmentStore(database)
    enrolments.begin(_enrolment(url, company))
    messages, queue = MessageStore(database), EventQueue(folder, clock)
    receipts = ReceiptChecker(enrolments, OwnProcessVerifier())
    outbox = Outbox(gate, queue, SentLog(messages, clock), messages, receipts, clock)
    outbox.drop_ended()
    return Sending(gate, outbox, queue, messages, database, ApiClient(url, TOKEN))


def _enrolment(url: str, company: Company) -> Enrolment:
    keys = msgspec.convert(PUBLIC_KEYS, codec.KeySet)
    return Enrolment(url, company.company_id, keys, msgspec.convert(PERSON, Person), company, "", 60, None)


@dataclass
class Stores:
    """An open store with its parts."""

    database: Database
    enrolments: EnrolmentStore
    campaigns: CampaignStore


@contextmanager
def opened_store(folder: Path) -> Iterator[Stores]:
    """The store in a folder."""
    with closing(Database(folder / "tidings.sqlite3")) as database:
        migrate(database)
        yield Stores(database, EnrolmentStore(database), CampaignStore(database, SystemClock()))


@dataclass
class Agent:
    """A runtime with its edges. Not started."""

    runtime: Runtime
    keychain: MemoryKeychain
    verifier: OwnProcessVerifier
    clock: SettableClock
    folders: Folders


@contextmanager
def an_agent(
    folder: Path,
    keychain: MemoryKeychain | None = None,
    clock: SettableClock | None = None,
    *,
    owner: bool = True,
    store_needed: bool = True,
) -> Iterator[Agent]:
    """A runtime over a folder, stopped at the end."""
    keychain, clock = keychain or MemoryKeychain(), clock or SettableClock()
    documents, folders = OwnProcessVerifier(), Folders.under(folder)
    runtime = Runtime.open(
        folders,
        clock=clock,
        secrets=keychain,
        verifier=documents,
        owner=owner,
        store_needed=store_needed,
    )
    try:
        yield Agent(runtime, keychain, documents, clock, folders)
    finally:
        runtime.stop()


def all_on() -> dict[FeedbackSignal, bool]:
    """Everything is shared."""
    return dict.fromkeys(FeedbackSignal, True)


def all_off() -> dict[FeedbackSignal, bool]:
    """Nothing is shared."""
    return dict.fromkeys(FeedbackSignal, False)
