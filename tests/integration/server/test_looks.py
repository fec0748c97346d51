"""Who approves an announcement, or looks at it afterwards, sees all that it says and shows, and to whom."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.core.cache import cache, caches
from django.test import Client, override_settings

from resources.sample.drawing import gradient
from server.access.roles import Role
from server.accounts.models import Account
from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.directory.models import Company, Group, Person
from server.drafts.approval import submit
from server.drafts.files import add
from server.drafts.models import Draft
from server.drafts.publication import publish_draft, seal_of
from server.drafts.writing import Change, begin, change
from server.media.images import encode
from server.publishing.recall import recall
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.drafting import PAINTER
from tests.support.server.run_command import run_command
from tests.support.server.submitting import MANY, a_film, fresh, wanted


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings(), override_settings(RENDER_COMMAND=PAINTER):
        caches["previews"].clear()
        bulk_data.add_people(6, "Lyon")
        bulk_data.add_people(6, "Paris")
        Company.objects.update(second_person_from=1)
        yield northwind
        Company.objects.update(second_person_from=None)
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()


@pytest.fixture
def ada(console: ServerHome) -> Account:
    return account_of("ada@northwind.example", Role.ADMINISTRATOR)


def approver(group: str) -> Client:
    """Of somebody who is bound to the group."""
    account = account_of(f"{group.lower()}@northwind.example", Role.APPROVER)
    run_command("console", "bind", account.email, "--group", group)
    return client_of(Account.objects.get(pk=account.pk))


def with_everything(account: Account) -> Draft:
    """An emergency for Lyon and one of its people by name, with a picture, a film and captions."""
    draft = begin(account, "en")
    picture = add(draft, "Lyon", encode(gradient(640, 360), "JPEG")).name
    said = wanted(urgency="emergency")
    said.fields["variants"]["en"]["image"] = {"file": picture, "alt": "The new <studio>"}
    said.fields["variants"]["fr"] = {"title": "Le studio", "body": "", "links": [], "video": a_film(draft)}
    lyon, person = Group.objects.get(name="Lyon"), Person.objects.get(email="p0@northwind.example")
    return fresh(
        change(draft, account, draft.revision, Change(said.fields, "A fire", False, [lyon], [person]))
    )


def shown(page: str) -> list[str]:
    """The addresses of what the list of texts shows: picture, poster, film and captions."""
    part = page.partition('class="text"')[2]
    return [unescape(one) for one in re.findall(r'(?:src|poster)="([^"]+)"', part)]


def read(browser: Client, where: str, part: str = "bytes=0-") -> tuple[int, str, bytes]:
    answer = browser.get(where, headers={"Range": part})
    content = b"".join(answer) if answer.streaming else answer.content
    answer.close()
    return answer.status_code, answer.headers["Content-Type"], content


def require_all(browser: Client, where: str) -> list[str]:
    page = browser.get(where).content.decode()
    files = shown(page)
    assert [read(browser, one)[1] for one in files] == [
        "image/jpeg",
        "image/jpeg",
        "video/mp4",
        "text/vtt; charset=utf-8",
    ]
    assert "0:02, " in page, "how long the film is"
    assert "Bonjour." in page, "what the captions say"
    assert "The new &lt;studio&gt;" in page
    return files


@pytest.mark.both_databases
def test_who_approves_or_looks_afterwards_sees_pictures_films_captions_and_names(ada: Account) -> None:
    lyon, paris = approver("Lyon"), approver("Paris")
    draft = with_everything(ada)
    submit(draft, ada, seal_of(draft))
    require_all(lyon, f"/drafts/{draft.draft_id}/check")
    assert "<li>p0@northwind.example</li>" in lyon.get(f"/drafts/{draft.draft_id}/check").content.decode()
    campaign = publish_draft(draft, seal_of(draft), MANY, ada)
    files = require_all(lyon, f"/campaigns/{campaign.campaign_id}")
    assert require_all(lyon, "/campaigns/alone") == files
    assert "<li>p0@northwind.example</li>" in lyon.get("/campaigns/alone").content.decode()
    looks = Entry.objects.filter(action="read-people", detail__contains=campaign.campaign_id)
    assert looks.count() == 2, "each time that people are shown by name"
    assert read(lyon, files[2], "bytes=4-7") == (206, "video/mp4", b"ftyp"), "a player seeks"
    assert [read(paris, one)[0] for one in files] == [404] * 4
    assert read(lyon, f"/campaigns/{campaign.campaign_id}/media/{64 * '0'}")[0] == 404
    recall(ada.company, campaign.campaign_id, ada.actor)
    assert require_all(lyon, "/campaigns/alone") == files, "who misuses it takes no proof away"
    assert [read(client_of(ada), one)[0] for one in files] == [404] * 4
    lyon.post("/campaigns/alone", {"campaign": campaign.campaign_id})
    assert [read(lyon, one)[0] for one in files] == [404] * 4
    assert Campaign.objects.get(pk=campaign.pk).alone_texts is None
