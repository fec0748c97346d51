"""P15: a backup is restored, and who or what was erased, taken back, closed, recalled or revoked since does not come back."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests

from server.access.models import AccessToken
from server.access.tokens import revoke as revoke_access
from server.accounts.models import Account
from server.campaigns.models import Campaign
from server.devices.auth import Caller
from server.devices.enrolment import revoke
from server.devices.models import Device
from server.devices.tokens import token_hash
from server.directory.models import Person
from server.erasure.erasure import erase
from server.feedback.consents import Decision, decide
from server.feedback.recording import Event, record
from server.publishing.recall import recall
from server.recovery.replay import catch_up
from server.retention.campaign_closing import close
from server.signals.models import CampaignKey, Signal
from server.signals.queries import in_force, signals_of
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.administration import token_for
from tests.support.server.backups import back_up, restore, restore_under
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import running_console
from tests.support.server.wire import an_hour_ago, event, payload
from tests.support.waiting import until

SIGNALS = ("seen", "click", "like")
EXTRAS: dict[str, dict[str, object]] = {"click": {"link_id": "l1"}, "like": {"value": 1, "seq": 1}}

pytestmark = pytest.mark.expected_logs("older than what happened since")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_cluster").new_database()
    home = ServerHome(tmp_path_factory.mktemp("restored") / "server", url)
    home.init()
    return home


@pytest.fixture
def home(made: ServerHome) -> Iterator[ServerHome]:
    with made.opened():
        yield made
        Campaign.objects.all().delete()
        Person.objects.all().delete()
        AccessToken.objects.all().delete()


@dataclass
class Drill:
    """A company whose people share everything, and what happened to some of them after the backup."""

    chance: random.Random
    receipts: dict[tuple[UUID, str], UUID] = field(default_factory=dict)
    erased: set[UUID] = field(default_factory=set)
    withdrawn: set[tuple[UUID, str]] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    recalled: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)

    def people_who_share(self, count: int) -> list[Person]:
        people = bulk_data.add_people(count)
        bulk_data.add_computers(people)
        for person in people:
            for signal in SIGNALS:
                self.receipts[person.pk, signal] = uuid4()
                self._decide(person.pk, signal, "given")
            campaigns = Campaign.objects.filter(closed_at=None).values_list("campaign_id", "starts")
            record(_caller(person.pk), [self._event(person.pk, *named) for named in campaigns])
        return people

    def something_happens(self) -> None:
        """An erasure, a withdrawal, a campaign that closes or is recalled, or a computer that is revoked."""
        acts = {
            self._erase: list(Person.objects.order_by("email").values_list("pk", flat=True)),
            self._withdraw: sorted(in_force(bulk_data.company()).values_list("person_id", "signal")),
            self._close: list(Campaign.objects.filter(closed_at=None).order_by("pk")),
            self._recall: list(Campaign.objects.filter(status="live").order_by("pk")),
            self._revoke: list(Device.objects.filter(revoked_at=None).order_by("pk")),
        }
        act = self.chance.choice([act for act, possible in acts.items() if possible])
        act(self.chance.choice(acts[act]))

    def _erase(self, person: UUID) -> None:
        erase(bulk_data.company(), [person])
        self.erased.add(person)

    def _withdraw(self, what: tuple[UUID, str]) -> None:
        self._decide(*what, "withdrawn")
        self.withdrawn.add(what)

    def _close(self, campaign: Campaign) -> None:
        close(campaign)
        self.closed.add(campaign.campaign_id)

    def _recall(self, campaign: Campaign) -> None:
        recall(bulk_data.company(), campaign.campaign_id, "command-line")
        self.recalled.add(campaign.campaign_id)

    def _revoke(self, device: Device) -> None:
        revoke([device.pk])
        self.revoked.add(device.token_hash)

    def come_back(self) -> int:
        """How much of what was erased, taken back, closed, recalled or revoked is there."""
        company = bulk_data.company()
        names = {"campaign__campaign_id__in": self.closed}
        allowed = set(in_force(company).values_list("person_id", "signal"))
        gone = Campaign.objects.filter(campaign_id__in=self.closed)
        return (
            Person.objects.filter(pk__in=self.erased).count()
            + sum(signals_of(who, company.pk).filter(signal=what).count() for who, what in self.withdrawn)
            + len(allowed & self.withdrawn)
            + CampaignKey.objects.filter(**names).count()
            + Signal.objects.filter(**names).count()
            + gone.filter(closed_at=None).count()
            + Campaign.objects.filter(campaign_id__in=self.recalled, status="live").count()
            + Device.objects.filter(token_hash__in=self.revoked, revoked_at=None).count()
        )

    def _decide(self, person: UUID, signal: str, status: str) -> None:
        time = datetime.now(UTC).replace(microsecond=0)
        decide(
            _caller(person),
            Decision(self.receipts[person, signal], signal, status, 3, time, "en", "0.1.0"),
        )

    def _event(self, person: UUID, campaign: str, starts: datetime) -> Event:
        signal = self.chance.choice(SIGNALS)
        receipt = self.receipts[person, signal]
        return Event(signal, uuid4(), campaign, starts.date(), receipt, **EXTRAS.get(signal, {}))  # type: ignore[arg-type]


def _caller(person: UUID) -> Caller:
    return Caller(0, person, "northwind", "", "", 0, 60)


@pytest.mark.proves("P15")
def test_nothing_comes_back_with_a_restored_backup(home: ServerHome, tmp_path: Path, proof: Proof) -> None:
    drills, back, undone = proof.trials(full=40, few=2), 0, 0
    for number in range(drills):
        drill = Drill(random.Random(number))
        for name in ("a", "b", "c"):
            bulk_data.publish(f"c-{number}-{name}", starts=an_hour_ago())
        drill.people_who_share(8)
        for _ in range(drill.chance.randrange(3)):
            drill.something_happens()
        backup = tmp_path / f"backup-{number}"
        back_up(home, backup)
        for _ in range(drill.chance.randrange(1, 6)):
            drill.something_happens()
        counter = bulk_data.company().counter
        _closed_connection()
        restore(home, backup)
        undone += drill.come_back()
        assert catch_up()
        assert bulk_data.company().counter > counter
        back += drill.come_back()
        assert catch_up(thorough=True) == {}
        erase(bulk_data.company(), list(Person.objects.values_list("pk", flat=True)))
    proof.found("rows, consents, campaigns and computers that came back", back, drills)
    assert undone > 0, "the backups undid nothing: the drill shows nothing"
    assert back == 0


@pytest.mark.proves("P15")
def test_a_server_on_a_restored_backup_serves_nobody_who_was_erased(
    home: ServerHome, tmp_path: Path, proof: Proof
) -> None:
    drill = Drill(random.Random(0))
    bulk_data.publish("c-news", starts=an_hour_ago())
    bulk_data.publish("c-wrong", starts=an_hour_ago())
    ended = bulk_data.publish("c-old", starts=an_hour_ago() - timedelta(days=40))
    people = drill.people_who_share(5)
    tokens = bulk_data.add_computers(people)
    office = [token_for("administrator") for _ in range(2)]
    leaver, other, *_ = people
    back_up(home, tmp_path / "backup")
    erase(bulk_data.company(), [leaver.pk])
    drill._decide(other.pk, "seen", "withdrawn")
    close(ended)
    lost = Device.objects.get(token_hash=token_hash(tokens[4]))
    revoke([lost.pk])
    revoke_access(bulk_data.company(), AccessToken.objects.get(token_hash=token_hash(office[1])).pk, "test")
    recall(bulk_data.company(), "c-wrong", "command-line")
    bulk_data.publish("c-later", starts=an_hour_ago())
    counter = bulk_data.company().counter
    _closed_connection()
    restore(home, tmp_path / "backup")
    with home.running() as server:
        assert "That was done again" in server.process.output()
        answers = [_get(server.url, token) for token in tokens]
        served = sum(answer.status_code == 200 for answer in (answers[0], answers[4]))
        assert "withdrawn" not in server.process.output(), "whoever reads the log learns of no choice"
        proof.found("erased people and revoked computers that were served", served, 2)
        assert [answer.status_code for answer in answers] == [401, 200, 200, 200, 401]
        states = {
            document["sub"]: document["content"]["status"]
            for document in map(payload, answers[1].json()["campaigns"])
        }
        assert states == {"c-news": "live", "c-wrong": "recalled"}
        allowed = [_get(server.url, token, "admin/corrections").status_code for token in office]
        assert allowed == [200, 401]
        documents = [answers[1].json()["company"], *answers[1].json()["campaigns"]]
        assert min(payload(document)["ctr"] for document in documents) > counter
        late = [event("seen", "c-news", str(drill.receipts[other.pk, "seen"]))]
        late.append(event("click", "c-old", str(drill.receipts[other.pk, "click"])))
        sent = requests.post(
            f"{server.url}/api/v1/signals",
            json={"events": late},
            headers={"Authorization": f"Bearer {tokens[1]}"},
            timeout=30,
        )
        assert [result["status"] for result in sent.json()["results"]] == ["dropped_consent", "refused"]


@pytest.mark.proves("P15")
def test_a_backup_that_is_restored_under_a_running_server_brings_nobody_back(
    home: ServerHome, tmp_path: Path, proof: Proof
) -> None:
    drill = Drill(random.Random(0))
    bulk_data.publish("c-news", starts=an_hour_ago())
    people = drill.people_who_share(3)
    tokens = bulk_data.add_computers(people)
    leaver, other, _ = people
    back_up(home, tmp_path / "backup")
    with home.running() as server:
        erase(bulk_data.company(), [leaver.pk])
        drill._decide(other.pk, "seen", "withdrawn")
        _closed_connection()
        assert _get(server.url, tokens[0]).status_code == 401
        restore_under(home, tmp_path / "backup")
        until(lambda: "That was done again" in server.process.output(), "the server to catch up")
        statuses = [until(partial(_status, server.url, token), "an answer") for token in tokens]
        assert statuses == [401, 200, 200]
        proof.found("erased people who were served after that", statuses.count(200) - 2, 1)
        assert "was a backup restored while the server ran?" in server.process.output()


@pytest.mark.proves("P15")
def test_a_backup_that_is_restored_under_a_running_console_lets_nobody_in_again(
    home: ServerHome, tmp_path: Path, proof: Proof
) -> None:
    with running_console(home) as console:
        link = console.invite("gone@northwind.example", "dpo")
        back_up(home, tmp_path / "backup")
        home.succeed("console", "remove", "gone@northwind.example")
        assert _opened(link) == 410
        restore_under(home, tmp_path / "backup")
        until(lambda: _opened(link) == 410, "the console to catch up")
        accounts = Account.objects.count()
        proof.found("removed accounts that were let in after that", accounts, 1)
        assert accounts == 0


def _opened(link: str) -> int:
    """What a link answers; 0 while no worker does."""
    try:
        return requests.get(link, timeout=30).status_code
    except requests.RequestException:
        return 0


def _status(url: str, token: str) -> int:
    """Of a feed, once a worker has taken the place of the one that ended; 0 before."""
    try:
        status = _get(url, token).status_code
    except requests.RequestException:
        return 0
    return 0 if status == 503 else status


def _get(url: str, token: str, what: str = "feed") -> requests.Response:
    return requests.get(f"{url}/api/v1/{what}", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _closed_connection() -> None:
    from django.db import connection

    connection.close()
