"""Where the company wants it, nothing is published that two people did not see."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client, override_settings

from server.access.models import AccessToken
from server.access.roles import Role
from server.accounts.models import Account
from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.directory.models import Company
from server.drafts.approval import approve, may_approve, submit
from server.drafts.models import Draft
from server.drafts.publication import publish_draft, seal_of
from server.drafts.writing import Change, Overtaken, begin, change
from server.erasure.erasure import erase
from server.publishing.recall import recall
from server.publishing.second_person import SecondPersonMissing
from server.retention.campaign_closing import close
from tests.support.pictures import png
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, token_for
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.drafting import PAINTER, on_record
from tests.support.server.run_command import run_command
from tests.support.server.submitting import MANY, fresh, submitted, wanted, written

FILE = """\
sender = "Internal news"
default_language = "en"
audience = { everyone = true }
variants = { fr = { title = "Le studio ouvre", links = [
  { id = "plan", url = "https://northwind.example/plan", label = "Le plan" },
] }, en = { title = "The studio opens", links = [
  { id = "plan", url = "https://northwind.example/plan", label = "The plan" },
] } }
"""


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings(), override_settings(RENDER_COMMAND=PAINTER):
        caches["previews"].clear()
        bulk_data.add_people(3)
        Company.objects.update(second_person_from=1)
        yield northwind
        Company.objects.update(second_person_from=None, emergencies_alone=True)
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()


@pytest.fixture
def lea(console: ServerHome) -> Account:
    return account_of("lea@northwind.example", Role.COMMUNICATOR)


@pytest.fixture
def noor(console: ServerHome) -> Account:
    return account_of("noor@northwind.example", Role.APPROVER)


# --- As people do it --------------------------------------------------------------------------------


def test_one_submits_and_another_one_approves_what_was_submitted(lea: Account, noor: Account) -> None:
    author, approver = client_of(lea), client_of(noor)
    draft = written(lea)
    address = f"/drafts/{draft.draft_id}"
    page = author.get(f"{address}/check").content.decode()
    assert "Submit for 3 people" in page
    assert "Publish to" not in page
    seal = seal_of(draft)
    assert author.post(f"{address}/submit", {"seal": seal}).headers["Location"] == f"{address}/check"
    assert "It waits for an approver" in author.get(f"{address}/check").content.decode()
    assert f'href="{address}/check"' in approver.get("/").content.decode(), "it waits for the approver"
    assert f'href="{address}/check"' not in author.get("/").content.decode()
    page = approver.get(f"{address}/check").content.decode()
    assert "lea@northwind.example submitted it" in page
    assert "3 people shall get it" in page
    assert approver.post(f"{address}/approve", {"seal": seal}).status_code == 422, "the tick is missing"
    answer = approver.post(f"{address}/approve", {"seal": seal, "sure": "on", "people": "99"})
    campaign = Campaign.objects.get()
    assert answer.headers["Location"] == f"/campaigns/{campaign.campaign_id}"
    entry = Entry.objects.filter(action="publish").order_by("-number")[0]
    assert entry.actor == noor.actor
    assert on_record("publish") == {"campaign": campaign.campaign_id, "author": lea.actor, "approved": seal}
    assert on_record("submit-campaign") == {"draft": draft.draft_id, "digest": seal}


def test_who_looks_returns_it_with_a_reason_and_the_author_reads_it(lea: Account, noor: Account) -> None:
    draft = submitted(lea)
    author, approver, address = client_of(lea), client_of(noor), f"/drafts/{draft.draft_id}"
    seal = draft.submitted_seal
    assert approver.post(f"{address}/return", {"seal": seal, "returned_for": " "}).status_code == 409
    answer = approver.post(f"{address}/return", {"seal": seal, "returned_for": "Which Monday?" + "!" * 500})
    assert answer.status_code == 409
    assert "Which Monday?!!" in answer.content.decode(), "nobody has to write it again"
    answer = approver.post(f"{address}/return", {"seal": seal, "returned_for": "Which\0 Monday?"})
    assert answer.status_code == 302
    assert "noor@northwind.example returned it: Which Monday?" in author.get(address).content.decode()
    assert "returned" in author.get("/drafts").content.decode()
    assert (
        approver.post(f"{address}/approve", {"seal": seal, "sure": "on", "people": "99"}).status_code == 409
    )
    assert not Campaign.objects.exists()
    assert "Which Monday" not in str(on_record("return-campaign"))


def test_what_is_changed_after_it_was_submitted_waits_no_more(lea: Account, noor: Account) -> None:
    draft = submitted(lea)
    seal = draft.submitted_seal
    change(draft, lea, draft.revision, wanted("Something else"))
    approver = client_of(noor)
    answer = approver.post(f"/drafts/{draft.draft_id}/approve", {"seal": seal, "sure": "on", "people": "99"})
    assert answer.status_code == 409
    assert "changed since you looked" in answer.content.decode()
    assert not Campaign.objects.exists()


def test_the_author_may_take_it_back(lea: Account, noor: Account) -> None:
    draft = submitted(lea)
    assert client_of(lea).post(f"/drafts/{draft.draft_id}/take-back").status_code == 302
    assert on_record("take-back-campaign")["draft"] == draft.draft_id
    with pytest.raises(Overtaken):
        approve(fresh(draft), noor, draft.submitted_seal, MANY)


def test_who_wrote_any_of_it_does_not_approve_it(lea: Account, noor: Account) -> None:
    draft = written(lea)
    change(draft, noor, draft.revision, wanted("Noor changed it"))
    draft = fresh(draft)
    submit(draft, lea, seal_of(draft))
    assert not may_approve(noor, fresh(draft))
    with pytest.raises(Refused, match="You cannot approve"):
        approve(fresh(draft), noor, seal_of(draft), MANY)
    assert not Campaign.objects.exists()


def test_who_wrote_it_does_not_approve_it_with_another_account_of_the_same_address(noor: Account) -> None:
    draft = submitted(noor)
    run_command("console", "remove", noor.email)
    again = account_of("noor@northwind.example", Role.APPROVER)
    answer = client_of(again).post(
        f"/drafts/{draft.draft_id}/approve", {"seal": draft.submitted_seal, "sure": "on", "people": "99"}
    )
    assert answer.status_code == 409
    assert not Campaign.objects.exists()


def test_what_nobody_submitted_is_not_returned(lea: Account, noor: Account) -> None:
    draft = written(lea)
    answer = client_of(noor).post(f"/drafts/{draft.draft_id}/return", {"seal": "", "returned_for": "No"})
    assert answer.status_code == 409
    assert not fresh(draft).returned_for


@pytest.mark.both_databases
def test_what_grew_since_the_approver_looked_is_not_published(lea: Account, noor: Account) -> None:
    draft = submitted(lea)
    page = client_of(noor).get(f"/drafts/{draft.draft_id}/check").content.decode()
    assert "3 people shall get it" in page
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page)) | {"sure": "on"}
    for number in range(40):
        draft.company.people.create(email=f"new{number}@northwind.example")
    answer = client_of(noor).post(f"/drafts/{draft.draft_id}/approve", sent)
    assert answer.status_code == 409


def test_pictures_of_other_words_than_those_of_the_page_are_not_shown(lea: Account, noor: Account) -> None:
    draft = submitted(lea)
    approver = client_of(noor)
    page = approver.get(f"/drafts/{draft.draft_id}/check").content.decode()
    address = unescape(re.search(r'<img src="([^"]+)"', page)[1])  # type: ignore[index]
    assert approver.get(address).status_code == 200
    change(draft, lea, draft.revision, wanted("Nice words"))
    assert approver.get(address).status_code == 409


def test_the_page_says_all_that_is_approved_in_each_language(lea: Account, noor: Account) -> None:
    fields = wanted().fields
    languages = ["en", "fr", "de", "es", "it", "nl", "pt", "pl", "cs"]
    for language in languages:
        lines = "\n".join(f"line {number} in {language}" for number in range(90))
        link = {
            "id": "l1",
            "label": f"Plan {language}",
            "url": f"https://intranet.northwind.example/{language}",
        }
        fields["variants"][language] = {"title": f"Title {language}", "body": lines, "links": [link]}
    draft = begin(lea, "en")
    draft = change(draft, lea, draft.revision, Change(fields, "", everyone=True))
    page = client_of(noor).get(f"/drafts/{draft.draft_id}/check").content.decode()
    text = page[page.index('id="texts"') :]
    for language in languages:
        for shown in (
            f"Title {language}",
            f"line 89 in {language}",
            f"Plan {language}</dt>",
            f"example/{language}<",
        ):
            assert shown in text


def test_who_submits_what_waits_already_takes_nothing_over(lea: Account, noor: Account) -> None:
    draft = submitted(lea)
    submit(draft, noor, draft.submitted_seal)
    assert fresh(draft).submitted_by == lea
    assert may_approve(noor, fresh(draft))


def test_an_approver_who_may_publish_no_emergency_is_offered_none(lea: Account, noor: Account) -> None:
    Company.objects.update(emergencies_alone=False)
    draft = submitted(lea, urgency="emergency")
    approver = client_of(noor)
    assert "Approve and publish" not in approver.get(f"/drafts/{draft.draft_id}/check").content.decode()
    assert draft.draft_id not in approver.get("/").content.decode()
    assert may_approve(account_of("ada@northwind.example", Role.ADMINISTRATOR), draft)


def test_who_left_the_audience_ends_the_submission_and_no_approver_submits_it_unawares(
    lea: Account, noor: Account
) -> None:
    draft = written(lea)
    people = list(draft.company.people.all())
    draft = change(draft, lea, draft.revision, Change(wanted().fields, "", people=people))
    submit(draft, lea, seal_of(draft))
    erase(draft.company, [people[0].pk])
    page = client_of(noor).get(f"/drafts/{draft.draft_id}/check").content.decode()
    assert "It changed after it was submitted" in page
    assert "Submit for" not in page
    assert "Submit for 2 people" in client_of(lea).get(f"/drafts/{draft.draft_id}/check").content.decode()


@pytest.mark.both_databases
def test_where_a_writer_is_gone_nobody_younger_than_the_draft_is_a_second_person(
    lea: Account, noor: Account
) -> None:
    eve = account_of("eve@northwind.example", Role.APPROVER)
    draft = written(eve)
    submit(draft, lea, seal_of(draft))
    eve.delete()
    again = account_of("eve@northwind.example", Role.APPROVER)
    for account, is_second in ((noor, True), (again, False)):
        assert may_approve(account, fresh(draft)) is is_second
        assert (draft.draft_id in client_of(account).get("/").content.decode()) is is_second


def test_where_nobody_is_left_to_approve_it_the_page_says_what_to_do(lea: Account, noor: Account) -> None:
    draft = written(lea)
    draft = change(draft, noor, draft.revision, wanted("Other words"))
    submit(draft, lea, seal_of(draft))
    page = client_of(lea).get(f"/drafts/{draft.draft_id}/check").content.decode()
    assert "Nobody is left who may approve it" in page


def test_a_blank_reason_for_no_second_person_is_none(console: ServerHome, tmp_path: Path) -> None:
    file = tmp_path / "news.toml"
    file.write_text(FILE)
    for reason in ("", "  "):
        with pytest.raises(Refused, match="Say why no second person"):
            run_command("campaign", "publish", file, "--without-second-person", reason)
    assert not Campaign.objects.exists()


def test_a_communicator_has_no_right_to_approve(lea: Account, console: ServerHome) -> None:
    draft = submitted(account_of("zoe@northwind.example", Role.COMMUNICATOR))
    for act in ("approve", "return"):
        answer = client_of(lea).post(
            f"/drafts/{draft.draft_id}/{act}", {"seal": draft.submitted_seal, "sure": 1}
        )
        assert answer.status_code == 403
    assert not Campaign.objects.exists()


@pytest.mark.both_databases
def test_of_two_who_approve_at_once_one_publication_comes(lea: Account, noor: Account) -> None:
    draft = submitted(lea)
    other = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    before = Entry.objects.filter(action="publish").count()

    def approved(account: Account) -> Campaign:
        try:
            return approve(draft, account, draft.submitted_seal, MANY)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        found = list(both.map(approved, (noor, other)))
    assert found[0] == found[1]
    assert Campaign.objects.count() == 1
    assert Entry.objects.filter(action="publish").count() == before + 1


# --- Whatever publishes -----------------------------------------------------------------------------


def ask_over_the_api(headers: dict[str, str], title: str = "The studio opens") -> Any:
    with override_settings(ROOT_URLCONF="server.urls"):
        body = {"file": FILE.replace("The studio opens", title)}
        return Client().post(f"{ADMIN}/campaigns", body, content_type="application/json", headers=headers)


@pytest.mark.both_databases
def test_what_a_program_sends_waits_and_another_person_approves_the_same_bytes(
    lea: Account, noor: Account
) -> None:
    headers = {"Authorization": f"Bearer {token_for('communicator')}"}
    told = ask_over_the_api(headers)
    assert told.status_code == 202
    assert told.json()["people"] == 3
    assert not Campaign.objects.exists()
    draft = Draft.objects.get()
    seal = draft.submitted_seal
    assert seal in client_of(noor).get(f"/drafts/{draft.draft_id}/check").content.decode(), "to be approved"
    again = ask_over_the_api(headers)
    assert (again.status_code, again.json()) == (202, told.json()), "the same file is the same submission"
    assert Draft.objects.get().submitted_seal == seal
    assert told.json()["address"].endswith(f"/drafts/{draft.draft_id}/check")
    assert on_record("submit-campaign") == {"draft": draft.draft_id, "digest": seal}
    approver, where = client_of(noor), f"/drafts/{draft.draft_id}"
    assert "A program, with token" in approver.get("/").content.decode(), "it waits for the approver"
    assert "A program, with token" in approver.get(f"{where}/check").content.decode()
    approver.post(f"{where}/approve", {"seal": seal, "sure": "on", "people": "3"})
    campaign = Campaign.objects.get()
    record = on_record("publish")
    assert (record["author"][:6], record["approved"]) == ("token ", seal)
    published = ask_over_the_api(headers)
    assert published.status_code == 201
    assert published.json()["campaign_id"] == campaign.campaign_id
    assert campaign.publishers.filter(token__isnull=False).exists(), "whoever submitted it can take it back"
    assert Campaign.objects.count() == 1


def test_what_a_program_sent_ends_with_its_token_with_a_change_and_with_a_return(
    lea: Account, noor: Account
) -> None:
    headers = {"Authorization": f"Bearer {token_for('communicator')}"}
    for title in ("Revoked", "Changed", "Returned"):
        assert ask_over_the_api(headers, title).status_code == 202
    revoked, changed, returned = Draft.objects.order_by("pk")
    client_of(noor).post(
        f"/drafts/{returned.draft_id}/return", {"seal": returned.submitted_seal, "returned_for": "Who?"}
    )
    told = ask_over_the_api(headers, "Returned")
    assert told.status_code == 422
    assert "Who?" in told.content.decode()
    change(changed, lea, changed.revision, wanted("By a person"))
    assert ask_over_the_api(headers, "Changed").status_code == 422, "people go on with it"
    AccessToken.objects.all().delete()
    assert revoked.draft_id not in client_of(noor).get("/").content.decode()
    with pytest.raises(Overtaken):
        approve(fresh(revoked), noor, revoked.submitted_seal, MANY)
    anew = {"Authorization": f"Bearer {token_for('communicator')}"}
    assert ask_over_the_api(anew, "Revoked").status_code == 202
    assert approve(fresh(revoked), noor, revoked.submitted_seal, MANY)


def test_the_command_line_submits_a_file_with_its_pictures(
    noor: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c-news.toml"
    (tmp_path / "studio.png").write_bytes(png((40, 30), 8, 2, lambda _column, _row: (9, 9, 9)))
    picture = 'image = { file = "studio.png", alt = "The studio" }'
    file.write_text(FILE.replace('"The studio opens"', f'"The studio opens", {picture}'))
    run_command("campaign", "publish", file, "--dry-run")
    assert "would wait" in capsys.readouterr().out
    assert not Draft.objects.exists()
    run_command("campaign", "publish", file)
    run_command("campaign", "publish", file)
    draft = Draft.objects.get()
    assert f"/drafts/{draft.draft_id}/check" in capsys.readouterr().out
    page = client_of(noor).get(f"/drafts/{draft.draft_id}/check").content.decode()
    assert "The command line of the server submitted it" in page
    campaign = approve(draft, noor, draft.submitted_seal, MANY)
    assert campaign.media.count() == 1
    assert on_record("publish")["author"] == "command-line"


def test_nothing_is_published_by_the_page_the_api_or_the_command_line_without_a_second_person(
    lea: Account, tmp_path: Path
) -> None:
    draft = written(lea)
    answer = client_of(lea).post(
        f"/drafts/{draft.draft_id}/publish", {"seal": seal_of(draft), "people": "99"}
    )
    assert answer.status_code == 409
    assert "A second person has to approve it" in answer.content.decode()
    file = tmp_path / "c-news.toml"
    file.write_text(FILE)
    with pytest.raises(Refused, match="Nobody could approve it"):
        run_command("campaign", "publish", file)
    with override_settings(ROOT_URLCONF="server.urls"):
        told = Client().post(
            f"{ADMIN}/campaigns",
            {"file": 'id = "c-news"\n' + FILE},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token_for('communicator')}"},
        )
    assert told.status_code == 422
    assert "Nobody could approve it" in told.content.decode()
    assert list(Draft.objects.all()) == [draft]
    assert not Campaign.objects.exists()


def test_the_command_line_may_do_without_for_a_reason_that_is_on_record(lea: Account, tmp_path: Path) -> None:
    file = tmp_path / "c-news.toml"
    file.write_text(FILE)
    run_command("campaign", "publish", file, "--without-second-person", "Everybody is on leave")
    assert on_record("publish")["without_second_person"] == "Everybody is on leave"
    assert Campaign.objects.exists()


@pytest.mark.parametrize(("least", "is_needed"), [(3, True), (4, False), (None, False)])
def test_it_is_needed_from_so_many_people_on(lea: Account, least: int | None, *, is_needed: bool) -> None:
    Company.objects.update(second_person_from=least)
    draft = written(lea)
    if is_needed:
        with pytest.raises(SecondPersonMissing):
            publish_draft(draft, seal_of(draft), MANY, lea)
    else:
        assert publish_draft(draft, seal_of(draft), MANY, lea)


@pytest.mark.both_databases
def test_what_was_published_alone_waits_until_somebody_else_has_looked_at_it(
    lea: Account, noor: Account, tmp_path: Path
) -> None:
    ada = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    draft = written(ada, urgency="emergency")
    emergency = publish_draft(draft, seal_of(draft), MANY, ada)
    file = tmp_path / "c-news.toml"
    file.write_text(FILE)
    run_command("campaign", "publish", file, "--without-second-person", "Everybody is on leave")
    author, approver = client_of(ada), client_of(noor)
    assert "2 announcements were published alone" in approver.get("/").content.decode()
    assert "1 announcement was published alone" in author.get("/").content.decode(), (
        "hers is not hers to look at"
    )
    page = approver.get("/campaigns/alone").content.decode()
    for words in (ada.actor, "The studio opens", "command-line", "Everybody is on leave", "3"):
        assert words in page
    assert emergency.campaign_id not in author.get("/campaigns/alone").content.decode()
    Account.objects.filter(pk=ada.pk).update(roles=["approver"])
    refused = client_of(Account.objects.get(pk=ada.pk)).post(
        "/campaigns/alone", {"campaign": emergency.campaign_id}
    )
    assert refused.status_code == 404, "by whatever role"
    assert client_of(lea).post("/campaigns/alone", {"campaign": emergency.campaign_id}).status_code == 403
    for _twice in range(2):
        told = approver.post("/campaigns/alone", {"campaign": emergency.campaign_id})
        assert told.headers["Location"] == "/campaigns/alone"
    looks = Entry.objects.filter(action="look-afterwards", detail__contains=emergency.campaign_id)
    assert looks.count() == 1
    assert on_record("look-afterwards") == {"campaign": emergency.campaign_id}
    assert "1 announcement was published alone" in approver.get("/").content.decode()
    told = approver.get(f"/campaigns/{emergency.campaign_id}").content.decode()
    assert "Somebody looked at it afterwards." in told
    recalled = Campaign.objects.get(alone_by="command-line")
    run_command("campaign", "recall", recalled.campaign_id)
    recalled.refresh_from_db()
    assert recalled.content["variants"] == {}
    page = approver.get("/campaigns/alone").content.decode()
    assert "This is what it said" in page, "who misuses it cannot take the proof away"
    assert "The studio opens" in page
    assert "The studio opens" not in approver.get(f"/campaigns/{recalled.campaign_id}").content.decode()
    approver.post("/campaigns/alone", {"campaign": recalled.campaign_id})
    recalled.refresh_from_db()
    assert (recalled.alone_by, recalled.alone_texts) == ("", None)


def test_who_published_alone_does_not_look_at_it_by_a_new_account(lea: Account, noor: Account) -> None:
    ada = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    draft = written(ada, urgency="emergency")
    campaign = publish_draft(draft, seal_of(draft), MANY, ada)
    ada.delete()
    again = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    for account, status in ((again, 404), (noor, 302)):
        told = client_of(account).post("/campaigns/alone", {"campaign": campaign.campaign_id})
        assert told.status_code == status


def test_texts_that_nobody_looked_at_go_when_the_campaign_closes(lea: Account, noor: Account) -> None:
    ada = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    draft = written(ada, urgency="emergency")
    campaign = publish_draft(draft, seal_of(draft), MANY, ada)
    recall(campaign.company, campaign.campaign_id, "test")
    campaign.refresh_from_db()
    assert campaign.alone_texts
    close(campaign)
    campaign.refresh_from_db()
    assert campaign.alone_texts is None


def test_what_needs_no_second_person_waits_for_none(lea: Account, noor: Account) -> None:
    Company.objects.update(second_person_from=None)
    draft = written(lea)
    campaign = publish_draft(draft, seal_of(draft), MANY, lea)
    assert "published alone" not in client_of(noor).get("/").content.decode()
    assert "Nothing waits to be looked at" in client_of(noor).get("/campaigns/alone").content.decode()
    assert client_of(noor).post("/campaigns/alone", {"campaign": campaign.campaign_id}).status_code == 404


@pytest.mark.parametrize("alone", [True, False])
def test_an_emergency_goes_alone_if_the_company_says_so(console: ServerHome, *, alone: bool) -> None:
    Company.objects.update(emergencies_alone=alone)
    ada = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    draft = written(ada, urgency="emergency")
    if alone:
        assert publish_draft(draft, seal_of(draft), MANY, ada)
    else:
        with pytest.raises(SecondPersonMissing):
            publish_draft(draft, seal_of(draft), MANY, ada)


def test_it_cannot_be_switched_on_where_nobody_could_approve(northwind: ServerHome) -> None:
    with console_settings():
        description = northwind.folder / "strict.toml"
        sample = Path(northwind.folder / "company.toml").read_text()
        description.write_text(sample.replace("[company]", "[company]\nsecond_person_from = 1"))
        account_of("ada@northwind.example", Role.ADMINISTRATOR)
        with pytest.raises(Refused, match="Nobody could approve"):
            run_command("init", description)
        account_of("lea@northwind.example", Role.COMMUNICATOR)
        run_command("init", description)
        assert Company.objects.get(pk="northwind").second_person_from == 1
        assert on_record("change-company")["second_person_from"] == 1
        run_command("init", northwind.folder / "company.toml")
        assert Company.objects.get(pk="northwind").second_person_from is None
        assert on_record("change-company")["second_person_from"] is None
        Account.objects.all().delete()
