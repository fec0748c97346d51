"""A company with at least one row in every table. Use within `ServerHome.opened()`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago

if TYPE_CHECKING:
    from server.accounts.models import Account
    from server.directory.models import Person

PICTURE = b"\x89PNG\r\n\x1a\nneedle in a picture"


@dataclass(frozen=True)
class Whole:
    """`tokens`: of the computers of its people. `needles`: what is found wherever something of the company is."""

    tokens: list[str]
    needles: list[bytes]


def fill(home: ServerHome, people: int = 14) -> Whole:
    """Northwind with people, computers, a campaign with a picture, and a row of every other model."""
    from server.access.roles import Role
    from server.access.tokens import create
    from server.accounts.invitations import invite as invite_account
    from server.acknowledgements.recording import acknowledge
    from server.archives.rows import company_models, rows_of
    from server.audit import log
    from server.data_subject.details import correct
    from server.devices.enrolment import invite
    from server.devices.models import Device
    from server.devices.rotation import announce, settle
    from server.devices.tokens import new_token, token_hash
    from server.directory.models import Company, ImportProgress, KeptCorrection
    from server.erasure.requests import ask
    from server.mail.models import ConsoleMail, InvitationMail
    from server.notices.proposing import propose
    from server.reports.models import Suppression
    from server.reports.snapshots import make_if_due
    from server.signing.documents import publish_company

    everybody = bulk_data.add_people(people)
    tokens = bulk_data.add_computers(everybody)
    picture = bulk_data.add_media(PICTURE, "image/png")
    Company.objects.update(logo={"sha256": picture.sha256, "size": picture.size, "type": picture.type})
    company = bulk_data.company()
    publish_company(company)
    campaign = bulk_data.publish(
        "c-one", starts=an_hour_ago(), groups=["Everyone"], people=everybody[:2], media=[picture]
    )
    campaign.excluded_groups.add(company.groups.create(name="canary-nobody"))
    for person, receipts in zip(everybody, life.share_all(everybody).values(), strict=True):
        life.act(person, campaign, receipts["seen"])
    assert make_if_due(campaign)
    asking = bulk_data.publish("c-asking", starts=an_hour_ago(), acknowledge=True)
    first = everybody[0]
    acknowledge(life.caller(first), uuid4(), asking.campaign_id, datetime.now(UTC))
    invite(first, timedelta(days=1))
    token, _text = create(company, Role.ADMINISTRATOR, "canary-token", timedelta(days=1), "test")
    account, _link = invite_account(company, "canary-account@northwind.example", [Role.DPO], "test")
    for bound in (token, account):
        bound.bound_groups.set(company.groups.all())
    _write_draft(account, first)
    for scope in (account.scope, token.scope):
        scope.note_publisher(campaign)
    ask(account, [first.pk])
    company.processors.create(
        name="canary-host", service="hosting", country="France", since=datetime.now(UTC).date()
    )
    propose(account, {"en": "canary-notice"}, company.notice_version())
    ImportProgress.objects.create(company=company, order="canary", reached=2)
    now = datetime.now(UTC)
    ConsoleMail.objects.create(account=account, kind="notice", path="canary", queued_at=now, next_at=now)
    InvitationMail.objects.create(person=first, days=7, queued_at=now, next_at=now)
    log.record(company, "agent", "read-own-data", first.pk)
    named: dict[str, str | list[str]] = {
        "title": "canary-title",
        "site_addresses": ["canary-site"],
        "email": "canary@northwind.example",
    }
    correct(first.pk, company.pk, named)
    KeptCorrection.objects.create(person=first, field="last_name", replaced=64 * "0")
    old, tokens[0] = token_hash(tokens[0]), new_token()
    announce(Device.objects.get(token_hash=old).pk, old, token_hash(tokens[0]))
    settle(token_hash(tokens[0]))
    Suppression.objects.create(person=everybody[-1], signal="like")
    assert all(rows_of(model, company.pk).exists() for model in company_models())
    keys = [file.read_bytes() for file in (home.folder / "keys").rglob("*.json")]
    (home.folder / "company.toml").unlink()
    company.refresh_from_db()
    texts = [
        b"canary-",
        b"@northwind.example",
        b"Northwind",
        company.document.encode(),
        campaign.document.encode(),
    ]
    return Whole(tokens, [*texts, PICTURE, *keys])


def _write_draft(account: "Account", person: "Person") -> None:
    """A draft with an earlier version and a file, for a group and for a person by name, who has a test of it."""
    from server.campaigns.models import Media
    from server.drafts import uploads
    from server.drafts.fields import new_fields
    from server.drafts.files import add
    from server.drafts.models import Trial
    from server.drafts.writing import Change, begin, change
    from server.media.checks import CheckedFile

    groups = list(account.company.groups.filter(name="Everyone"))
    nobody = list(account.company.groups.filter(name="canary-nobody"))
    draft = begin(account, "en")
    for title in ("canary-draft", "canary-draft again"):
        fields = new_fields("en")
        fields["variants"]["en"]["title"] = title
        draft = change(
            draft, account, draft.revision, Change(fields, "canary-reason", False, groups, [person], nobody)
        )
    add(draft, "plan", CheckedFile(b"a picture", Media.Type.PNG, 1, 1))
    ends = datetime.now(UTC) + timedelta(hours=1)
    Trial.objects.create(draft=draft, person=person, document="canary-test", ends=ends)
    uploads.begin(draft, account, "plan.mp4", 1)


def found_under(folder: Path, needles: list[bytes]) -> list[tuple[str, bytes]]:
    """Which needles lie in which files of the folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [
        (file.name, needle)
        for file in files
        for content in [file.read_bytes()]
        for needle in needles
        if needle in content
    ]
