"""“Show it on my computer”: a test for the author alone, for an hour, of which nothing is known but that it was shown."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from server.access.roles import Role
from server.accounts.models import Account
from server.acknowledgements.models import Acknowledgement
from server.audit.models import Entry
from server.campaigns.models import Campaign, Media
from server.core import clock
from server.directory.models import Company, Person
from server.drafts.fields import new_fields
from server.drafts.files import MOST_BYTES, add
from server.drafts.models import Draft, Trial
from server.drafts.publication import seal_of
from server.drafts.writing import Change, begin, change
from server.media.checks import CheckedFile
from server.media.files import path_of
from server.retention.housekeeping import housekeeping
from server.signals.models import Signal
from server.signing.signers import public_keys
from tests.support.pictures import png
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.wire import payload, verified

PAINTER = ("/bin/sh", "-c", 'cat > /dev/null; for n in 1 2 3 4 5 6; do echo png > "$0/$n.png"; done')
TAKES = {"Tidings-Trials": "shown", "Tidings-Feed": "signed"}
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def lea(northwind: ServerHome) -> Iterator[Account]:
    """A communicator who is among five people; four eyes are wanted for more than one."""
    people = bulk_data.add_people(5)
    Company.objects.update(second_person_from=1)
    yield made(people[0].email)
    Company.objects.update(second_person_from=None)
    Draft.objects.all().delete()
    Account.objects.all().delete()


@contextmanager
def console() -> Iterator[None]:
    """Let this process be the console for a while; else it is the agents' API."""
    with console_settings(), override_settings(RENDER_COMMAND=PAINTER):
        caches["previews"].clear()
        yield
    cache.clear()


def made(email: str, role: Role = Role.COMMUNICATOR) -> Account:
    with console():
        return account_of(email, role)


def post(account: Account, path: str, body: dict[str, str] | None = None) -> Any:
    with console(), clock.using(lambda: NOW):
        return client_of(account).post(path, body or {})


def page_of(account: Account, draft: Draft) -> str:
    with console(), clock.using(lambda: NOW):
        return str(client_of(account).get(f"/drafts/{draft.draft_id}/check").content.decode())


def written(account: Account, title: str = "The studio opens") -> Draft:
    draft = begin(account, "en")
    fields = new_fields("en") | {"sender": "Internal news", "acknowledge": True}
    link = {"id": "l1", "label": "The plan", "url": "https://intranet.northwind.example/plan"}
    fields["variants"]["en"] |= {"title": title, "links": [link]}
    return change(draft, account, draft.revision, Change(fields, everyone=True))


def own(account: Account) -> Person:
    return Person.objects.get(email=account.email)


def another(account: Account) -> Person:
    return Person.objects.exclude(email=account.email).order_by("email")[0]


def fresh(draft: Draft) -> Draft:
    return Draft.objects.select_related("company").get(pk=draft.pk)


class Computer:
    """A person's computer, which polls as an agent does."""

    def __init__(self, person: Person) -> None:
        self.token = bulk_data.add_computers([person])[0]
        self.tag = ""

    def poll(self, at: datetime = NOW, **headers: str) -> dict[str, Any] | None:
        """The feed, or None for a 304. With no headers as an agent of an older version."""
        headers |= {"Authorization": f"Bearer {self.token}"} | (
            {"If-None-Match": self.tag} if self.tag else {}
        )
        with clock.using(lambda: at):
            answer = Client().get("/api/v1/feed", headers=headers)
        self.tag = answer["ETag"]
        return answer.json() if answer.status_code == 200 else None

    def post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return Client().post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def press(account: Account, draft: Draft) -> None:
    """What the button of the check page does, which is one click."""
    address = f"/drafts/{draft.draft_id}"
    seal = seal_of(fresh(draft))
    answer = post(account, f"{address}/show", {"seal": seal})
    assert answer.headers.get("Location") == f"{address}/check", answer.content.decode()


def shown(feed: dict[str, Any] | None) -> list[str]:
    """The titles of the tests in a feed, verified as an agent does."""
    assert feed is not None
    found = [
        verified(document, public_keys("northwind"), "campaign", "tidings-trial")
        for document in feed.get("trials", [])
    ]
    return [each["content"]["campaign"]["variants"]["en"]["title"] for each in found]


def test_files_of_tests_are_no_more_than_those_of_all_drafts_may_be(lea: Account) -> None:
    Computer(own(lea)).poll(**TAKES)
    draft = written(lea)
    left_over = path_of("northwind", "0" * 64)
    left_over.parent.mkdir(parents=True, exist_ok=True)
    left_over.touch()
    try:
        os.truncate(left_over, MOST_BYTES)  # a sparse file: it takes no room on the disk
        press(lea, draft)
        os.truncate(left_over, MOST_BYTES + 1)
        answer = post(lea, f"/drafts/{draft.draft_id}/show", {"seal": seal_of(fresh(draft))})
        assert answer.status_code == 409
        assert "more than 2048 MB together" in answer.content.decode()
    finally:
        left_over.unlink()


def test_the_author_alone_gets_it_for_an_hour_and_an_older_agent_never(lea: Account) -> None:
    me, other = Computer(own(lea)), Computer(another(lea))
    old = Computer(own(lea))
    for each in (me, other):
        each.poll(**TAKES)
    before = old.poll()
    draft = written(lea)
    assert "Show it on my computer" in page_of(lea, draft)
    press(lea, draft)
    feed = me.poll(**TAKES)
    assert shown(feed) == ["The studio opens"]
    assert feed is not None
    listed = payload(feed["statement"])["content"]["campaigns"]
    assert (feed["campaigns"], listed) == ([], {}), "it is no campaign"
    assert me.poll(**TAKES) is None
    assert other.poll(**TAKES) is None, "nobody else's feed is another one"
    assert old.poll() is None
    old.tag = ""
    assert old.poll() == before
    change(draft, lea, draft.revision, Change(written(lea, "Changed").fields, everyone=True))
    me.tag = ""
    assert shown(me.poll(**TAKES)) == ["The studio opens"], "it stays as it was"
    assert "Show it once more" in page_of(lea, draft)
    assert shown(me.poll(NOW + timedelta(minutes=60), **TAKES)) == []
    with clock.using(lambda: NOW + timedelta(minutes=60)):
        housekeeping()
    assert not Trial.objects.exists()


def test_no_signal_for_it_is_taken_and_nothing_stands_anywhere_but_on_record(lea: Account) -> None:
    person = own(lea)
    me = Computer(person)
    receipts = life.share_all([person], ("seen", "click", "like"))[person.pk]
    draft = written(lea)
    press(lea, draft)
    trial = Trial.objects.get()
    event = {"event_id": "0f0f0f0f-0000-4000-8000-000000000001", "campaign_id": trial.trial_id}
    for signal, more in (("seen", {}), ("click", {"link_id": "l1"}), ("like", {"value": 1, "seq": 1})):
        one = event | {"signal": signal, "date": str(NOW.date()), "receipt_id": str(receipts[signal])} | more
        assert me.post("signals", {"events": [one]}).status_code == 422
        one["campaign_id"] = trial.trial_id.replace("t-", "c-")
        assert me.post("signals", {"events": [one]}).json()["results"][0]["status"] == "refused"
    read = event | {"time": NOW.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert me.post("acknowledgements", read).status_code == 422
    assert not Signal.objects.exists()
    assert not Acknowledgement.objects.exists()
    assert not Campaign.objects.exists()
    (entry,) = Entry.objects.filter(action="show-test", detail__contains=draft.draft_id)
    assert entry.actor == lea.actor
    assert json.loads(entry.detail) == {"draft": draft.draft_id, "digest": seal_of(fresh(draft))}
    person.delete()
    assert not Trial.objects.exists(), "it goes with the person"


@pytest.mark.both_databases
def test_there_is_one_at_a_time_and_it_ends_with_its_draft(lea: Account) -> None:
    me = Computer(own(lea))
    first, second = written(lea), written(lea, "The other one")
    press(lea, first)
    press(lea, second)
    assert shown(me.poll(**TAKES)) == ["The other one"]
    post(lea, f"/drafts/{second.draft_id}/delete", {"revision": str(second.revision)})
    assert shown(me.poll(**TAKES)) == []
    press(lea, first)
    assert shown(me.poll(**TAKES)) == ["The studio opens"]
    Company.objects.update(second_person_from=None)
    post(lea, f"/drafts/{first.draft_id}/publish", {"seal": seal_of(fresh(first)), "people": "5"})
    feed = me.poll(datetime.now(UTC), **TAKES)
    assert (shown(feed), len(feed["campaigns"] if feed else [])) == ([], 1)


def test_who_has_no_computer_under_their_address_is_told_and_none_is_made(lea: Account) -> None:
    stranger = made("ines@northwind.example")
    for account in (lea, stranger):
        draft = written(account)
        page = page_of(account, draft)
        assert f"connect one as {account.email}" in page
        assert "Show it on my computer" not in page
        answer = post(account, f"/drafts/{draft.draft_id}/show", {"seal": seal_of(fresh(draft))})
        assert answer.status_code == 409
        assert "There is no computer to show it on" in answer.content.decode()
    assert not Trial.objects.exists()
    draft = written(lea)
    Computer(own(lea))
    answer = post(lea, f"/drafts/{draft.draft_id}/show", {"seal": "of something else"})
    assert answer.status_code == 409
    assert "It was changed since you looked" in answer.content.decode()
    council = made("council@northwind.example", Role.WORKS_COUNCIL)
    assert post(council, f"/drafts/{draft.draft_id}/show").status_code == 403
    assert not Trial.objects.exists()


@pytest.mark.both_databases
def test_a_poll_that_finds_nothing_new_stays_one_query_for_all(lea: Account) -> None:
    me, other = Computer(own(lea)), Computer(another(lea))
    press(lea, written(lea))
    for computer in (me, other):
        computer.poll(**TAKES)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert computer.poll(**TAKES) is None
        assert len(queries) == 1


def test_its_picture_is_there_for_its_author_alone_and_while_it_lasts(lea: Account) -> None:
    me, other = Computer(own(lea)), Computer(another(lea))
    draft = written(lea)
    row = add(draft, "plan", CheckedFile(png((2, 2), 8, 2, lambda *_: (9, 120, 110)), Media.Type.PNG, 2, 2))
    fields = draft.fields
    fields["variants"]["en"]["image"] = {"file": row.name, "alt": "The plan"}
    press(lea, change(draft, lea, draft.revision, Change(fields, everyone=True)))
    assert not Media.objects.exists(), "nothing of it stays"
    (document,) = (me.poll(**TAKES) or {})["trials"]
    image = payload(document)["content"]["campaign"]["variants"]["en"]["image"]

    def statuses(at: datetime) -> list[int]:
        found = []
        for computer in (me, other):
            headers = {"Authorization": f"Bearer {computer.token}"}
            with clock.using(lambda: at):
                answer = Client().get(f"/api/v1/media/{image['sha256']}", headers=headers)
            found.append(answer.status_code)
            answer.close()
        return found

    place = path_of("northwind", image["sha256"])
    os.utime(place, (0, 0))
    for at, seen, is_kept in ((NOW, [200, 404], True), (NOW + timedelta(minutes=60), [404, 404], False)):
        with clock.using(lambda at=at: at):
            housekeeping()
        assert (statuses(at), place.exists()) == (seen, is_kept)
