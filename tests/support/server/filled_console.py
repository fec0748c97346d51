"""A console whose company has campaigns, drafts, people and what they did; and one that has nothing."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from resources.sample.drawing import gradient
from tests.support.server import (
    bulk_data,
    django_ready,  # noqa: F401
)
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    RunningConsole,
    account_of,
    client_of,
    console_settings,
    running_console,
)

if TYPE_CHECKING:
    from server.accounts.models import Account
    from server.campaigns.models import Campaign
    from server.directory.models import Person

SESSION = "tidings-session"
INTRANET = "https://intranet.northwind.example"
READY, UNREADY, WAITING = "a" * 16, "b" * 16, "c" * 16
"""Drafts."""
TEMPLATE = "A studio opens"
SEEN = "c-news-8"
"""A campaign that has figures."""


@dataclass(frozen=True)
class Filled:
    """A console with a company that has campaigns and one that has nothing. Sessions: by who is signed in."""

    running: RunningConsole
    link: str
    sessions: dict[str, str]

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.running.url


@contextlib.contextmanager
def filled_console(folder: Path) -> Iterator[Filled]:
    """It runs at `localhost`, since a bare address has no passkeys."""
    home = ServerHome(folder)
    home.init()
    with running_console(home, named=True) as running:
        yield Filled(running, running.invite("welcome@northwind.example", "dpo"), _fill(home))


def _fill(home: ServerHome) -> dict[str, str]:
    from server.access.roles import Role
    from server.campaigns.models import Campaign
    from server.data_subject.models import CorrectionRequest
    from server.directory.models import Company, Notice
    from server.publishing.recall import recall

    now = datetime.now(UTC).replace(microsecond=0)
    with home.opened(), console_settings():
        people = bulk_data.add_people(12, "Lyon")
        bulk_data.add_people(7, "Paris")
        left_out = bulk_data.company().groups.create(name="Night shift")
        for number in range(60):
            starts = now + timedelta(days=2 - number, hours=number)
            groups = [["Lyon"], ["Lyon", "Paris"], []][number % 3]
            excluded = [left_out.name] if number % 9 in {0, 8} else []
            lasts = timedelta(days=4)
            bulk_data.publish(
                f"c-news-{number}", starts=starts, groups=groups, excluded=excluded, lasts=lasts
            )
        recall(bulk_data.company(), "c-news-5", "command-line")
        Campaign.objects.filter(campaign_id=SEEN).update(alone_by="command-line", alone_because="On leave")
        _some_react(people, Campaign.objects.get(campaign_id=SEEN))
        _write_drafts(account_of("noor@northwind.example", Role.APPROVER))
        _show_all(Campaign.objects.get(campaign_id=SEEN))
        ines = bulk_data.company().people.create(email="ines@northwind.example")
        bulk_data.add_computers([ines])
        CorrectionRequest.objects.create(person=people[0], field="title", value="Head", requested_at=now)
        empty = Company.objects.create(id="empty", name="Empty", legal_name="Empty", region="eu")
        Notice.objects.create(company=empty, version=1, date=now.date(), text={"en": "x"})
        accounts = {
            "full": account_of("ines@northwind.example", Role.ADMINISTRATOR),
            "empty": account_of("tom@empty.example", Role.ADMINISTRATOR, company="empty"),
            "council": account_of("council@northwind.example", Role.WORKS_COUNCIL),
        }
        _have_converted(accounts["full"])
        return {name: str(client_of(account).cookies[SESSION].value) for name, account in accounts.items()}


def _write_drafts(author: "Account") -> None:
    """One that could be published, and one with mistakes; the first has an earlier version."""
    from server.drafts.approval import submit
    from server.drafts.fields import new_fields
    from server.drafts.files import add
    from server.drafts.models import Draft
    from server.drafts.publication import seal_of
    from server.drafts.templates import keep
    from server.drafts.writing import Change, begin, change
    from server.media.images import encode
    from tests.support.server.submitting import a_film

    for draft_id, title in ((READY, "The studio in Lyon opens"), (UNREADY, ""), (WAITING, "A new rule")):
        draft = begin(author, "en")
        Draft.objects.filter(pk=draft.pk).update(draft_id=draft_id)
        draft.draft_id = draft_id
        picture = add(draft, "Lyon", encode(gradient(640, 360), "JPEG")).name if title else ""
        video = a_film(draft) if draft_id == READY else {}
        for text in ("Come and see it.", "Come and see it on Monday.\nThere is coffee."):
            fields = new_fields("en") | {"sender": "Internal news"}
            link = {"id": "l1", "label": "The plan", "url": f"{INTRANET}/plan"}
            fields["variants"]["en"] = {"title": title, "body": text, "links": [link]}
            fields["variants"]["fr"] = {"title": "", "body": "", "links": []} | (
                {"title": "Le studio de Lyon ouvre", "body": "Venez voir."} if title else {}
            )
            if picture:
                for variant in fields["variants"].values():
                    variant["image"] = {"file": picture, "alt": "The new studio"}
            if video:
                fields["variants"]["fr"]["video"] = video
            groups = list(author.company.groups.filter(name="Lyon")) if title else []
            excluded = list(author.company.groups.filter(name="Night shift")) if video else []
            draft = change(draft, author, draft.revision, Change(fields, "", False, groups, [], excluded))
    author.company.second_person_from = 5
    author.company.save()
    submit(draft, author, seal_of(draft))
    keep(Draft.objects.get(draft_id=READY), author, TEMPLATE)


def _show_all(campaign: "Campaign") -> None:
    """Have the campaign show what the first draft shows, for one of its people by name, too."""
    from server.campaigns.models import Campaign
    from server.drafts.models import Draft
    from server.drafts.publication import check_draft
    from server.media.rows import media_row, store_checked

    checked = check_draft(Draft.objects.get(draft_id=READY)).checked
    shown = checked.content["variants"]["fr"]
    content = campaign.content
    for variant in content["variants"].values():
        variant |= {"image": shown["image"], "video": shown["video"]}
    Campaign.objects.filter(pk=campaign.pk).update(content=content)
    for sha256, file in checked.media.items():
        store_checked(campaign.company, file)
        campaign.media.add(media_row(campaign.company, sha256, file))
    campaign.audience_people.add(campaign.company.people.order_by("email")[0])


def _have_converted(account: "Account") -> None:
    """A video of a phone that is converted, and one that cannot be."""
    from django.utils import timezone

    from server.drafts.models import Draft, DraftUpload

    draft, words = Draft.objects.get(draft_id=READY), {"begun_at": timezone.now(), "length": 0}
    names = draft.fields["variants"]["fr"]["video"]
    done = {"name": "IMG 0817.mov", "video": names["file"], "poster": names["poster"]}
    why = "“old.avi” is damaged, or of a kind that ffmpeg does not read; copy or export it again."
    failed = {"name": "old.avi", "told": why}
    for stage, told in ((DraftUpload.Stage.CONVERTED, done), (DraftUpload.Stage.FAILED, failed)):
        DraftUpload.objects.create(draft=draft, account=account, stage=stage, **words, **told)


def _some_react(people: "list[Person]", campaign: "Campaign") -> None:
    """All share, and most have seen it."""
    from server.reports.snapshots import make_if_due, newest

    receipts = life.share_all(people, ("seen", "click", "like"))
    for person in people[:9]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    assert make_if_due(campaign)
    assert newest(campaign).figures[0].people == 9, "there is something to look at"
