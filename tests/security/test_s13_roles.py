"""S13: each role does what the table of rights says, by no form of another site, and nothing goes out alone."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from django.core.cache import cache
from django.test import Client

from server.access.roles import RIGHTS, Role
from server.accounts.invitations import bind
from server.accounts.models import Account
from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.directory.models import Company, Group
from server.drafts.approval import approve, give_back, is_submitted, submit, take_back
from server.drafts.models import Draft
from server.drafts.publication import publish_draft, seal_of
from server.drafts.writing import Overtaken, change
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.console_pages import OPEN_TO_ALL, address, of_rights, pages, right_of
from tests.support.server.submitting import MANY, fresh, wanted, written
from tests.support.server.two_worlds import readable


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings():
        yield northwind
        Company.objects.update(second_person_from=None)
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()


@pytest.mark.proves("S13")
def test_each_role_opens_exactly_the_pages_of_its_rights(console: ServerHome, proof: Proof) -> None:
    asked, wrong = 0, []
    for role in Role:
        client = client_of(account_of(f"{role}@northwind.example", role))
        for name in of_rights():
            is_allowed = right_of(name) in {None, *RIGHTS[role]}
            asked += 1
            with closing(client.get(address(name))) as answer:
                if (answer.status_code != 403) != is_allowed:
                    wrong.append((role, name))
            if not is_allowed and client.post(address(name)).status_code != 403:
                wrong.append((role, name))
    proof.found("pages that a role opened against the table, or did not open", len(wrong), asked)
    assert wrong == []


@pytest.mark.proves("S13")
def test_an_author_bound_to_groups_reaches_no_page_and_no_form_of_what_is_for_others(
    console: ServerHome, proof: Proof
) -> None:
    bulk_data.add_people(6, "Lyon")
    bulk_data.publish("c-all", links=())
    draft = written(account_of("ada@northwind.example", Role.ADMINISTRATOR))
    account = account_of("lea@northwind.example", Role.COMMUNICATOR, Role.APPROVER)
    bind(account, list(Group.objects.filter(name="Lyon")), "test")
    client, reached, asked = client_of(account), [], 0
    for name, pattern in sorted(pages().items()):
        route = str(pattern.pattern)
        if "<campaign:" not in route and "<hex:draft_id>" not in route:
            continue
        where = address(name).replace("c-none", "c-all").replace("0" * 16, draft.draft_id, 1)
        for answer in (client.get(where), client.post(where, {"seal": seal_of(draft), "people": "99"})):
            asked += 1
            answer.close()
            if answer.status_code not in (403, 404, 405):
                reached.append((name, answer.status_code))
    proof.found("pages and forms about others that a bound author reached", len(reached), asked)
    assert reached == []
    assert asked >= 40
    assert Draft.objects.get(pk=draft.pk).campaign is None


@pytest.mark.proves("S13")
def test_a_bound_author_reaches_nothing_of_others_by_what_a_form_or_a_question_names(
    console: ServerHome, proof: Proof
) -> None:
    bulk_data.add_people(6, "Lyon")
    others = bulk_data.add_people(2, "Paris")
    bulk_data.publish("c-all", links=())
    Campaign.objects.filter(campaign_id="c-all").update(alone_by="command-line", alone_because="On leave")
    draft = written(account_of("ada@northwind.example", Role.ADMINISTRATOR))
    account = account_of("lea@northwind.example", Role.COMMUNICATOR, Role.APPROVER)
    bind(account, list(Group.objects.filter(name="Lyon")), "test")
    client, reached, asked = client_of(account), [], 0
    paris = Group.objects.get(name="Paris")
    named = {"campaign": "c-all", "draft": draft.draft_id, "seal": seal_of(draft), "group": paris.pk}
    file = 'sender = "N"\naudience = { everyone = true }\ndefault_language = "en"\nvariants = { en = { title = "N" } }'
    body = named | {
        "add-group": "Paris",
        "people": "99",
        "from-file": "1",
        "text": file,
        "add-person": others[0].email,
    }
    private = ("c-all", draft.draft_id, "Paris<", others[0].email)
    for name in of_rights():
        if name.startswith("account"):
            continue  # of one's own, and ways out
        for answer in (client.get(address(name), named), client.post(address(name), body)):
            asked += 1
            if any(word in readable(answer) for word in private):
                reached.append((name, answer.status_code))
    assert client.get("/").status_code == 200, "still signed in"
    assert client.post("/campaigns/alone", named).status_code == 404
    proof.found(
        "pages that told a bound author of others, named in a form or a question", len(reached), asked
    )
    assert reached == []
    assert Campaign.objects.get(campaign_id="c-all").alone_by == "command-line"
    assert [one.pk for one in Draft.objects.filter(to_everyone=True)] == [draft.pk]
    assert not Draft.objects.filter(audience_groups=paris).exists()


@pytest.mark.proves("S13")
def test_no_form_is_taken_that_this_browser_did_not_get_from_the_console(
    console: ServerHome, proof: Proof
) -> None:
    signed_in = client_of(account_of("a@northwind.example", *Role))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    taken = []
    names = sorted(pages().keys() - {"account_logout"} - OPEN_TO_ALL)
    for name in names:
        if strict.post(address(name), {"go": "save"}).status_code != 403:
            taken.append(name)
        other = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        if signed_in.post(address(name), headers=other).status_code != 403:
            taken.append(name)
    proof.found("forms that were taken without a token, or from another site", len(taken), 2 * len(names))
    assert taken == []


@pytest.mark.proves("S13")
def test_whatever_happens_nothing_is_published_that_two_people_did_not_see(
    console: ServerHome, proof: Proof
) -> None:
    bulk_data.add_people(3)
    Company.objects.update(second_person_from=1)
    people = [
        account_of("lea@northwind.example", Role.COMMUNICATOR),
        account_of("noor@northwind.example", Role.APPROVER),
        account_of("ada@northwind.example", Role.ADMINISTRATOR),
    ]
    histories = proof.trials(1_000, 20)
    published, broken = 0, {}
    for seed in range(histories):
        try:
            published += _history(random.Random(seed), people)
        except AssertionError as error:
            broken[seed] = str(error)
    proof.found("histories in which something came out that two people had not seen", len(broken), histories)
    assert broken == {}
    assert published > histories / 6, "the histories never got there"


ACTS: dict[str, Callable[[Draft, Account, str], object]] = {
    "look": lambda _draft, _account, _seal: None,
    "submit": submit,
    "take-back": lambda draft, account, _seal: take_back(draft, account),
    "return": lambda draft, account, seal: give_back(draft, account, seal, "Once more"),
    "publish": lambda draft, account, seal: publish_draft(draft, seal, MANY, account),
}


def _history(chance: random.Random, people: list[Account]) -> int:
    """Three people do at random what they can, with seals that they saw now or long ago. Answers how many came out."""
    draft = written(chance.choice(people))
    writers: set[int] = set(draft.writers.values_list("pk", flat=True))
    seen_by: dict[str, set[int]] = {}
    for _step in range(25):
        account, now = chance.choice(people), fresh(draft)
        if now.campaign is not None:
            break
        act = chance.choice(
            ["look", "change", "submit", "submit", "take-back", "return", *4 * ["approve"], "publish"]
        )
        if chance.random() < 0.6:
            seen_by.setdefault(seal_of(now), set()).add(account.pk)
        seals = [seal for seal, eyes in seen_by.items() if account.pk in eyes] or [""]
        seal = chance.choice([seal_of(now) if seal_of(now) in seals else seals[-1], chance.choice(seals)])
        try:
            if act == "change":
                changed = change(now, account, now.revision, wanted(f"Title {chance.randrange(3)}"))
                writers.update({account.pk} if changed.revision != now.revision else ())
            elif act == "approve":
                campaign = approve(now, account, seal, MANY)
                assert account.pk not in writers
                assert account.pk in seen_by[seal]
                assert len(seen_by[seal]) >= 2, "one person alone saw it"
                assert campaign.content["variants"]["en"]["title"] == now.fields["variants"]["en"]["title"]
                assert seal == seal_of(now)
            else:
                ACTS[act](now, account, seal)
                assert act != "publish", "it was published by one person"
                submitter = fresh(draft).submitted_by_id if act == "submit" else None
                writers.update({account.pk} if submitter == account.pk else ())
        except (Overtaken, Refused):
            assert fresh(draft).campaign is None
        assert not is_submitted(fresh(draft)) or fresh(draft).submitted_by is not None
    return int(fresh(draft).campaign is not None)
