"""An author who is bound to groups writes, sees and publishes for the people in them, and for nobody else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from server.access.models import AccessToken
from server.access.roles import Role
from server.accounts.invitations import bind
from server.accounts.models import Account
from server.audit.models import Entry
from server.campaigns.models import Campaign, Publisher
from server.campaigns.scopes import OutOfScope
from server.core import clock
from server.core.errors import Refused
from server.directory.models import Company, Group, Person
from server.drafts.approval import approve, may_approve, submit, waiting_for
from server.drafts.fields import new_fields
from server.drafts.models import Draft
from server.drafts.publication import publish_draft, seal_of
from server.drafts.writing import Change, begin, begin_from_file, begin_like, change
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.drafting import PAINTER, sent
from tests.support.server.run_command import run_command

MANY = 99


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings(), override_settings(RENDER_COMMAND=PAINTER):
        caches["previews"].clear()
        bulk_data.add_people(6, "Lyon")
        bulk_data.add_people(6, "Paris")
        yield northwind
        Company.objects.update(second_person_from=None)
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()
        AccessToken.objects.all().delete()


@pytest.fixture
def lea(console: ServerHome) -> Account:
    """A communicator who is bound to Lyon."""
    account = account_of("lea@northwind.example", Role.COMMUNICATOR)
    run_command("console", "bind", account.email, "--group", "Lyon")
    return Account.objects.get(pk=account.pk)


@pytest.fixture
def ada(console: ServerHome) -> Account:
    return account_of("ada@northwind.example", Role.ADMINISTRATOR)


def groups(*names: str) -> list[Group]:
    return list(Group.objects.filter(name__in=names))


def wanted(*names: str, everyone: bool = False, people: tuple[Person, ...] = ()) -> Change:
    fields = new_fields("en") | {"sender": "News"}
    fields["variants"]["en"]["title"] = f"To {names}"
    return Change(fields, "", everyone, groups(*names), list(people))


def a_draft(account: Account, change_to: Change) -> Draft:
    draft = begin(account, "en")
    return change(draft, account, draft.revision, change_to)


def a_person(number: int) -> Person:
    return Person.objects.get(email=f"p{number}@northwind.example")


def text_of(browser: Client, where: str) -> str:
    return " ".join(browser.get(where).content.decode().split())


def test_nobody_else_comes_into_the_audience_of_a_bound_author(lea: Account, ada: Account) -> None:
    ok = a_draft(lea, wanted("Lyon", people=(a_person(0),)))
    for outside in (wanted("Paris"), wanted(everyone=True), wanted("Lyon", people=(a_person(7),))):
        with pytest.raises(OutOfScope):
            change(ok, lea, ok.revision, outside)
    with pytest.raises(OutOfScope, match="everybody"):
        begin_from_file(
            lea,
            b'sender = "x"\naudience = { everyone = true }\ndefault_language = "en"\nvariants = { en = { title = "x" } }\n',
        )
    with pytest.raises(OutOfScope, match="Paris"):
        begin_like(lea, bulk_data.publish("c-paris", groups=["Paris"]))
    for told in (
        'groups = ["Parris"]',
        'groups = ["Paris"]',
        f'people = ["{a_person(7).email}", "x@y.example"]',
    ):
        file = f'sender = "x"\naudience = {{ {told} }}\ndefault_language = "en"\nvariants = {{ en = {{ title = "x" }} }}\n'
        with pytest.raises(Refused) as refused:
            begin_from_file(lea, file.encode())
        said = refused.value.message
        assert "is not known" in said
        assert "Paris”" not in said.replace("“Paris” is not known", ""), (
            "nobody learns which groups there are"
        )
        assert len({line.partition("” ")[2] for line in said.splitlines()}) == 1, "nor who works there"
    Campaign.objects.update(sender="Cell", content=Campaign.objects.get().content | {"sender": "Cell"})
    assert begin(lea, "en").fields["sender"] == ""
    browser, address = client_of(lea), f"/drafts/{begin(lea, 'en').draft_id}"
    page = text_of(browser, address)
    assert "Your account is bound to: Lyon" in page
    assert "Paris" not in page
    assert 'value="everyone"' not in page
    answer = browser.post(address, sent(address, audience="everyone", **{"add-group": "Paris"}))
    assert answer.status_code == 422
    assert "you are bound to groups" in answer.content.decode()
    browser.post(address, sent(address, group=[group.pk for group in groups("Lyon", "Paris")]))
    made = Draft.objects.get(draft_id=address[-16:])
    assert [group.name for group in made.audience_groups.all()] == ["Lyon"]


@pytest.mark.both_databases
def test_what_is_for_others_too_is_published_by_no_way(
    lea: Account, ada: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = a_draft(lea, wanted("Lyon"))
    change(draft, ada, draft.revision, wanted("Lyon", "Paris"))
    draft.refresh_from_db()
    address = f"/drafts/{draft.draft_id}"
    both = [group.pk for group in groups("Lyon", "Paris")]
    client_of(lea).post(f"{address}/save", sent(address, audience="chosen", group=both, title="Other words"))
    draft.refresh_from_db()
    assert draft.fields["variants"]["en"]["title"] == "Other words"
    assert draft.audience_groups.count() == 2, "who goes on writing takes nobody out unawares"
    page = text_of(client_of(lea), f"{address}/check")
    assert "You are bound to groups and may not address: Paris" in page
    assert "Publish to" not in page
    with pytest.raises(OutOfScope):
        publish_draft(draft, seal_of(draft), MANY, lea)
    Company.objects.update(second_person_from=1)
    with pytest.raises(OutOfScope):
        submit(draft, lea, seal_of(draft))
    own = a_draft(lea, wanted("Lyon"))
    submit(own, lea, seal_of(own))
    bind(lea, groups("Paris"), "test")
    with pytest.raises(OutOfScope):
        approve(own, ada, seal_of(own), MANY)
    Company.objects.update(second_person_from=None)
    capsys.readouterr()
    run_command("token", "create", "--role", "communicator", "--group", "Lyon")
    token = capsys.readouterr().out.split()[1]
    with override_settings(ROOT_URLCONF="server.urls"):
        answers = [_asked(token, "campaigns", {"file": _file(group)}) for group in ("Paris", "Lyon")]
        bulk_data.publish("c-paris", groups=["Paris"])
        answers.append(_asked(token, "recalls", {"campaign_id": "c-paris"}))
        answers.append(Client().get(f"{ADMIN}/reports/c-paris", headers=_bearer(token)).status_code)
    assert answers == [422, 201, 404, 404]
    assert set(Campaign.objects.values_list("audience_groups__name", flat=True)) == {"Lyon", "Paris"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _asked(token: str, call: str, body: dict[str, str]) -> int:
    answer = Client().post(f"{ADMIN}/{call}", body, content_type="application/json", headers=_bearer(token))
    return answer.status_code


def _file(group: str) -> str:
    lines = (
        'sender = "News"',
        f'audience = {{ groups = ["{group}"] }}',
        'default_language = "en"',
        'variants = { en = { title = "The plan" } }',
    )
    return "\n".join(lines)


@pytest.mark.both_databases
def test_a_bound_author_sees_what_is_for_their_people_alone(lea: Account, ada: Account) -> None:
    now = clock.now()
    bulk_data.publish("c-lyon", starts=now, groups=["Lyon"])
    bulk_data.publish("c-named", starts=now, people=[a_person(1)])
    bulk_data.publish("c-paris", starts=now, groups=["Paris"])
    bulk_data.publish("c-both", starts=now, groups=["Lyon", "Paris"])
    bulk_data.publish("c-all", starts=now)
    bulk_data.publish("c-mixed", starts=now, people=[a_person(1), a_person(7)])
    drafts = {name: a_draft(ada, wanted(name)) for name in ("Lyon", "Paris")}
    drafts["by name"] = a_draft(ada, wanted(people=(a_person(1),)))
    browser = client_of(lea)
    seen, all_of = {"c-lyon"}, set(Campaign.objects.values_list("campaign_id", flat=True))
    rows = browser.get("/campaigns/campaigns.csv").content.decode()
    assert {name for name in all_of if f"{name}," in rows} == seen
    for where in ("/campaigns", "/calendar"):
        page = text_of(browser, where)
        assert {name for name in all_of if f">{name}<" in page} == seen, where
    assert {name for name in all_of if f'href="/campaigns/{name}"' in text_of(browser, "/")} <= seen
    reached = {
        name: [browser.get(f"/campaigns/{name}{what}").status_code for what in ("", "/report.csv", "/recall")]
        for name in all_of
    }
    assert {name for name, codes in reached.items() if set(codes) == {200}} == seen
    assert {code for name in all_of - seen for code in reached[name]} == {404}
    assert browser.post("/campaigns/c-paris/recall").status_code == 404
    assert browser.post("/campaigns/c-all/duplicate").status_code == 404
    for name, code in (("Lyon", 200), ("Paris", 404), ("by name", 404)):
        assert browser.get(f"/drafts/{drafts[name].draft_id}").status_code == code
        assert browser.get(f"/drafts/{drafts[name].draft_id}/check").status_code == code
    assert drafts["Lyon"].draft_id in text_of(browser, "/drafts")
    for name in ("Paris", "by name"):
        assert drafts[name].draft_id not in text_of(browser, "/drafts")
    assert "Paris" not in text_of(browser, "/groups") + text_of(browser, "/calendar/attention")
    for where in ("/", "/campaigns", "/calendar", "/drafts", "/groups"):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(where).status_code == 200
        assert len(queries) <= 12, where
    noor = account_of("noor@northwind.example", Role.APPROVER)
    bind(noor, groups("Paris"), "test")
    Company.objects.update(second_person_from=1)
    for draft in drafts.values():
        submit(draft, ada, seal_of(draft))
    noor.refresh_from_db()
    assert [draft.pk for draft in waiting_for(noor)] == [drafts["Paris"].pk]
    assert not may_approve(noor, Draft.objects.get(pk=drafts["Lyon"].pk))


def test_binding_is_on_record_and_no_administrator_is_bound(lea: Account, ada: Account) -> None:
    entry = Entry.objects.filter(action="bind-account").order_by("-number")[0]
    lyon = Group.objects.get(name="Lyon").pk
    assert json.loads(entry.detail) == {"account": lea.pk, "groups": [lyon]}
    assert "Your account is bound to groups: Lyon" in text_of(client_of(lea), "/account")
    with pytest.raises(Refused, match="cannot be bound"):
        run_command("console", "bind", ada.email, "--group", "Lyon")
    with pytest.raises(Refused, match="There is no group"):
        run_command("console", "bind", lea.email, "--group", "Nowhere")
    Group.objects.get(name="Lyon").delete()
    assert Account.objects.get(pk=lea.pk).scope.groups == frozenset(), "a group that went frees nobody"
    run_command("console", "bind", lea.email, "--everybody")
    assert Account.objects.get(pk=lea.pk).scope.groups is None


@pytest.mark.both_databases
def test_who_published_goes_on_seeing_and_recalling_it_where_people_moved(lea: Account, ada: Account) -> None:
    zoe = account_of("zoe@northwind.example", Role.APPROVER)
    run_command("console", "bind", zoe.email, "--group", "Paris")
    to_two = a_draft(lea, wanted(people=(a_person(0), a_person(1))))
    address = f"/campaigns/{publish_draft(to_two, seal_of(to_two), MANY, lea).campaign_id}"
    paris, lyon = Group.objects.get(name="Paris"), Group.objects.get(name="Lyon")
    for person in (a_person(0), a_person(1)):
        person.groups.set([paris])
    try:
        author, other = client_of(lea), client_of(Account.objects.get(pk=zoe.pk))
        assert address in text_of(author, "/campaigns")
        assert author.get(address).status_code == 200
        assert other.get(address).status_code == 404, "it told them something where they were before"
        assert address not in text_of(other, "/campaigns")
        assert client_of(ada).get(address).status_code == 200
        assert author.post(f"{address}/recall").status_code == 302
        assert Campaign.objects.get().status == Campaign.Status.RECALLED
        assert Publisher.objects.get().account == lea
        lea.delete()
        assert not Publisher.objects.exists(), "what is kept of an account goes with it"
    finally:
        for person in (a_person(0), a_person(1)):
            person.groups.set([lyon])


def test_of_what_two_published_both_go_on_seeing_it(lea: Account, console: ServerHome) -> None:
    Company.objects.update(second_person_from=1)
    noor = account_of("noor@northwind.example", Role.APPROVER)
    draft = a_draft(lea, wanted(people=(a_person(0),)))
    submit(draft, lea, seal_of(draft))
    draft.refresh_from_db()
    campaign = approve(draft, noor, seal_of(draft), MANY)
    run_command("console", "bind", noor.email, "--group", "Lyon")
    for account in (lea, Account.objects.get(pk=noor.pk)):
        assert client_of(account).get(f"/campaigns/{campaign.campaign_id}").status_code == 200
