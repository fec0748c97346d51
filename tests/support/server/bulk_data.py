"""Companies, people, campaigns and computers put straight into a server's database. Use within `ServerHome.opened()`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.campaigns.models import Campaign, Media
    from server.directory.models import Company, Person
    from tests.support.server.campaign_server import Computer, RunningServer

STARTS = datetime(2026, 11, 23, 9, tzinfo=UTC)


def company() -> Company:
    """The first company of the server."""
    from server.directory.models import Company

    return Company.objects.order_by("created_at")[:1].get()


def add_people(count: int, group: str = "Everyone") -> list[Person]:
    """People `p0@northwind.example`, `p1@…` and so on, all in one group."""
    from server.directory.models import Group, Person

    owner = company()
    members, _ = Group.objects.get_or_create(company=owner, name=group)
    start = Person.objects.filter(company=owner).count()
    people = Person.objects.bulk_create(
        Person(company=owner, email=f"p{start + number}@northwind.example", first_name=f"P{start + number}")
        for number in range(count)
    )
    members.people.add(*people)
    return people


def add_computers(people: Sequence[Person]) -> list[str]:
    """One connected computer for each person. Answers their device tokens."""
    from server.devices.models import Device
    from server.devices.tokens import new_token, token_hash

    tokens = [new_token() for _ in people]
    Device.objects.bulk_create(
        Device(person=person, token_hash=token_hash(token), platform="linux", agent_version="0.1.0")
        for person, token in zip(people, tokens, strict=True)
    )
    return tokens


def connect(server: RunningServer, email: str) -> Computer:
    """Invite a person here and enrol a computer of theirs there, which takes no process for the invitation."""
    from server.devices.enrolment import invite
    from server.directory.models import Person

    return server.enrol(invite(Person.objects.get(company=company(), email=email), timedelta(days=1)))


def add_media(content: bytes, kind: str) -> Media:
    """Store a file as media of the first company; `kind` is its media type."""
    from server.campaigns.models import Media
    from server.media.files import store

    owner = company()
    sha256, size = store(owner.id, BytesIO(content))
    return Media.objects.create(company=owner, sha256=sha256, size=size, type=kind)


def publish(
    campaign_id: str,
    *,
    starts: datetime = STARTS,
    lasts: timedelta = timedelta(days=7),
    groups: Sequence[str] = (),
    people: Sequence[Person] = (),
    excluded: Sequence[str] = (),
    media: Sequence[Media] = (),
    links: Sequence[str] = ("l1",),
    variants: Mapping[str, Sequence[str]] | None = None,
    acknowledge: bool = False,
    owner: Company | None = None,
) -> Campaign:
    """Sign and store a campaign: to these groups and people, or to everyone if none are named, but not to `excluded` groups.

    `variants`: the link ids of each, the default one first; `video` among them is the video. Without it there is one
    variant, with `links`.
    """
    from django.db import transaction

    from server.campaigns.countable import counted_as
    from server.campaigns.models import Campaign, Link
    from server.core.clock import utc_text
    from server.directory.models import Group
    from server.signals.keys import create_key
    from server.signing.documents import sign_campaign

    owner, ends = owner or company(), starts + lasts
    contents = {language: _variant(campaign_id, ids) for language, ids in (variants or {"en": links}).items()}
    named = {link["link_id"]: link for content in contents.values() for link in content["links"]}
    content = {
        "status": "live",
        "sender": "Internal news",
        "urgency": "normal",
        "acknowledge": acknowledge,
        "starts": utc_text(starts),
        "ends": utc_text(ends),
        "default_language": next(iter(contents)),
        "variants": contents,
    }
    with transaction.atomic():
        document = sign_campaign(owner, campaign_id, content, ends)
        campaign = Campaign.objects.create(
            company=owner,
            campaign_id=campaign_id,
            sender="Internal news",
            acknowledge=acknowledge,
            starts=starts,
            ends=ends,
            content=content,
            document=document.jws,
            counter=document.counter,
            to_everyone=not (groups or people),
            minimum=owner.minimum,
            notice_version=owner.notice_version(),
            counted=counted_as(content),
        )
        campaign.audience_groups.set(Group.objects.filter(company=owner, name__in=groups))
        campaign.audience_people.set(people)
        campaign.excluded_groups.set(Group.objects.filter(company=owner, name__in=excluded))
        campaign.media.set(media)
        Link.objects.bulk_create(
            Link(campaign=campaign, link_id=link["link_id"], label=link["label"], url=link["url"])
            for link in named.values()
        )
        create_key(campaign)
        owner.feeds_changed()
    return campaign


def _variant(campaign_id: str, ids: Sequence[str]) -> dict[str, Any]:
    video = {"title": "A video"} if "video" in ids else None
    links = [
        {"link_id": name, "label": f"Label {name}", "url": f"https://northwind.example/{name}"}
        for name in ids
        if name != "video"
    ]
    return {"title": f"About {campaign_id}", "body": "", "image": None, "video": video, "links": links}
