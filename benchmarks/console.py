"""Every page of the console over a company of 100,000 people with 500 groups, 20,000 campaigns and 2,000 drafts.

What counts is how often the database is asked, and the processor's time of the page, in this process and in PostgreSQL's.
Each page is asked for by somebody who may open it: as the first one after a start, once the console has read ahead, after a
publication, and again. What it takes to read ahead stands by itself, as no page waits for it. Beside them stands the page of
one's own account, which reads little of the company.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.server import django_ready  # noqa: F401  # isort: skip  (first: models need it)
from django.core.cache import caches
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings

from benchmarks.rows import Row
from server.access.roles import RIGHTS, Role
from server.core import clock
from tests.support.server import bulk_data, large_company, postgres
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, code, console_settings, secret_of
from tests.support.server.console_pages import address, pages
from tests.support.server.drafting import PAINTER
from tests.support.server.submitting import written

if TYPE_CHECKING:
    from uuid import UUID

    from server.accounts.models import Account
    from server.campaigns.models import Campaign

PEOPLE, GROUPS, CAMPAIGNS, DRAFTS, ENTRIES, ACCOUNTS = 100_000, 500, 20_000, 2_000, 100_000, 24
PART = int(os.environ.get("TIDINGS_BENCH_PART", "1"))
"""The size is divided by it, where somebody tries the benchmark itself."""
YEARS = 4
COUNTED = 41
"""The number of the campaign that has figures: one for everybody that began a day ago; so many start later."""
PAGE_MS, COUNT_MS, QUERIES = 100.0, 200.0, 12
TIMES = 3
REFERENCE, REFERENCE_NAME = "account", "page of one's own account"
READS_OR_WRITES = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
"""How a query begins, and the word that begins a transaction does not."""
FILES = {
    *("campaigns-csv", "campaigns-report-csv", "record-csv", "audit-csv", "access-csv", "oversight-csv"),
    *("drafts-file", "drafts-file-of", "drafts-frame"),
}
"""What is taken as a file is as long as what it tells of: it is shown, and has no bound of its own."""
LEADS_AWAY = {"account_logout", "welcome"}
MORE = {
    "people?find=p99999": "people found by address",
    "people?find=nobody": "people, nobody found",
    "people?find=P1+northwind": "people found by two words",
    "people?group={group}": "people of a group",
    "people?group={group}&find=nobody": "people of a group, nobody found",
    "people?after=p5": "people, a later page",
    "groups?find=G49": "groups found",
    "campaigns?page=300": "campaigns, a late page",
    "campaigns?title=nothing": "campaigns, none found by title",
    "campaigns?state=live&title=about": "campaigns found by title and state",
    "calendar?group={group}": "calendar of a group",
    "audit?action=read-people": "audit log of one act",
    "audit?before=50": "audit log, its beginning",
    "drafts/{named}/check": "check of a draft for people by name and groups",
    "drafts/{named}": "draft for people by name and groups",
}
"""Addresses besides each page's own."""
IN_MORE = ("{group}", "{named}")


@dataclass(frozen=True)
class Cost:
    """What one answer took."""

    milliseconds: float
    queries: int


@dataclass(frozen=True)
class Asked:
    """A page, and how it is asked for. `most`: milliseconds, `most_queries`: both None where there is no bound."""

    name: str
    ask: Callable[[], Any]
    most: float | None = PAGE_MS
    most_queries: int | None = QUERIES


def run() -> list[Row]:
    """Measure on SQLite and on PostgreSQL."""
    rows = _measure("SQLite", None)
    with postgres.cluster() as cluster:
        rows += _measure("PostgreSQL", cluster.new_database())
    return rows


def _measure(database: str, url: str | None) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="tidings-console-") as name:
        home = ServerHome(Path(name) / "server", url)
        home.init()
        with home.opened(), console_settings(), override_settings(RENDER_COMMAND=PAINTER):
            return measured(database, fill())


def measured(database: str, known: Mapping[str, str]) -> list[Row]:
    """Ask for every page. `known`: what addresses name, as `fill` answers it."""
    asked = list(_pages(known))
    reference = next(one for one in asked if one.name == REFERENCE)
    usual = statistics.median(_cost(reference).milliseconds for _time in range(3 * TIMES))
    _forget()
    ahead = Asked("what is read ahead", _read_ahead, None, None)
    rows = [_row(database, ahead, "at the start", _cost(ahead), usual)]
    for number, one in enumerate(asked):
        first = _in_a_copy(one)
        one.ask()
        costs = [_cost(one) for _time in range(TIMES)]
        bulk_data.publish(f"c-while-{number}", starts=clock.now())
        published = _cost(one)
        again = Cost(statistics.median(cost.milliseconds for cost in costs), costs[-1].queries)
        rows += [
            _row(database, one, when, cost, usual)
            for when, cost in (("first", first), ("after a publication", published), ("again", again))
        ]
    return rows


def _row(database: str, one: Asked, when: str, cost: Cost, usual: float) -> Row:
    what = f"{one.name}, {when}, {cost.queries} queries, {database}"
    print(f"{what}: {cost.milliseconds:.0f} ms", flush=True)
    bounds = [f"< {one.most:g} ms"] if one.most else []
    bounds += [f"≤ {one.most_queries} queries"] if one.most_queries else []
    is_met = cost.milliseconds < (one.most or math.inf) and cost.queries <= (one.most_queries or math.inf)
    met = is_met if bounds else None
    return Row("console", what, cost.milliseconds, "ms", ", ".join(bounds), met, usual, REFERENCE_NAME)


# --- The company -------------------------------------------------------------------------------------


def fill() -> dict[str, str]:
    """Let the company be large. Answers what the parts of addresses stand for."""
    from django.db.models import F

    from server.campaigns.models import Campaign

    ids = large_company.people(PEOPLE // PART, GROUPS)
    apart = timedelta(days=365 * YEARS) / (CAMPAIGNS // PART)
    newest = clock.now() + COUNTED * apart - timedelta(days=1)
    made = large_company.campaigns(CAMPAIGNS // PART, ids, newest, apart)
    Campaign.objects.update(published_at=F("starts"))
    return _fill_up(ids, made)


def _fill_up(ids: Sequence[UUID], made: Sequence[Campaign]) -> dict[str, str]:
    """All but people and campaigns."""
    from server.access.tokens import create
    from server.directory.models import Company
    from server.drafts.models import DraftUpload
    from server.erasure.requests import ask
    from server.notices.proposing import propose
    from server.publishing.recall import recall
    from server.reports.snapshots import make_if_due

    large_company.consents(ids[: len(ids) // 10], signed=False)
    large_company.computers(ids[: len(ids) * 4 // 5])
    large_company.invitations(ids[-len(ids) // 10 :], clock.now() + timedelta(days=7))
    large_company.corrections(ids[: len(ids) // 100])
    large_company.signals(made[COUNTED], ids[: len(ids) // 10])
    assert make_if_due(made[COUNTED])
    Company.objects.update(second_person_from=5)
    owner = bulk_data.company()
    large_company.audit_entries(owner, ENTRIES // PART)
    accounts = [account_of(f"a{number}@northwind.example", *_roles(number)) for number in range(ACCOUNTS)]
    writer, officer = accounts[0], accounts[1]
    create(owner, Role.ADMINISTRATOR, "program", timedelta(days=30), "test")
    for number in range(20):
        owner.processors.create(
            name=f"Host {number}", service="hosting", country="France", since=clock.now().date()
        )
    recall(owner, "c-10", "command-line")
    asked = ask(officer, ids[:1_000])
    propose(officer, {"en": "Northwind tells you what is new."}, owner.notice_version())
    draft, named = _drafts(writer, ids)
    DraftUpload.objects.create(draft_id=draft[1], account=writer, begun_at=clock.now(), length=10)
    caches["previews"].clear()
    return {
        "<campaign:campaign_id>": made[COUNTED].campaign_id,
        "<hex:draft_id>": draft[0],
        "<uuid:person_id>": str(ids[-1]),
        "<int:number>": str(asked.pk),
        "{group}": str(owner.groups.get(name="G7").pk),
        "{named}": named,
    }


def _roles(number: int) -> Sequence[Role]:
    """The first is a communicator, the second an officer, the third watches, the fourth administers."""
    return ((Role.COMMUNICATOR,), (Role.DPO,), (Role.WORKS_COUNCIL,), (Role.ADMINISTRATOR,))[number % 4]


def _drafts(account: Account, ids: Sequence[UUID]) -> tuple[tuple[str, int], str]:
    """Two thousand, of which one is for everybody, and one for people by name and for groups. Answers these two."""
    from server.directory.models import Group, Person
    from server.drafts.models import Draft

    first = written(account, title="For everybody")
    named = written(account, title="For some")
    named.to_everyone = False
    named.save()
    named.audience_groups.set(Group.objects.filter(company=account.company).order_by("pk")[1:11])
    named.audience_people.set(Person.objects.filter(pk__in=ids[:20]))
    large_company.store(
        Draft(
            company=account.company,
            fields=first.fields | {"sender": f"Sender {number}"},
            editor=account,
            edited_at=clock.now(),
            begun_at=clock.now(),
            to_everyone=True,
        )
        for number in range(DRAFTS // PART)
    )
    return (first.draft_id, first.pk), named.draft_id


# --- Asking ------------------------------------------------------------------------------------------


def _pages(known: Mapping[str, str]) -> Iterator[Asked]:
    clients = {role: _signed_in(role) for role in (Role.ADMINISTRATOR, Role.DPO)}
    for name in sorted(pages().keys() - LEADS_AWAY):
        right = getattr(pages()[name].callback, "right", None)
        client = next(one for role, one in clients.items() if right is None or right in RIGHTS[role])
        where = address(name, known)
        answer = client.get(where)
        if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED:  # forms are sent there
            told = "" if answer.status_code == HTTPStatus.OK else f" ({answer.status_code})"
            bounds = (None, None) if name in FILES else (PAGE_MS, QUERIES)
            yield Asked(f"{name}{told}", partial(client.get, where), *bounds)
    yield Asked("today of the officer", partial(clients[Role.DPO].get, "/"))
    administrator = clients[Role.ADMINISTRATOR]
    for path, name in MORE.items():
        where = functools.reduce(lambda built, part: built.replace(part, known[part]), IN_MORE, path)
        yield Asked(name, partial(administrator.get, f"/{where}"))
    yield Asked(
        "what is typed is kept, and the audience counted",
        partial(_save, administrator, known["{named}"]),
        COUNT_MS,
        None,
    )


def _save(client: Client, draft_id: str) -> Any:
    from server.drafts.models import Draft

    draft = Draft.objects.get(draft_id=draft_id)
    groups = [str(group.pk) for group in draft.audience_groups.all()]
    return client.post(
        f"/drafts/{draft_id}/save",
        {
            "revision": draft.revision,
            "language": "en",
            "default_language": "en",
            "urgency": "normal",
            "audience": "groups",
            "group": groups,
            "sender": "Internal news",
            "title": "The studio opens",
            "body": f"On Monday. {draft.revision}",
        },
    )


def _signed_in(role: Role) -> Client:
    """Somebody of this role who has just shown their second factor."""
    account = account_of(f"{role}@northwind.example", role)
    client = client_of(account)
    client.post("/account/confirm", {"code": code(secret_of(account))})
    return client


def _cost(asked: Asked) -> Cost:
    """Ask for it, and see what that takes."""
    asked_for = 0

    def count(execute: Callable[..., Any], sql: str, *words: Any) -> Any:
        nonlocal asked_for
        asked_for += sql.startswith(READS_OR_WRITES)
        return execute(sql, *words)

    with connection.execute_wrapper(count):
        begun = _processor_ns()
        answer = asked.ask()
        if answer.streaming:
            for _part in answer.streaming_content:
                pass
        used = _processor_ns() - begun
    return Cost(used / 1e6, asked_for)


def _processor_ns() -> int:
    """What this process worked, and the one of PostgreSQL that works for it (proc_pid_schedstat(5))."""
    own = time.process_time_ns()
    if connection.vendor != "postgresql":
        return own
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    return own + int(Path(f"/proc/{backend}/schedstat").read_text().split()[0])


def _in_a_copy(asked: Asked) -> Cost:
    """In a process that has just begun: a copy of this one, which knows nothing yet of the company."""
    connection.close()
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            _forget()
            _read_ahead()
            cost = _cost(asked)
            os.write(writer, f"{cost.milliseconds} {cost.queries}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        milliseconds, queries = told.read().split()
    os.waitpid(pid, 0)
    return Cost(float(milliseconds), int(queries))


def _read_ahead() -> HttpResponse:
    from server.console.reading_ahead import read_company_ahead

    read_company_ahead(bulk_data.company().pk)
    return HttpResponse()


def _forget() -> None:
    from server.attention import planned
    from server.campaigns import overview

    planned._directories.clear()
    planned._weeks.clear()
    overview.SIZES.clear()
    overview._titles._known.clear()
