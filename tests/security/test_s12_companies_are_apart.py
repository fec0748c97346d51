"""S12: companies are apart. Every id of one is tried with the tokens and roles of the other, on each call and command."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.db import connection

from server.__main__ import COMMANDS
from server.access.models import AccessToken
from server.access.roles import TOKEN_ROLES, Role
from server.accounts.invitations import invite as invite_account
from server.accounts.models import Account
from server.acknowledgements.models import Acknowledgement
from server.archives.row_lines import Numbers, to_line
from server.archives.rows import company_models, label, rows_of
from server.campaigns.models import Campaign, Media
from server.data_subject.models import CorrectionRequest
from server.devices.enrolment import invite
from server.devices.models import Device
from server.directory.models import Company, Group, Person
from server.signals.models import Consent, Signal
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.administration import ADMIN, Examples, token_for
from tests.support.server.campaign_server import COMPANY, RunningServer, ServerHome
from tests.support.server.two_worlds import output
from tests.support.server.wire import acknowledgement, an_hour_ago, consent, event

API = "/api/v1"
COMPANIES = ("northwind", "southwind")
PEOPLE = 6
PATIENCE_S = 60

pytestmark = pytest.mark.proves("S12")


@dataclass
class Tenant:
    """One company, with the tokens that lead into it and the ids of what it has."""

    id: str
    device_token: str = ""
    role_tokens: dict[Role, str] = field(default_factory=dict)

    def ids(self) -> dict[str, list[str]]:
        """What a caller could name, by its kind in paths and bodies."""
        own = {"person__company": self.id}
        receipts = Consent.objects.filter(**own).values_list("receipt_id", flat=True)
        events = Signal.objects.filter(campaign__company=self.id).values_list("event_id", flat=True)
        numbers = [
            *CorrectionRequest.objects.filter(**own).values_list("pk", flat=True),
            *AccessToken.objects.filter(company=self.id).values_list("pk", flat=True),
            *Device.objects.filter(**own).values_list("pk", flat=True),
        ]
        return {
            "email": list(Person.objects.filter(company=self.id).values_list("email", flat=True)),
            "campaign_id": list(
                Campaign.objects.filter(company=self.id).values_list("campaign_id", flat=True)
            ),
            "sha256": list(Media.objects.filter(company=self.id).values_list("sha256", flat=True)),
            "group": list(Group.objects.filter(company=self.id).values_list("name", flat=True)),
            "receipt_id": [str(one) for one in receipts],
            "event_id": [str(one) for one in events],
            "token_hash": list(Device.objects.filter(**own).values_list("token_hash", flat=True)),
            "number": [str(one) for one in sorted(set(numbers))],
        }

    def rows(self) -> dict[str, list[bytes]]:
        """All that is stored of the company."""
        numbers = Numbers()
        return {
            label(model): [
                to_line(row, number, numbers) for number, row in enumerate(rows_of(model, self.id), start=1)
            ]
            for model in company_models()
        }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_cluster").new_database()
    made = ServerHome(tmp_path_factory.mktemp("server"), url)
    for company in COMPANIES:
        made.init(COMPANY.replace("northwind", company).replace("Northwind", company.title()))
    return made


@pytest.fixture(scope="module")
def serving(home: ServerHome) -> Iterator[RunningServer]:
    with home.running("--requests-per-minute", "100000") as server:
        yield server


@pytest.fixture
def tenants(home: ServerHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Tenant]]:
    with home.opened():
        yield [_filled(name, monkeypatch) for name in COMPANIES]
        for model in (AccessToken, Account, Campaign, Media, Person, Group):
            model._default_manager.all().delete()


def _filled(name: str, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    company = Company.objects.get(pk=name)
    tenant = Tenant(name)
    with monkeypatch.context() as patched:
        patched.setattr(bulk_data, "company", lambda: company)
        people = [
            Person.objects.create(company=company, email=f"p{number}@{name}.example", first_name=f"Of {name}")
            for number in range(PEOPLE)
        ]
        group = Group.objects.create(company=company, name=f"Group of {name}")
        group.people.set(people)
        receipts = life.share_all(people, ["seen", "click", "like"])
        media = bulk_data.add_media(f"a picture of {name}".encode(), "image/png")
        for campaign_id in (f"c-{name}", "c-same"):
            campaign = bulk_data.publish(
                campaign_id,
                starts=an_hour_ago(),
                groups=[group.name],
                media=[media],
                acknowledge=True,
                owner=company,
            )
            life.act(people[0], campaign, receipts[people[0].pk]["seen"])
            Acknowledgement.objects.create(
                campaign=campaign, person=people[0], event_id=uuid4(), time=an_hour_ago()
            )
        CorrectionRequest.objects.create(
            person=people[1], field="email", value=f"q@{name}.example", requested_at=an_hour_ago()
        )
        invite(people[2], timedelta(days=1))
        for person in people:
            invite_account(company, person.email, [Role.DPO], "test")
        tenant.device_token = bulk_data.add_computers(people[:1])[0]
        tenant.role_tokens = {role: token_for(role) for role in TOKEN_ROLES}
    return tenant


# --- The API -------------------------------------------------------------------------------------------


def _described(url: str) -> set[tuple[str, str]]:
    paths = requests.get(f"{url}{API}/openapi.json", timeout=PATIENCE_S).json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def _bodies(ids: dict[str, str]) -> dict[tuple[str, str], list[Any]]:
    """What is sent to each call that takes a body; a new one needs an entry here."""
    campaign, receipt = ids["campaign_id"], ids["receipt_id"]
    to_group = (
        'sender = "S"\ndefault_language = "en"\n[audience]\n{audience}\n[variants.en]\ntitle = "Not yours"\n'
    )
    audiences = [f'groups = ["{ids["group"]}"]', f'people = ["{ids["email"]}"]']
    files = [to_group.replace("{audience}", audience) for audience in audiences]
    admin = {key: [_named(body, ids)] for key, body in Examples().bodies.items() if key[1].startswith(ADMIN)}
    return admin | {
        ("POST", f"{ADMIN}/campaigns"): [{"file": file} for file in files],
        ("POST", f"{ADMIN}/emergencies"): [
            {"file": f'urgency = "emergency"\n{file}', "reason": "a drill"} for file in files
        ],
        ("POST", f"{API}/signals"): [
            {"events": [event(signal, campaign, receipt, event_id=ids["event_id"])]}
            for signal in ("seen", "click", "like")
        ],
        ("POST", f"{API}/consents"): [
            consent(signal, status, receipt_id=receipt)
            for signal in ("seen", "click")
            for status in ("withdrawn", "given")
        ],
        ("POST", f"{API}/acknowledgements"): [acknowledgement(campaign, event_id=ids["event_id"])],
        ("PATCH", f"{API}/me"): [{"details": {"first_name": "Somebody"}}],
        ("POST", f"{API}/enrolments"): [
            {"code": "KX7P-9QMD-2HTV", "agent_version": "0.1.0", "platform": "linux"}
        ],
        ("POST", f"{API}/device/token"): [{"next_sha256": ids["token_hash"]}],
        ("DELETE", f"{API}/device"): [None],
    }


def _named(body: Any, ids: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _named(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [_named(value, ids) for value in body]
    return body.format(**ids) if isinstance(body, str) else body


def _chosen(ids: dict[str, list[str]], count: int, chance: random.Random) -> Iterator[dict[str, str]]:
    """Each id at least once, together with others; `count` such sets at most."""
    longest = max(map(len, ids.values()))
    shuffled = {kind: chance.sample(values, len(values)) for kind, values in ids.items()}
    for number in range(min(longest, count)):
        yield {kind: values[number % len(values)] for kind, values in shuffled.items()}


def _answers(
    url: str, caller: Tenant, ids: dict[str, str], calls: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """What the caller's tokens get, by what was asked. Their own computer is let go of last."""
    bodies = _bodies(ids)
    tokens = {**caller.role_tokens, "computer": caller.device_token}
    for method, path in sorted(calls, key=lambda call: call[0] == "DELETE"):
        assert method == "GET" or (method, path) in bodies, f"no example: {method} {path}"
        for name, token in tokens.items():
            for body in bodies.get((method, path), [None]):
                answer = requests.request(
                    method,
                    f"{url}{path.format(**ids)}",
                    json=body,
                    headers={"Authorization": f"Bearer {token}", "User-Agent": "tidings/0.1.0"},
                    timeout=PATIENCE_S,
                )
                assert answer.status_code < 500, (method, path, answer.text)
                yield f"{name} {method} {path} {ids}", answer.text


def test_no_call_reaches_what_is_anothers(
    serving: RunningServer, tenants: list[Tenant], proof: Proof
) -> None:
    calls, chance, asked, told = _described(serving.url), random.Random(12), 0, []
    named = {tenant.id: tenant.ids() for tenant in tenants}
    for caller, victim in (tenants, tenants[::-1]):
        before, needles = victim.rows(), _needles(victim)
        # The caller's own log says which campaigns were asked for.
        written = {name: name for name in named[victim.id]["campaign_id"]}
        for ids in _chosen(named[victim.id], proof.trials(full=1_000, few=2), chance):
            for question, text in _answers(serving.url, caller, ids, calls - {("DELETE", f"{API}/device")}):
                asked += 1
                if any(needle in _without(text, ids | written) for needle in needles):
                    told.append(question)
        changed = [table for table, rows in victim.rows().items() if rows != before[table]]
        assert changed == []
    proof.found("answers that told, and calls that changed, what is another company's", len(told), asked)
    assert told == []


def test_letting_go_of_a_computer_lets_go_of_ones_own_only(
    serving: RunningServer, tenants: list[Tenant]
) -> None:
    caller, victim = tenants
    before = victim.rows()
    for token in (caller.device_token, *caller.role_tokens.values()):
        requests.delete(
            f"{serving.url}{API}/device", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
        )
    assert victim.rows() == before


def _needles(tenant: Tenant) -> list[str]:
    """What is found in anything that is the company's: its name is in every text, and its documents are its own."""
    company = Company.objects.get(pk=tenant.id)
    documents = Campaign.objects.filter(company=company).values_list("document", flat=True)
    return [tenant.id, tenant.id.title(), company.document, *documents]


def _without(text: str, ids: Mapping[Any, str]) -> str:
    """What was asked may be said again."""
    for asked in sorted(ids.values(), key=len, reverse=True):
        if not asked.isdecimal():
            text = text.replace(asked, "")
    return text


# --- The commands --------------------------------------------------------------------------------------

NO_COMPANY = {
    "serve": "it is the server",
    "init": "it names the company in its file",
    "check": "it tells of all companies: whoever runs it has the whole server",
    "ledger": "the ledger is the server's",
    "housekeeping": "it is of the server",
    "mail": "it sends what waits of all companies, and tells how much",
}
COMMANDS_ASKED = (
    ("people", "import", "{file}", "--dry-run"),
    ("people", "list", "--json"),
    ("people", "show", "{email}", "--json"),
    ("groups", "list"),
    ("campaign", "list", "--json"),
    ("campaign", "recall", "{campaign_id}"),
    ("report",),
    ("report", "{campaign_id}", "--json"),
    ("report", "{campaign_id}", "--by", "group"),
    ("report", "{campaign_id}", "--acknowledgements"),
    ("report", "{campaign_id}", "--named"),
    ("device", "list", "--json"),
    ("device", "list", "{email}", "--json"),
    ("device", "revoke", "{email}"),
    ("invite", "{email}"),
    ("corrections", "list", "--json"),
    ("corrections", "accept", "{number}"),
    ("corrections", "decline", "{number}"),
    ("audit", "show", "--last", "1000"),
    ("audit", "export"),
    ("audit", "acts"),
    ("audit", "verify"),
    ("token", "list"),
    ("token", "revoke", "{number}"),
    ("console", "accounts"),
    ("console", "access"),
    ("console", "reset", "{email}"),
    ("console", "bind", "{email}", "--everybody"),
    ("console", "remove", "{email}"),
    ("company", "show"),
    ("company", "budget"),
    ("record",),
    ("keys", "show"),
    ("purge", "--yes", "{email}"),
)


def test_each_command_about_a_company_is_asked() -> None:
    assert {words[0] for words in COMMANDS_ASKED} | NO_COMPANY.keys() == set(COMMANDS)


def test_no_command_reaches_what_is_anothers(home: ServerHome, tenants: list[Tenant], proof: Proof) -> None:
    chance, asked, told = random.Random(13), 0, []
    people = home.folder / "people.csv"
    for caller, victim in (tenants, tenants[::-1]):
        before, needles = victim.rows(), _needles(victim)
        # The caller's own log says which campaigns were asked for.
        written = {name: name for name in victim.ids()["campaign_id"]}
        for ids in _chosen(victim.ids(), proof.trials(full=1_000, few=3), chance):
            people.write_text(f"email\n{ids['email']}\n", encoding="utf-8")
            for words in COMMANDS_ASKED:
                filled = [word.format(file=people, **ids) for word in words]
                text = output(*filled, "--company", caller.id)
                asked += 1
                if any(needle in _without(text, ids | written) for needle in needles):
                    told.append(f"{filled} {text[:200]}")
        changed = [table for table, rows in victim.rows().items() if rows != before[table]]
        assert changed == []
    proof.found("commands that told, or changed, what is another company's", len(told), asked)
    assert told == []
    connection.close()
