"""A draft is checked, and published as it was looked at, to whom the check named."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from server.access.roles import Role
from server.accounts.models import Account
from server.campaigns.models import Campaign
from server.console.pages import check
from server.console.pages.pictures import Shown
from server.directory.models import Company, Group
from server.drafts.fields import campaign_file, new_fields
from server.drafts.models import Draft
from server.drafts.writing import Change, begin, change
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of
from tests.support.server.drafting import (
    a_group,
    begun,
    company,
    draft_at,
    on_record,
    published,
    seal_on,
    sent,
    written,
)


@pytest.mark.both_databases
def test_what_is_written_is_published_to_whom_the_check_named(browser: Client) -> None:
    group = a_group()
    address = written(
        browser,
        audience="chosen",
        **{
            "add-group": "lyon STUDIO",
            "label1": "The plan",
            "url1": "https://intranet.northwind.example/plan",
        },
    )
    page = browser.get(f"{address}/check").content.decode()
    assert "Publish to 1 person" in page
    assert "https://intranet.northwind.example/plan" in page
    campaign = published(browser, address)
    assert campaign.content["variants"]["en"]["title"] == "The studio opens"
    assert list(campaign.audience_groups.all()) == [group]
    assert not campaign.to_everyone
    assert on_record("publish") == {"campaign": campaign.campaign_id}


def test_how_many_computers_are_connected_is_told_of_everybody_and_never_of_all(browser: Client) -> None:
    bulk_data.add_computers(list(company().people.all()))
    address = written(browser)
    for place in (address, f"{address}/check"):
        assert "connected computer" not in browser.get(place).content.decode()
    bulk_data.add_people(3)
    for place in (address, f"{address}/check"):
        assert "fewer than five have a connected computer" in browser.get(place).content.decode()
    bulk_data.add_computers(bulk_data.add_people(12, "Lyon"))
    for place in (address, f"{address}/check"):
        assert "at least 10 have a connected computer" in browser.get(place).content.decode()


def test_no_audience_that_somebody_chooses_tells_who_has_a_computer(browser: Client) -> None:
    bulk_data.add_computers(bulk_data.add_people(12, "Lyon"))
    address = written(browser, audience="chosen", **{"add-group": "Lyon"})
    for place in (address, f"{address}/check"):
        assert "connected computer" not in browser.get(place).content.decode()


def test_the_check_shows_pictures_of_each_language_and_window(browser: Client) -> None:
    address = written(browser)
    page = unescape(browser.get(f"{address}/check?scheme=dark&size=150").content.decode())
    found = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', page)
    assert [alt.splitlines()[0] for _src, alt in found] == ["The studio opens"] * 2
    for src, _alt in found:
        assert "scheme=dark" in src
        assert "size=150" in src
        answer = browser.get(src)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    for unknown in ("", "language=de&window=popup", "language=en&window=player"):
        seal = re.search("seal=[0-9a-f]{64}", page)
        assert seal
        whole = f"{address}/picture.png?{unknown}&{seal.group()}"
        assert browser.get(whole).status_code == 404
        assert browser.get(f"{address}/picture.png?{unknown}").status_code == 409


@pytest.mark.expected_logs("tidings-render: ")
def test_where_no_pictures_can_be_drawn_a_drawing_stands_and_the_campaign_can_be_published(
    browser: Client,
) -> None:
    with override_settings(RENDER_COMMAND=["/nothing/there"]):
        address = written(browser)
        page = browser.get(f"{address}/check").content.decode()
        assert "cannot draw the program" in page
        assert 'class="pop' in page
        assert "<img" not in page
        published(browser, address)


def test_a_draft_that_cannot_be_published_has_no_picture(browser: Client) -> None:
    address = written(browser, title="")
    answer = browser.get(f"{address}/picture.png?language=en&window=popup")
    assert answer.status_code == 409


def test_of_a_published_draft_nothing_stays_and_its_address_leads_to_the_campaign(browser: Client) -> None:
    address = written(browser)
    campaign = published(browser, address)
    draft = draft_at(address)
    assert draft.campaign == campaign
    assert draft.editor is None
    assert not draft.versions.exists()
    assert "The studio opens" not in str(draft.fields)
    for place in (address, f"{address}/check"):
        assert browser.get(place).headers["Location"] == f"/campaigns/{campaign.campaign_id}"
    assert "The studio opens" not in browser.get("/drafts").content.decode()


@pytest.mark.both_databases
def test_a_publication_that_is_sent_twice_is_one(browser: Client) -> None:
    address = written(browser)
    seal = seal_on(browser.get(f"{address}/check").content.decode())
    before = Campaign.objects.count()
    answers = [
        browser.post(f"{address}/publish", {"seal": seal, "people": "99"}).headers["Location"]
        for _ in range(2)
    ]
    assert len(set(answers)) == 1
    assert Campaign.objects.count() == before + 1


def test_two_drafts_that_say_the_same_are_two_campaigns(browser: Client) -> None:
    assert published(browser, written(browser)) != published(browser, written(browser))


def test_what_was_changed_since_somebody_looked_is_not_published(browser: Client, lea: Account) -> None:
    address = written(browser)
    seal = seal_on(browser.get(f"{address}/check").content.decode())
    browser.post(address, sent(address, title="Something else"))
    before = Campaign.objects.count()
    answer = browser.post(f"{address}/publish", {"seal": seal, "people": "99"})
    assert answer.status_code == 409
    assert "changed since you looked" in answer.content.decode()
    assert Campaign.objects.count() == before
    assert draft_at(address).fields["variants"]["en"]["title"] == "Something else"


@pytest.mark.both_databases
def test_what_a_colleague_changes_while_pictures_are_drawn_is_not_published(
    browser: Client, lea: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = written(browser, audience="chosen", person="ines@northwind.example")
    draw = check.drawn

    def drawn(draft: Draft, *words: Any) -> list[Shown]:
        """A colleague saves another audience meanwhile."""
        people = list(company().people.all())
        change(draft, lea, draft.revision, Change(draft.fields, "", False, [], people))
        return draw(draft, *words)

    monkeypatch.setattr(check, "drawn", drawn)
    page = browser.get(f"{address}/check").content.decode()
    assert "Publish to 1 person" in page
    answer = browser.post(f"{address}/publish", {"seal": seal_on(page), "people": "99"})
    assert answer.status_code == 409, f"published to {Campaign.objects.get().audience_people.count()} people"


@pytest.mark.both_databases
@pytest.mark.parametrize("seal", ["", "0" * 64, "\0", "é"])
def test_without_the_seal_of_what_was_looked_at_nothing_is_published(browser: Client, seal: str) -> None:
    address = written(browser)
    before = Campaign.objects.count()
    assert browser.post(f"{address}/publish", {"seal": seal, "people": "99"}).status_code == 409
    assert Campaign.objects.count() == before


def test_an_emergency_is_not_a_communicators_and_is_on_record_as_refused(browser: Client) -> None:
    address = written(browser, urgency="emergency", reason="A fire")
    page = browser.get(f"{address}/check").content.decode()
    assert "Publish to" not in page
    seal = seal_of_draft(address)
    assert browser.post(f"{address}/publish", {"seal": seal, "people": "99"}).status_code == 403
    assert on_record("denied")["right"] == "publish-emergencies"
    assert draft_at(address).campaign is None


def seal_of_draft(address: str) -> str:
    from server.drafts.publication import seal_of

    return seal_of(draft_at(address))


def test_an_emergency_asks_for_a_reason_and_a_fresh_second_factor(console: ServerHome) -> None:
    browser = client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))
    address = written(browser, urgency="emergency")
    assert "An emergency needs a reason" in browser.get(f"{address}/check").content.decode()
    browser.post(address, sent(address, urgency="emergency", reason="A fire in the hall"))
    seal = seal_on(browser.get(f"{address}/check").content.decode())
    answer = browser.post(f"{address}/publish", {"seal": seal, "people": "99"})
    assert answer.headers["Location"].startswith("/account/confirm")
    assert draft_at(address).campaign is None


def test_a_recall_names_how_many_it_is_for_and_leaves_no_text(browser: Client) -> None:
    campaign = published(browser, written(browser))
    place = f"/campaigns/{campaign.campaign_id}/recall"
    people = company().people.count()
    assert f"Recall for {people}" in browser.get(place).content.decode()
    assert browser.post(place).headers["Location"] == f"/campaigns/{campaign.campaign_id}"
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.RECALLED
    assert not campaign.content["variants"]
    assert browser.get(place).status_code == 302
    assert browser.post(f"/campaigns/{campaign.campaign_id}/duplicate").status_code == 409


def test_a_draft_of_another_company_is_unknown(console: ServerHome, browser: Client) -> None:
    address = written(browser)
    other, _made = Company.objects.get_or_create(pk="contoso", defaults={"name": "Contoso"})
    stranger = client_of(account_of("cleo@contoso.example", Role.ADMINISTRATOR, company="contoso"))
    try:
        for place in ("", "/check", "/campaign.toml", "/versions", "/delete"):
            assert stranger.get(address + place).status_code == 404, place
        for place in ("", "/publish", "/versions", "/delete"):
            assert stranger.post(address + place, {"seal": seal_of_draft(address)}).status_code == 404, place
        assert draft_at(address).campaign is None
    finally:
        Account.objects.filter(company=other).delete()
        other.delete()


def test_a_group_or_person_of_another_company_is_not_taken(console: ServerHome, browser: Client) -> None:
    other, _made = Company.objects.get_or_create(pk="contoso", defaults={"name": "Contoso"})
    try:
        group = Group.objects.create(company=other, name="Theirs")
        other.people.create(email="cleo@contoso.example")
        address = begun(browser)
        browser.post(
            address, sent(address, audience="chosen", group=[group.pk], person=["cleo@contoso.example"])
        )
        draft = draft_at(address)
        assert not draft.audience_groups.exists()
        assert not draft.audience_people.exists()
    finally:
        other.delete()


@pytest.mark.both_databases
def test_pages_of_drafts_need_few_queries_with_many_groups_and_many_drafts(browser: Client) -> None:
    address = written(browser)
    groups = Group.objects.bulk_create(Group(company=company(), name=f"Group {n}") for n in range(500))
    named = {"add-person": "ines@northwind.example", "group": [group.pk for group in groups[:5]]}
    some = written(browser, audience="chosen", **named)
    first = draft_at(address)
    Draft.objects.bulk_create(
        Draft(company=company(), fields=first.fields, edited_at=first.edited_at) for _number in range(60)
    )
    assert browser.get("/drafts").content.decode().count("<tr><th") == 51, "with the heading"
    assert browser.get("/drafts?page=2").content.decode().count("<tr><th") == 13
    for place in (address, f"{address}/check", some, f"{some}/check", "/drafts"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert browser.get(place).status_code == 200
        assert len(queries) <= 12, [query["sql"] for query in queries]


def test_who_leaves_is_not_named_in_a_draft_any_more(browser: Client, lea: Account) -> None:
    address = written(browser)
    person = company().people.create(email="gone@northwind.example")
    browser.post(address, sent(address, audience="chosen", **{"add-person": "gone@northwind.example"}))
    assert b"gone@northwind.example" in browser.get(f"{address}/campaign.toml").content
    person.delete()
    assert b"gone@northwind.example" not in browser.get(f"{address}/campaign.toml").content
    lea.delete()
    assert draft_at(address).editor is None


def test_a_year_after_its_last_change_a_draft_goes(browser: Client, lea: Account) -> None:
    from server.retention.housekeeping import housekeeping

    draft = begin(lea, "en")
    changed = change(draft, lea, draft.revision, Change(new_fields("en"), everyone=True))
    Draft.objects.filter(pk=changed.pk).update(edited_at=datetime.now(UTC) - timedelta(days=364))
    kept = begin(lea, "en")
    housekeeping()
    assert not Draft.objects.filter(pk=changed.pk).exists()
    assert Draft.objects.filter(pk=kept.pk).exists()
    assert campaign_file(kept)


@pytest.mark.both_databases
def test_a_draft_that_somebody_goes_on_with_while_old_ones_go_stays(
    lea: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.drafts import writing

    drafts = [begin(lea, "en"), begin(lea, "en")]
    Draft.objects.update(edited_at=datetime.now(UTC) - timedelta(days=364))
    real = writing.drop_all

    def drop(draft: Draft) -> None:
        real(draft)
        (other,) = [one for one in drafts if one.pk != draft.pk]
        change(other, lea, other.revision, Change(new_fields("en"), everyone=True))

    monkeypatch.setattr(writing, "drop_all", drop)
    assert writing.delete_old_drafts() == 1
    assert Draft.objects.get().to_everyone
