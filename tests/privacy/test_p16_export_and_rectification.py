"""P16: the export holds every column about the person, and a correction arrives with one poll (GDPR articles 15, 16, 20)."""

import random
from collections.abc import Iterator

import pytest

from server.access.models import AccessToken
from server.accounts.models import Account, Session, SignInLink
from server.audit.models import Entry
from server.campaigns.models import Campaign, Publisher
from server.core.data_map import Personal
from server.data_subject import held as answers
from server.data_subject.models import CorrectionRequest
from server.data_subject.personal_rows import declared, leading_models, own_models
from server.devices.models import Device
from server.directory.models import Company, Person
from server.drafts.models import Draft, DraftUpload, DraftVersion
from server.erasure.models import ErasureRequest
from server.mail.models import ConsoleMail
from server.notices.models import NoticeProposal
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.canaries import Canaries, texts_in
from tests.support.server.run_command import run_command
from tests.support.server.wire import an_hour_ago

OF_OTHERS = {
    Company,
    Campaign,
    AccessToken,
    Account,
    SignInLink,
    ConsoleMail,
    Session,
    Draft,
    DraftUpload,
    DraftVersion,
    ErasureRequest,
    NoticeProposal,
    Publisher,
}
"""Their personal fields are about the data protection officer and administrators, who have no entry as an employee."""


@pytest.fixture
def camille(northwind: ServerHome, serving: RunningServer) -> Computer:
    """The computer of a person who was sent one campaign."""
    (person,) = bulk_data.add_people(1)
    computer = bulk_data.connect(serving, person.email)
    bulk_data.publish("c-video", starts=an_hour_ago(), people=[person])
    return computer


@pytest.fixture
def canaries(camille: Computer) -> Iterator[Canaries]:
    """A value of its own in every column that can hold something about the person."""
    person = Person.objects.get()
    campaign = person.campaigns.get()
    planted = Canaries(person, campaign)
    planted.plant()
    yield planted
    Entry.objects.filter(detail__startswith="canary").delete()
    Draft.objects.filter(draft_id__startswith="canary").delete()


@pytest.mark.both_databases
@pytest.mark.proves("P16")
def test_every_column_about_the_person_is_in_the_export(
    camille: Computer, canaries: Canaries, proof: Proof
) -> None:
    told = texts_in(camille.get("/me").json())
    missing = {column for column, value in canaries.planted.items() if value not in told}
    share = 1 - len(missing) / len(canaries.planted)
    proof.found("columns about a person that their export holds", f"{share:.0%}", len(canaries.planted))
    assert not missing
    assert {type(row) for row in canaries.rows} >= {
        model for model in leading_models() if model is not Person and not model._meta.auto_created
    }


def test_no_secret_is_in_the_export(camille: Computer, canaries: Canaries) -> None:
    secrets = [
        str(value)
        for row in canaries.rows
        for column in row._meta.concrete_fields
        if declared(type(row), column.name).secret and (value := getattr(row, column.name))
        # "seen" and 2 are in any copy.
        if not column.choices and not column.primary_key
    ]
    told = camille.get("/me").text
    assert secrets
    assert not [secret for secret in [*secrets, Device.objects.earliest("pk").token_hash] if secret in told]


def test_a_column_that_is_left_out_is_found(canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = frozenset({"person", "created_at", "expires_at", "used_at"})
    monkeypatch.setitem(answers.TOLD, "delivery.Invitation", everything)
    rows = [answers._others(model, canaries.person) for model in leading_models()]
    assert canaries.planted["delivery.Invitation.used_at"] not in texts_in(rows)


def test_every_model_with_personal_fields_leads_to_a_person_or_is_about_somebody_else() -> None:
    leading = set(leading_models()) | OF_OTHERS
    unreachable = {
        f"{model._meta.label}.{name}"
        for model in own_models()
        if model not in leading
        for name, said in getattr(model, "data_map", {}).items()
        if isinstance(said, Personal) and not said.secret and not _leads_only(model, name)
    }
    assert not unreachable


def _leads_only(model: type, name: str) -> bool:
    """A relation to many is told by the rows of the table between."""
    return bool(model._meta.get_field(name).many_to_many)  # type: ignore[attr-defined]


@pytest.mark.both_databases
@pytest.mark.proves("P16")
def test_a_correction_arrives_with_one_poll_and_an_import_leaves_it(
    camille: Computer, northwind: ServerHome, serving: RunningServer, proof: Proof
) -> None:
    chance, late, overwritten = random.Random(16), 0, 0
    trials = proof.trials(full=200, few=6)
    file = northwind.folder / "people.csv"
    camille.patch("/me", {"details": {"first_name": "Camille"}})
    said = Person.objects.get().email
    for number in range(trials):
        if number % 30 == 29:  # another computer of the same person, since each may ask so often a minute
            camille = bulk_data.connect(serving, Person.objects.get().email)
        name = "".join(chance.choices("abcdéèœ' -ñøüß漢字", k=20)).strip() + str(number)
        tag = camille.get("/feed").headers["ETag"]
        field = chance.choice(["first_name", "email"])
        value = name if field == "first_name" else f"person-{number}@northwind.example"
        assert camille.patch("/me", {"details": {field: value}}).ok
        if field == "email":
            run_command("corrections", "accept", CorrectionRequest.objects.get().pk)
        polled = camille.get("/feed", If_None_Match=tag)
        late += polled.status_code != 200 or polled.json()["person"][field] != value
        before = Person.objects.values_list("email", "first_name").get()
        said = chance.choice([said, before[0]])  # the directory follows, sooner or later
        file.write_text(f"email,first_name\n{said},Old name\n", encoding="utf-8")
        run_command("people", "import", file)
        overwritten += Person.objects.values_list("email", "first_name").get() != before
    proof.found("corrections that the next poll did not bring", late, trials)
    proof.found("corrections that an import took back", overwritten, trials)
    assert (late, overwritten) == (0, 0)
