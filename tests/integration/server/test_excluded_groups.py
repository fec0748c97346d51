"""Groups that an announcement leaves out: at every poll, in every number, on every page, and for whoever is bound."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache, caches
from django.test import Client, override_settings

from server.access.roles import Role
from server.accounts.invitations import bind
from server.accounts.models import Account
from server.attention.planned import planned
from server.attention.weeks import monday_of
from server.campaigns.models import Campaign
from server.campaigns.overview import lines_of
from server.campaigns.reach import Reach
from server.core import clock
from server.directory.models import Group, Person
from server.drafts.models import Draft
from server.feed.feed import assigned
from server.reports.audiences import addressed, audience_sizes
from server.reports.figures import report
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.drafting import PAINTER, begun, draft_at, published, sent
from tests.support.server.run_command import run_command

FILE = """\
sender = "News"
default_language = "en"

[audience]
everyone = true
except_groups = ["lyon", "Paris"]

[variants.en]
title = "Not for all"
"""


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings(), override_settings(RENDER_COMMAND=PAINTER):
        caches["previews"].clear()
        for name in ("Lyon", "Paris", "Nice"):
            bulk_data.add_people(6, name)
        yield northwind
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()


def group(name: str) -> Group:
    return Group.objects.get(name=name)


def gets(person: Person) -> list[str]:
    """What the person's computer is sent now."""
    found = assigned(life.caller(person), clock.now())
    return list(found.order_by("campaign_id").values_list("campaign_id", flat=True))


@pytest.mark.both_databases
def test_who_is_in_a_group_that_is_left_out_gets_nothing_and_is_counted_nowhere(
    console: ServerHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'id = "c-but"\n{FILE}')
    assert run_command("campaign", "publish", file) == 0
    assert "6 people" in capsys.readouterr().out
    lyon, nice = group("Lyon").people.order_by("email")[0], group("Nice").people.order_by("email")[0]
    named = bulk_data.publish(
        "c-named", starts=clock.now(), groups=["Nice"], people=[lyon, nice], excluded=["Lyon"]
    )
    assert (gets(lyon), gets(nice)) == ([], ["c-but", "c-named"])
    group("Paris").people.add(nice)
    assert gets(nice) == ["c-named"]
    group("Lyon").people.remove(lyon)
    assert gets(lyon) == ["c-but", "c-named"]

    company, campaign = bulk_data.company(), Campaign.objects.get(campaign_id="c-but")
    company.feeds_changed()
    company.refresh_from_db()
    inside = set(Person.objects.exclude(groups__name__in=["Lyon", "Paris"]))
    assert set(addressed(campaign)) == inside
    sizes = {campaign.pk: 6, named.pk: 7}
    assert len(inside) == 6
    assert audience_sizes(company) == sizes
    lines = lines_of(company, Campaign.objects.order_by("campaign_id"), clock.now())
    told = [(Reach(6, 0), ["Lyon", "Paris"]), (Reach(6, 2, is_most=True), ["Lyon"])]
    assert [(line.reach, list(line.excluded)) for line in lines] == told
    assert report(campaign).assigned == 6
    [week] = planned(company, [monday_of(company, clock.now())])
    assert dict(week.of_everybody().counts) == {0: 11, 1: 2, 2: 5}


@pytest.mark.both_databases
def test_the_form_leaves_groups_out_and_says_so_up_to_the_campaign(console: ServerHome) -> None:
    browser = client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))
    address = begun(browser)
    form = sent(address, **{"add-except-group": "lyon"})
    assert browser.post(address, form).status_code == 302
    page = browser.get(address).content.decode()
    assert "12 people" in page
    assert f'name="except-group" value="{group("Lyon").pk}" checked' in page
    assert "connected" not in page.partition('id="reach"')[2].partition("</p>")[0]
    unknown = browser.post(
        address, sent(address, **{"except-group": group("Lyon").pk, "add-except-group": "x"})
    )
    assert (unknown.status_code, 'href="#add-except-group"' in unknown.content.decode()) == (422, True)
    file = browser.get(f"{address}/campaign.toml").content
    assert tomllib.loads(file.decode())["audience"] == {"everyone": True, "except_groups": ["Lyon"]}
    checked = browser.get(f"{address}/check").content.decode()
    assert "except Lyon" in checked
    campaign = published(browser, address)
    assert set(addressed(campaign)) == set(Person.objects.exclude(groups__name="Lyon"))
    assert "except Lyon" in browser.get("/campaigns").content.decode()
    received = browser.get(f"/campaigns/{campaign.campaign_id}").content.decode()
    assert "<dt>Left out</dt><dd>Lyon</dd>" in received
    again = browser.post(f"/campaigns/{campaign.campaign_id}/duplicate").headers["Location"]
    other = browser.post("/drafts/new", {"from-file": "1", "text": FILE}).headers["Location"]
    assert [
        sorted(one.name for one in draft_at(where).excluded_groups.all()) for where in (again, other)
    ] == [
        ["Lyon"],
        ["Lyon", "Paris"],
    ]
    assert browser.post(again, sent(again)).status_code == 302  # nothing is ticked any more
    assert not draft_at(again).excluded_groups.exists()
    versions = browser.get(f"{again}/versions").content.decode()
    assert "not Lyon" in versions
    back = {"revision": draft_at(again).revision, "version": draft_at(again).versions.get().pk}
    assert browser.post(f"{again}/versions", back).status_code == 302
    assert list(draft_at(again).excluded_groups.all()) == [group("Lyon")]


def test_who_is_bound_to_groups_learns_of_no_other_group_by_leaving_it_out(console: ServerHome) -> None:
    account = account_of("lea@northwind.example", Role.COMMUNICATOR)
    bind(account, [group("Lyon"), group("Nice")], "test")
    browser: Client = client_of(account)
    address = begun(browser)
    chosen = {"audience": "chosen", "group": group("Lyon").pk}
    refused = browser.post(address, sent(address, **chosen, **{"add-except-group": "Paris"}))
    assert (refused.status_code, draft_at(address).excluded_groups.count()) == (422, 0)
    smuggled = sent(address, **chosen, **{"except-group": group("Paris").pk})
    assert browser.post(address, smuggled).status_code == 302
    assert not draft_at(address).excluded_groups.exists()
    assert browser.post(address, sent(address, **chosen, **{"add-except-group": "Nice"})).status_code == 302
    assert list(draft_at(address).excluded_groups.all()) == [group("Nice")]
    bulk_data.publish("c-hidden", starts=clock.now(), groups=["Lyon"], excluded=["Paris"])
    assert browser.get("/campaigns/c-hidden").status_code == 404
