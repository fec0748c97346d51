"""Templates: what a draft says is kept for all who write, without its people and times, and begins other drafts."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client

from server.access.roles import Role
from server.accounts.invitations import bind
from server.accounts.models import Account
from server.audit.models import Entry
from server.core import clock
from server.directory.models import Company
from server.drafts.models import Draft
from server.drafts.templates import templates_of
from server.drafts.writing import open_drafts
from server.retention.housekeeping import housekeeping
from tests.integration.server.drafts.test_pictures import bytes_on_disk, with_picture
from tests.support.server.console import account_of, client_of
from tests.support.server.console_pages import address as some_address
from tests.support.server.console_pages import pages
from tests.support.server.drafting import a_group, begun, company, draft_at, on_record, sent, written


def kept(browser: Client, address: str, name: str, **values: str) -> str:
    """The address of the template that the draft was kept as."""
    answer = browser.post(f"{address}/template", {"name": name} | values)
    assert answer.status_code == HTTPStatus.FOUND, answer.content.decode()
    return str(answer.headers["Location"])


def names() -> list[str]:
    return [one.template_name for one in templates_of(company())]


def test_a_template_says_what_the_draft_said_to_nobody_at_no_time_and_begins_drafts_of_their_own(
    browser: Client, lea: Account
) -> None:
    address = with_picture(browser, urgency="urgent", acknowledge="on")
    own = sent(address, image=draft_at(address).fields["variants"]["en"]["image"]["file"], urgency="urgent")
    times = {"starts": "2029-12-01T09:00", "ends": "2029-12-08T09:00", "image-alt": "The plan"}
    audience = {
        "audience": "chosen",
        "add-group": a_group().name,
        "go": "template",
        "url1": "x",
        "label1": "A",
    }
    leads = browser.post(address, own | times | audience | {"acknowledge": "on", "new-language": "fr"})
    assert leads.headers["Location"] == f"{address}/template"
    place = kept(browser, address, "Opening  hours")
    said = draft_at(address).fields | {"starts": "", "ends": ""}
    template = templates_of(company()).get()
    assert on_record("keep-template") == {"template": template.draft_id}
    assert (template.fields, template.template_name) == (said, "Opening hours")
    about = (template.editor, template.begun_at, template.writers_ever, template.to_everyone)
    assert about == (None, None, 0, False)
    assert not template.audience_groups.exists()
    before = bytes_on_disk(template)
    assert browser.post(f"{address}/delete", {"revision": draft_at(address).revision}).status_code == 302
    with clock.using(lambda: template.edited_at + timedelta(days=800)):
        assert not any(outcome.fault for outcome in housekeeping())
    browser = client_of(lea)  # whose session ended meanwhile
    assert len(bytes_on_disk(template)) == 1
    assert before == bytes_on_disk(template)

    page, listed = (browser.get(where).content.decode() for where in (place, "/drafts/new"))
    assert "The studio opens" in page
    assert f"{place}/use" in listed
    picture = f"/drafts/{template.draft_id}/files/{said['variants']['en']['image']['file']}"
    assert picture in page
    assert browser.get(picture).getvalue() == before[0]
    again = str(browser.post(f"{place}/use").headers["Location"])
    draft = draft_at(again)
    assert (draft.fields, draft.to_everyone, draft.template_name) == (said, False, "")
    assert list(draft.writers.all()) == [lea]
    assert browser.post(f"{place}/delete").status_code == 302
    assert (bytes_on_disk(template), bytes_on_disk(draft)) == ([], before)
    assert on_record("delete-template") == on_record("keep-template")


@pytest.mark.both_databases
def test_a_template_has_a_name_of_its_own_and_another_one_takes_its_place_where_that_is_said(
    browser: Client,
) -> None:
    first, second = (written(browser, title=title) for title in ("One", "Two"))
    place = kept(browser, first, "Closed")
    refused = browser.post(f"{second}/template", {"name": "CLOSED"})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'name="replaces"' in refused.content.decode()
    for wrong in ("", "x" * 81, "a\u202eb"):
        assert browser.post(f"{second}/template", {"name": wrong}).status_code == 422
    assert browser.post(f"{begun(browser)}/template", {"name": "Nothing"}).status_code == 422
    assert names() == ["Closed"]
    other = kept(browser, second, "CLOSED", replaces="on")
    assert names() == ["CLOSED"]
    assert browser.get(place).status_code == 404
    kept(browser, first, "Open")
    assert browser.post(other, {"name": "open"}).status_code == 422
    assert browser.post(other, {"name": "Shut"}).status_code == 302
    assert names() == ["Open", "Shut"]
    assert Entry.objects.filter(action="rename-template").exists()


def test_a_template_is_no_draft_and_nobody_publishes_it(browser: Client) -> None:
    kept(browser, written(browser), "Closed")
    Draft.objects.filter(template_name="").delete()
    template = templates_of(company()).get()
    assert not open_drafts(company()).exists()
    assert template.draft_id not in browser.get("/drafts").content.decode()
    boss = client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))
    of_drafts = [name for name, page in pages().items() if "<hex:draft_id>" in str(page.pattern)]
    for name in of_drafts:
        where = some_address(name).replace("0" * 16, template.draft_id, 1)
        assert {boss.get(where).status_code, boss.post(where, {"seal": "x"}).status_code} <= {404, 405}, name
    assert templates_of(company()).get().fields == template.fields


def test_who_is_bound_to_groups_uses_templates_and_changes_none_and_no_company_sees_those_of_another(
    browser: Client,
) -> None:
    place = kept(browser, written(browser), "Closed")
    noor = account_of("noor@northwind.example", Role.APPROVER)
    bind(noor, [a_group()], "test")
    bound = client_of(noor)
    own = str(bound.post(f"{place}/use").headers["Location"])
    assert "Keep as a template" not in bound.get(own).content.decode()
    for where, values in (
        (place, {"name": "x"}),
        (f"{place}/delete", {}),
        (f"{own}/template", {"name": "x"}),
    ):
        assert bound.post(where, values).status_code == 403, where
    assert "Delete the template" not in bound.get(place).content.decode()
    other = Company.objects.create(id="southwind", name="South", legal_name="S", region="eu", dpo_name="D")
    try:
        stranger = client_of(account_of("a@southwind.example", Role.ADMINISTRATOR, company="southwind"))
        assert "Closed" not in stranger.get("/drafts/new").content.decode()
        for where in (place, f"{place}/use", f"{place}/delete"):
            assert {stranger.get(where).status_code, stranger.post(where).status_code} <= {404, 405}
    finally:
        Draft.objects.filter(company=other).delete()
        Account.objects.filter(company=other).delete()
        other.delete()
    assert names() == ["Closed"]
