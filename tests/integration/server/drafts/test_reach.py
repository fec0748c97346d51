"""The number of an audience tells an author for how many people it is, and of nobody whether they are in a group."""

import re
from html import unescape

import pytest
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.attention.budget import MOST_WITHOUT_FIGURE
from server.campaigns.models import Campaign
from server.directory.models import Company, Group, Person
from server.drafts.fields import new_fields
from server.drafts.models import Draft
from server.drafts.publication import publish_draft, seal_of
from server.drafts.writing import Change, begin, change
from server.reports.figures import report
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of

MANY = 99


def told(browser: Client, draft: Draft) -> set[str]:
    """All that the pages of a draft say of how many people it is for."""
    form = browser.get(f"/drafts/{draft.draft_id}").content.decode()
    check = browser.get(f"/drafts/{draft.draft_id}/check").content.decode()
    found = re.findall(r'id="reach"[^>]*>.*?<b>(.*?)</b>', form)
    found += re.findall(r"(?:Publish to|Submit for) ([^<]*)<", check)
    found += re.findall(r'name="people" value="(\d+)"', check)
    return {unescape(one) for one in found}


def draft_for(account: Account, people: list[Person], groups: list[Group], excluded: list[Group]) -> Draft:
    fields = new_fields("en") | {"sender": "News"}
    fields["variants"]["en"] = {"title": "The same", "body": "", "links": []}
    draft = begin(account, "en")
    changed = change(draft, account, draft.revision, Change(fields, "", False, groups, people, excluded))
    return Draft.objects.select_related("company").get(pk=changed.pk)


@pytest.mark.both_databases
def test_no_number_tells_an_author_whether_somebody_is_in_a_group(console: ServerHome) -> None:
    inside = bulk_data.add_people(8, "Long illness")[0]
    outside = bulk_data.add_people(6, "Lyon")[0]
    head = bulk_data.add_people(1, "Head of the site")[0]
    head.groups.add(Group.objects.get(name="Lyon"))
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    browser = client_of(lea)
    ill, small, lyon = (
        [Group.objects.get(name=name)] for name in ("Long illness", "Head of the site", "Lyon")
    )
    expected = {
        "with the group": (ill, [], {"8 in groups, and 1 by name", "9"}),
        "without the group": ([], ill, {"at most 1 person", "1"}),
        "from one on": (ill, [], {"8 in groups, and 1 by name"}),
    }
    for where, (groups, excluded, said) in expected.items():
        Company.objects.update(second_person_from=9 if where == "from one on" else None)
        for person in (inside, outside):
            assert told(browser, draft_for(lea, [person], groups, excluded)) == said, where
    Company.objects.update(second_person_from=None)
    for group, said in ((lyon, {"at most 8 people", "8"}), (ill, {"at most 9 people", "9"})):
        assert told(browser, draft_for(lea, [], [*small, *group], [])) == said, "a group of one is a name"
    assert told(browser, draft_for(lea, [], [*lyon, *ill], [])) == {"15 people", "15"}
    numbers = set()
    for person in (inside, outside):
        draft = draft_for(lea, [person], ill, [])
        campaign = publish_draft(draft, seal_of(draft), MANY, lea)
        line = browser.get("/campaigns").content.decode().partition(campaign.campaign_id)[2]
        csv = browser.get("/campaigns/campaigns.csv").content.decode().partition(campaign.campaign_id)[2]
        recall = browser.get(f"/campaigns/{campaign.campaign_id}/recall").content.decode()
        assert "8 in groups, and 1 by name" in line.partition("</tr>")[0]
        assert "Recall for 8 in groups, and 1 by name" in recall
        found = report(Campaign.objects.get(pk=campaign.pk))
        lines = tuple((line.name, line.assigned) for line in found.groups)
        numbers.add((csv.partition("\n")[0].split(",")[-2], found.assigned, lines))
    assert numbers == {("9", 9, (("Long illness", 8),))}


@pytest.mark.both_databases
def test_no_line_of_a_report_tells_whether_the_one_of_a_small_group_is_in_another(
    console: ServerHome,
) -> None:
    bulk_data.add_people(8, "Long illness")
    outside = bulk_data.add_people(6, "Lyon")[0]
    head = bulk_data.add_people(1, "Head of the site")[0]
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    ill, lyon, small = (Group.objects.get(name=name) for name in ("Long illness", "Lyon", "Head of the site"))
    found = set()
    for member in (head, outside):
        member.groups.add(ill)
        draft = draft_for(lea, [], [ill, lyon], [small])
        campaign = publish_draft(draft, seal_of(draft), MANY, lea)
        found |= {(line.name, line.assigned) for line in report(campaign).groups}
        member.groups.remove(ill)
    assert found == {("Long illness", 9), ("Lyon", 6)}


def test_attention_tells_of_nobody_by_name_whether_they_are_in_a_group(console: ServerHome) -> None:
    inside = bulk_data.add_people(8, "Long illness")[0]
    *others, outside = bulk_data.add_people(MOST_WITHOUT_FIGURE + 1, "Lyon")
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    ill, browser = Group.objects.get(name="Long illness"), client_of(lea)
    found = set()
    for person in (inside, outside):
        draft = draft_for(lea, [*others, person], [], [ill])
        check = browser.get(f"/drafts/{draft.draft_id}/check").content.decode()
        found.add(check.partition("<dt>Attention</dt>")[2].partition("</dd>")[0])
    assert len(found) == 1
    assert "Everybody" in found.pop()
