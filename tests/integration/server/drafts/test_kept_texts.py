"""What is typed into a draft is kept: by itself, beside colleagues, in versions, and whatever it is."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.directory.models import Company, Person
from server.drafts.fields import new_fields
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
    published,
    sent,
    written,
)


@pytest.mark.both_databases
def test_who_saves_over_a_colleague_is_asked_first_and_loses_nothing(
    console: ServerHome, browser: Client
) -> None:
    address = written(browser)
    old = sent(address, title="Mine")
    other = client_of(account_of("noor@northwind.example", Role.APPROVER))
    assert other.post(address, sent(address, title="Theirs")).status_code == 302
    answer = browser.post(address, old)
    page = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "noor@northwind.example saved it" in page
    assert 'value="Mine"' in page
    assert draft_at(address).fields["variants"]["en"]["title"] == "Theirs"
    assert browser.post(address, sent(address, title="Mine")).status_code == 302
    versions = browser.get(f"{address}/versions").content.decode()
    assert re.search(r"Title \(English\)</th><td[^>]*>Theirs</td><td[^>]*>Mine<", versions)
    number = draft_at(address).versions.order_by("-pk")[0].pk
    browser.post(f"{address}/versions", {"version": number, "revision": draft_at(address).revision})
    assert draft_at(address).fields["variants"]["en"]["title"] == "Theirs"
    versions = browser.get(f"{address}/versions").content.decode()
    assert re.search(r"Title \(English\)</th><td[^>]*>Mine</td><td[^>]*>Theirs<", versions)


def key_on(page: str) -> str:
    found = re.search(r'name="page_key" value="([0-9a-f]{16})"', page)
    assert found
    return found.group(1)


def test_what_is_typed_is_kept_while_somebody_writes_and_the_page_goes_on(browser: Client) -> None:
    address = written(browser)
    key = key_on(browser.get(address).content.decode())
    form = sent(address, page_key=key)
    for title in ("A", "A better", "A better title"):
        answer = browser.post(
            f"{address}/save", form | {"title": title}
        )  # with the revision of the beginning
        assert answer.status_code == 200
        assert 'id="revision"' in answer.content.decode()
        assert f'class="pop-title">{title}<' in answer.content.decode()
    assert draft_at(address).fields["variants"]["en"]["title"] == "A better title"
    assert browser.post(address, form | {"title": "The last word"}).status_code == 302
    assert draft_at(address).fields["variants"]["en"]["title"] == "The last word"


def test_what_a_page_sent_by_itself_and_comes_after_its_button_changes_nothing(browser: Client) -> None:
    address = written(browser)
    form = sent(address, page_key=key_on(browser.get(address).content.decode()))
    browser.post(f"{address}/save", form | {"title": "Half"})
    browser.post(address, form | {"title": "All of it", "go": "check"})
    late = browser.post(f"{address}/save", form | {"title": "Half of"})
    assert "Not saved" in late.content.decode()
    assert draft_at(address).fields["variants"]["en"]["title"] == "All of it"
    same = sent(address, page_key=key_on(browser.get(address).content.decode()), title="All of it")
    browser.post(address, same)  # which changes nothing
    browser.post(f"{address}/save", same | {"revision": 1, "title": "Late"})
    assert draft_at(address).fields["variants"]["en"]["title"] == "All of it"


def test_a_page_that_was_overtaken_keeps_nothing_by_itself_and_says_so(
    console: ServerHome, browser: Client
) -> None:
    address = written(browser)
    form = sent(address, page_key=key_on(browser.get(address).content.decode()), title="Mine")
    browser.post(f"{address}/save", form)
    other = client_of(account_of("noor@northwind.example", Role.APPROVER))
    other.post(address, sent(address, title="Theirs"))
    answer = browser.post(f"{address}/save", form | {"title": "Mine again"}).content.decode()
    assert "Not saved: somebody changed it meanwhile" in answer
    assert draft_at(address).fields["variants"]["en"]["title"] == "Theirs"
    page = browser.post(address, form | {"title": "Mine again"})
    assert page.status_code == 409
    assert "hx-post" not in page.content.decode(), "nothing is kept by itself before the person has decided"


def test_what_would_add_something_waits_for_its_button(browser: Client) -> None:
    a_group()
    address = written(browser)
    form = sent(address, audience="chosen", go="remove-language", **{"add-group": "Lyo", "new-language": "f"})
    assert browser.post(f"{address}/save", form).status_code == 200
    assert set(draft_at(address).fields["variants"]) == {"en"}
    assert not draft_at(address).audience_groups.exists()


def test_who_changes_nothing_writes_nothing_and_ends_no_submission(console: ServerHome, lea: Account) -> None:
    draft = begin(lea, "en")
    wish = Change(new_fields("en") | {"sender": "News"}, everyone=True)
    changed = change(draft, lea, draft.revision, wish)
    other = account_of("noor@northwind.example", Role.APPROVER)
    again = change(changed, other, changed.revision, wish)
    assert (again.revision, again.editor) == (changed.revision, lea)
    assert not again.writers.filter(pk=other.pk).exists()


@pytest.mark.both_databases
@pytest.mark.parametrize("key", ["", "x", "\0", "0" * 17, "é" * 16])
def test_a_key_that_no_page_has_lets_nobody_write_over_others(browser: Client, key: str) -> None:
    address = written(browser)
    old = sent(address, page_key=key)
    browser.post(address, sent(address, page_key=key, title="First"))
    assert browser.post(address, old | {"title": "Second"}).status_code == 409


TYPED = (
    "title",
    "body",
    "sender",
    "label1",
    "url1",
    "reason",
    "add-group",
    "add-person",
    "new-language",
    "starts",
)


@pytest.mark.both_databases
@pytest.mark.parametrize("value", ["a\0b", "\0", "x" * 5_000, "\u202e", "é" * 600])
def test_whatever_is_typed_is_kept_or_explained(browser: Client, value: str) -> None:
    address = written(browser)
    form = sent(address, audience="chosen", urgency="emergency") | dict.fromkeys(TYPED, value)
    for place in (address, f"{address}/save"):
        answer = browser.post(place, form | {"revision": draft_at(address).revision})
        assert answer.status_code in (200, 302, 422)
    for place in (
        address,
        f"{address}/check",
        f"{address}/campaign.toml",
        f"{address}/versions",
        "/drafts",
        "/",
    ):
        assert browser.get(place).status_code == 200
    if value.strip("\0"):
        assert draft_at(address).fields["variants"]["en"]["body"] == value.replace("\0", "")


def test_what_is_saved_after_a_colleague_published_is_a_draft_of_its_own(browser: Client) -> None:
    address = written(browser)
    late = sent(address, title="A better title")
    campaign = published(browser, address)
    answer = browser.post(address, late)
    other = draft_at(answer.headers["Location"])
    assert other != draft_at(address)
    assert other.fields["variants"]["en"]["title"] == "A better title"
    assert "was published meanwhile" in browser.get(answer.headers["Location"]).content.decode()
    assert campaign.content["variants"]["en"]["title"] == "The studio opens"
    french = browser.post(address, late | {"language": "fr", "title": "Le studio ouvre"})
    variants = draft_at(french.headers["Location"]).fields["variants"]
    assert {language: one["title"] for language, one in variants.items()} == {
        "en": "The studio opens",
        "fr": "Le studio ouvre",
    }


def test_what_is_typed_in_a_language_that_a_colleague_removed_is_no_other_ones_text(browser: Client) -> None:
    address = written(browser)
    browser.post(address, sent(address, go="add-language", **{"new-language": "fr"}))
    late = sent(address, language="fr", title="Le studio ouvre")
    browser.post(address, sent(address, language="fr", go="remove-language"))
    page = browser.post(address, late).content.decode()
    assert 'name="language" value="fr"' in page
    browser.post(address, late | {"revision": draft_at(address).revision})
    variants = draft_at(address).fields["variants"]
    assert {language: one["title"] for language, one in variants.items()} == {
        "en": "The studio opens",
        "fr": "Le studio ouvre",
    }


def test_nobody_deletes_what_they_have_not_seen(browser: Client) -> None:
    address = written(browser)
    seen = {"revision": draft_at(address).revision}
    late = sent(address, title="Hours of work")
    browser.post(address, late)
    answer = browser.post(f"{address}/delete", seen)
    assert answer.status_code == 409
    assert draft_at(address).fields["variants"]["en"]["title"] == "Hours of work"
    browser.post(f"{address}/delete", {"revision": draft_at(address).revision})
    assert not Draft.objects.exists()
    assert browser.post(f"{address}/save", late).status_code == 404
    own = browser.post(address, late).headers["Location"]
    assert "was deleted meanwhile" in browser.get(own).content.decode()
    assert draft_at(own).fields["variants"]["en"]["title"] == "Hours of work"


@pytest.mark.both_databases
def test_a_save_that_meets_a_deletion_on_its_way_loses_nothing(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_too_late(draft: Draft, *words: object, **named: object) -> Draft:
        Draft.objects.filter(pk=draft.pk).delete()
        return change(draft, *words, **named)  # type: ignore[arg-type]

    address = written(browser)
    late = sent(address, title="Hours of work")
    monkeypatch.setattr("server.console.pages.drafts.change", change_too_late)
    own = browser.post(address, late).headers["Location"]
    assert draft_at(own).fields["variants"]["en"]["title"] == "Hours of work"
    assert browser.post(f"{own.partition('?')[0]}/save", late).status_code == 404


@pytest.mark.both_databases
def test_where_no_draft_can_be_begun_what_was_typed_is_shown_again_and_blank_ones_give_way(
    browser: Client, lea: Account
) -> None:
    address = written(browser)
    late = sent(address, title="Hours of work", sender="Internal news")
    published(browser, address)
    now = datetime.now(UTC)
    blank = {"company": lea.company, "editor": lea, "fields": new_fields("en")}
    Draft.objects.bulk_create(Draft(**blank, edited_at=now) for _ in range(500))
    page = browser.post(address, late)
    assert page.status_code == 409
    assert 'value="Hours of work"' in page.content.decode()
    assert 'name="sender" value="Internal news"' in page.content.decode()
    Draft.objects.filter(campaign=None).update(edited_at=now - timedelta(hours=2))
    assert draft_at(browser.post(address, late).headers["Location"]).fields["sender"] == "Internal news"


def test_a_session_that_ended_loses_nothing_typed_and_tells_nothing(browser: Client) -> None:
    address = written(browser)
    late = sent(address, title="Hours of work", body="Much <b>", go="check")
    stranger = client_of()
    answer = stranger.post(address, late)
    page = unescape(answer.content.decode())
    assert answer.status_code == 401
    assert 'value="Hours of work"' in page
    assert "Much &lt;b&gt;" in answer.content.decode()
    assert 'name="go" value="check"' in page
    assert "Northwind" not in page
    by_itself = {"HX-Request": "true"}
    assert stranger.post(f"{address}/save", late, headers=by_itself).status_code == 401
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"{address}/save", late, headers=by_itself).headers["Tidings-Token"]
    for origin, is_shown in (("http://testserver", True), ("https://evil.example", False), ("null", False)):
        page = strict.post(address, late, headers={"Origin": origin}).content.decode()
        assert ("Hours of work" in page) is is_shown, origin


@pytest.mark.both_databases
def test_a_draft_for_more_people_by_name_than_a_form_has_fields_is_written_like_others(
    browser: Client,
) -> None:
    bulk_data.add_people(1_100)
    emails = sorted(company().people.values_list("email", flat=True))
    file = f'sender = "x"\ndefault_language = "en"\naudience.people = {json.dumps(emails)}\nvariants.en.title = "T"\n'
    address = browser.post("/drafts/new", {"from-file": "1", "text": file}).headers["Location"]
    for audience, dropped, status in (
        ("everyone", "", 302),
        ("chosen", emails[7].upper(), 302),
        ("chosen", "nobody@x.example", 422),
    ):
        page = browser.get(address).content.decode()
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" (?:id="\w+" )?value="([^"]*)"', page))
        answer = browser.post(address, sent(address, audience=audience, **hidden | {"drop-person": dropped}))
        assert answer.status_code == status
    assert "is not among them" in answer.content.decode()
    assert list(draft_at(address).audience_people.order_by("email").values_list("email", flat=True)) == [
        email for email in emails if email != emails[7]
    ]
    for people in ("x", "é", "AAAA", "*"):
        browser.post(address, sent(address, audience="chosen", people=people))
        assert not draft_at(address).audience_people.exists()


def test_a_version_has_the_audience_and_the_reason_of_its_time(console: ServerHome, browser: Client) -> None:
    group, person = a_group(), company().people.order_by("email")[1]
    address = written(
        browser, audience="chosen", group=[group.pk], person=[person.email], urgency="emergency"
    )
    browser.post(
        address,
        sent(
            address,
            audience="chosen",
            group=[group.pk],
            person=[person.email],
            urgency="emergency",
            reason="A pipe burst",
        ),
    )
    other = client_of(account_of("noor@northwind.example", Role.APPROVER))
    other.post(address, sent(address, urgency="emergency", reason="A fire"))
    draft = draft_at(address)
    assert draft.to_everyone
    loaded: list[object] = []
    post_init.connect(count := lambda instance, **_more: loaded.append(instance), sender=Person)
    page = unescape(browser.get(f"{address}/versions").content.decode())
    post_init.disconnect(count, sender=Person)
    assert not loaded, "versions have thousands of people"
    assert re.search(rf"To whom</th><td[^>]*>{group.name}, {person.email}</td><td[^>]*>Everybody<", page)
    assert re.search(r"Why it is an emergency</th><td[^>]*>A pipe burst</td><td[^>]*>A fire<", page)
    number = draft.versions.order_by("-pk")[0].pk
    browser.post(f"{address}/versions", {"version": number, "revision": draft.revision})
    draft = draft_at(address)
    assert (draft.reason, draft.to_everyone) == ("A pipe burst", False)
    assert list(draft.audience_groups.all()) == [group]
    assert list(draft.audience_people.all()) == [person]
    person.delete()
    assert not draft.versions.filter(audience_people__isnull=False).exists()


def test_groups_come_back_when_everybody_was_a_slip(browser: Client) -> None:
    group = a_group()
    address = written(browser, audience="chosen", group=[group.pk])
    browser.post(address, sent(address, audience="everyone", group=[group.pk]))
    assert f'type="hidden" name="group" value="{group.pk}"' in browser.get(address).content.decode()
    assert b"everyone = true" in browser.get(f"{address}/campaign.toml").content
    browser.post(address, sent(address, audience="chosen", group=[group.pk]))
    assert b"everyone" not in browser.get(f"{address}/campaign.toml").content


def test_a_new_draft_has_the_sender_of_the_last_campaign(browser: Client) -> None:
    assert draft_at(begun(browser)).fields["sender"] == ""
    published(browser, written(browser, sender="Your works council"))
    assert draft_at(begun(browser)).fields["sender"] == "Your works council"


@pytest.mark.both_databases
def test_of_two_who_save_at_once_one_is_asked(console: ServerHome, browser: Client) -> None:
    address = written(browser)
    other = client_of(account_of("noor@northwind.example", Role.APPROVER))
    forms = [(browser, sent(address, title="Mine")), (other, sent(address, title="Theirs"))]

    def save(of: tuple[Client, dict[str, object]]) -> int:
        try:
            return of[0].post(address, of[1]).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(save, forms)) == [302, 409]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"title": ""}, "Title (English): nothing is written there"),
        ({"ends": "2020-01-01T00:00"}, "Ends:"),
        ({"label1": "Plan", "url1": "http://evil.example/"}, "Address of the button (English)"),
        ({"audience": "chosen"}, "nobody would get it"),
        ({"title": "a\u202eb"}, "Title (English)"),
    ],
)
def test_what_cannot_be_published_is_kept_and_told_with_the_place(
    browser: Client, values: dict[str, str], told: str
) -> None:
    address = written(browser, **values)
    page = unescape(browser.get(f"{address}/check").content.decode())
    assert "Not ready yet" in page
    assert told in page
    assert "Publish to" not in page
    places = re.findall(rf'href="({address}[^"]*#[^"]*)"', page)
    assert places
    for place in places:
        path, _hash, control = place.partition("#")
        assert f'id="{control}"' in browser.get(path).content.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("add-group", "Lyom studio"),
        ("add-person", "nobody@northwind.example"),
        ("starts", "soon"),
        ("new-language", "?!"),
        ("body", "x" * 200_001),
        ("sender", "x" * 250_000),
    ],
)
def test_what_cannot_be_taken_is_said_while_the_rest_is_saved(browser: Client, name: str, value: str) -> None:
    a_group()
    address = begun(browser)
    answer = browser.post(address, sent(address, audience="chosen", title="Kept", **{name: value}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#{name}"' in page
    assert 'value="Kept"' in page
    assert draft_at(address).fields["variants"]["en"]["title"] == "Kept"


def test_all_languages_together_keep_what_a_person_can_read(browser: Client) -> None:
    address = begun(browser)
    draft = draft_at(address)
    texts = {
        language: new_fields("en")["variants"]["en"] | {"body": "x" * 99_990} for language in ("de", "fr")
    }
    draft.fields["variants"] |= texts
    draft.save()
    answer = browser.post(address, sent(address, title="A title", body="y" * 1_000))
    assert "only the first 20 characters were kept" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.fields["variants"]["en"]["body"] == "y" * 20


def test_times_are_those_of_the_companys_clock_also_where_it_is_put_forward_or_back(browser: Client) -> None:
    Company.objects.update(time_zone="Europe/Paris")
    address = begun(browser)
    answer = browser.post(address, sent(address, starts="2029-03-25T02:30"))
    assert answer.status_code == 422
    assert "clocks are put forward then" in answer.content.decode()
    again = {"starts": "2029-10-28T02:30", "ends": "2029-10-28T09:00"}
    browser.post(address, sent(address, **again))
    draft = draft_at(address)
    assert draft.fields["starts"] == "2029-10-28T00:30:00Z", "the first of two"
    draft.fields["starts"] = "2029-10-28T01:30:00Z"
    draft.save()
    browser.post(address, sent(address, **again))
    assert draft_at(address).fields["starts"] == "2029-10-28T01:30:00Z", "what was shown stays what it was"
    page = browser.get(address).content.decode()
    assert "Begins (Europe/Paris)" in page
    assert 'value="2029-10-28T02:30"' in page
    assert "28 Oct 2029, 02:30 CET<" in browser.get(f"{address}/check").content.decode()
    draft.fields["starts"] = "2029-10-28T00:30:00Z"
    draft.save()
    assert "28 Oct 2029, 02:30 CEST<" in browser.get(f"{address}/check").content.decode()


def test_a_language_is_added_and_taken_away_and_its_links_stay_the_same_things(browser: Client) -> None:
    address = written(browser, label1="Plan", url1="https://intranet.northwind.example/plan")
    answer = browser.post(
        address,
        sent(
            address,
            go="add-language",
            label1="Plan",
            link1="l1",
            url1="https://intranet.northwind.example/plan",
            **{"new-language": "fr"},
        ),
    )
    assert answer.headers["Location"].endswith("?language=fr")
    variants = draft_at(address).fields["variants"]
    assert variants["fr"]["links"] == variants["en"]["links"]
    assert variants["fr"]["title"] == ""
    browser.post(address, sent(address, language="fr", title="Le studio", body="", go="remove-language"))
    assert set(draft_at(address).fields["variants"]) == {"en"}
