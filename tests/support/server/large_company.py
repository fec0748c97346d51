"""A company as large as wanted, put into a server's database by bulk inserts. Use within `ServerHome.opened()`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from tests.support.server import bulk_data
from tests.support.server.wire import an_hour_ago

if TYPE_CHECKING:
    from django.db.models import Model

    from server.campaigns.models import Campaign
    from server.directory.models import Company

ROWS_AT_ONCE = 500
SIGNALS = ("seen", "click", "like")
GROUPS = 100


def store(rows: Iterable[Model]) -> None:
    """Insert rows of one model, without holding all of them."""
    waiting = iter(rows)
    while some := list(islice(waiting, ROWS_AT_ONCE)):
        type(some[0])._default_manager.bulk_create(some)


def address(number: int) -> str:
    """Of the person with this number."""
    return f"p{number}@northwind.example"


def people(count: int, groups: int = GROUPS) -> list[UUID]:
    """People, each in a group of everybody and in one of so many others. Answers their ids."""
    from server.directory.models import Group, Person

    owner = bulk_data.company()
    names = ["Everyone", *(f"G{number}" for number in range(groups))]
    everyone, *others = Group.objects.bulk_create(Group(company=owner, name=name) for name in names)
    ids = [uuid4() for _number in range(count)]
    store(
        Person(pk=pk, company=owner, email=address(number), first_name=f"P{number}")
        for number, pk in enumerate(ids)
    )
    membership = Person.groups.through
    store(
        membership(person_id=pk, group_id=group.pk)
        for number, pk in enumerate(ids)
        for group in (everyone, others[number % groups])
    )
    return ids


def campaigns(
    count: int, ids: Sequence[UUID], newest: datetime | None = None, apart: timedelta = timedelta(0)
) -> list[Campaign]:
    """Campaigns `c-0` and so on, signed, with their keys and two links each.

    `c-0` starts two hours ago, or when `newest` says; each other one so long before the one before it.

    Of ten one is due to be closed, one is for two groups, one of a hundred is for twenty people, and the others are open
    and for everyone. `c-1` asks people to confirm.
    """
    from server.campaigns.models import Campaign, Link
    from server.signals.models import CampaignKey

    starts = newest or an_hour_ago() - timedelta(hours=1)
    first = bulk_data.publish("c-0", starts=starts, links=("l1", "l2"))
    made = list(_campaigns(first, range(1, count), apart))
    store(made)
    store(CampaignKey(campaign=one, key=os.urandom(32)) for one in made)
    store(
        Link(campaign=one, link_id=link, label=f"Label {link}", url=f"https://northwind.example/{link}")
        for one in made
        for link in ("l1", "l2")
    )
    groups = list(first.company.groups.exclude(name="Everyone").order_by("pk").values_list("pk", flat=True))
    in_groups = Campaign.audience_groups.through
    store(
        in_groups(campaign_id=one.pk, group_id=groups[(number + step) % len(groups)])
        for number, one in enumerate(made, start=1)
        if _kind(number) == "groups"
        for step in (0, 1)
    )
    by_name = Campaign.audience_people.through
    store(
        by_name(campaign_id=one.pk, person_id=ids[(number * 20 + step) % len(ids)])
        for number, one in enumerate(made, start=1)
        if _kind(number) == "named"
        for step in range(min(20, len(ids)))
    )
    return [first, *made]


def _kind(number: int) -> str:
    if number % 100 == 50:
        return "named"
    return {3: "groups", 7: "due"}.get(number % 10, "everyone")


def _campaigns(first: Campaign, numbers: Iterable[int], apart: timedelta) -> Iterator[Campaign]:
    from server.campaigns.models import Campaign
    from server.core.clock import utc_text
    from server.signing.documents import sign_campaign

    for number in numbers:
        kind = _kind(number)
        since = number * apart + (timedelta(days=90) if kind == "due" else timedelta(0))
        starts, ends = first.starts - since, first.ends - since
        content = first.content | {
            "starts": utc_text(starts),
            "ends": utc_text(ends),
            "acknowledge": number == 1,
        }
        document = sign_campaign(first.company, f"c-{number}", content, ends)
        yield Campaign(
            company=first.company,
            campaign_id=f"c-{number}",
            sender=first.sender,
            starts=starts,
            ends=ends,
            published_at=starts,
            content=content,
            document=document.jws,
            counter=document.counter,
            to_everyone=kind in ("everyone", "due"),
            notice_version=first.notice_version,
            counted=first.counted,
            acknowledge=number == 1,
        )


def consents(ids: Sequence[UUID], *, signed: bool = True) -> None:
    """Everybody shares everything, and has signed receipts of that; or none, where nobody looks at them."""
    from server.feedback.consents import Decision, _receipt
    from server.signals.models import Consent

    owner, now = bulk_data.company(), an_hour_ago()
    given = (
        (person, Decision(uuid4(), signal, "given", owner.notice_version(), now, "en", "0.1.0"))
        for signal in SIGNALS
        for person in ids
    )
    store(
        Consent(person_id=person, receipt=_receipt(owner, decision, 0) if signed else "", **vars(decision))
        for person, decision in given
    )


def signals(campaign: Campaign, ids: Iterable[UUID], kinds: Sequence[str] = SIGNALS) -> None:
    """These people did all of it on the campaign's first day."""
    from server.signals.keys import person_key
    from server.signals.models import Signal

    key = campaign.key.key
    extras: dict[str, dict[str, Any]] = {
        "seen": {},
        "click": {"link_id": "l1"},
        "like": {"value": 1, "seq": 1},
    }
    store(
        Signal(
            campaign=campaign,
            event_id=uuid4(),
            person_key=person_key(key, person),
            signal=kind,
            date=campaign.starts.date(),
            **extras[kind],
        )
        for person in ids
        for kind in kinds
    )


def computers(ids: Sequence[UUID]) -> None:
    """One for each, of which one in ten is disconnected; the others have had two tokens before."""
    from server.devices.models import Device, SpentToken

    store(
        Device(
            person_id=person,
            token_hash=os.urandom(32).hex(),
            platform="linux",
            agent_version="0.1.0",
            revoked_at=an_hour_ago() if number % 10 == 0 else None,
        )
        for number, person in enumerate(ids)
    )
    now = an_hour_ago()
    store(
        SpentToken(device_id=device, token_hash=os.urandom(32).hex(), grace_until=grace)
        for device in Device.objects.filter(revoked_at=None).values_list("pk", flat=True)
        for grace in (None, now)
    )


def invitations(ids: Iterable[UUID], expired: datetime) -> None:
    """One for each, which is not used and has expired."""
    from server.devices.models import Invitation

    store(Invitation(person_id=person, code_hash=os.urandom(32).hex(), expires_at=expired) for person in ids)


def corrections(ids: Iterable[UUID]) -> None:
    """Each of them wants a title."""
    from server.data_subject.models import CorrectionRequest

    now = an_hour_ago()
    store(
        CorrectionRequest(person_id=person, field="title", value="Engineer", requested_at=now)
        for person in ids
    )


def acknowledgements(campaign: Campaign, ids: Iterable[UUID]) -> None:
    """All of them confirmed the campaign."""
    from server.acknowledgements.models import Acknowledgement

    now = an_hour_ago()
    store(
        Acknowledgement(campaign=campaign, person_id=person, event_id=uuid4(), time=now, received_at=now)
        for person in ids
    )


def audit_entries(owner: Company, count: int) -> None:
    """Let the audit log of a company that has some entries go on with so many, and the data folder know its end."""
    from server.audit import chain_heads, log
    from server.audit.models import Chain, Entry

    chain = Chain.objects.get(company=owner)

    def entries() -> Iterator[Entry]:
        for _number in range(count):
            entry = Entry(
                company=owner,
                number=chain.number + 1,
                time="2026-11-23T09:00:00Z",
                actor="command-line",
                action="read-devices",
                detail="{}",
                previous=chain.digest,
            )
            entry.digest = log.digest(entry)
            chain.number, chain.digest = entry.number, entry.digest
            yield entry

    store(entries())
    chain.save()
    chain_heads.forget(owner.pk)
    chain_heads.begin(owner.pk, chain_heads.Kept(chain_heads.Head(chain.number, chain.digest)))


def erased_before(owner: Company, count: int) -> None:
    """Let the erasure ledger have so many lines about people who are not here any more."""
    from django.db import transaction

    from server.erasure_ledger import ledger

    with transaction.atomic():
        ledger.write(
            ledger.Fact("person-erased", owner.pk, person=ledger.person_hash(uuid4()))
            for _number in range(count)
        )
