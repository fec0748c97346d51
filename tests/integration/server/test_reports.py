"""Reports: of those who share, and never of fewer than five."""

import json

import pytest

from server.campaigns.models import Campaign
from server.reports.figures import report
from tests.support import server_data
from tests.support.campaign_server import Computer, RunningServer, ServerHome
from tests.support.wire import an_hour_ago, consent, event, give, send


@pytest.fixture
def campaign(northwind: ServerHome) -> Campaign:
    """A campaign for seven people."""
    server_data.add_people(7)
    return server_data.publish("c-news", starts=an_hour_ago(), links=["l1", "l2"])


@pytest.fixture
def computers(campaign: Campaign, serving: RunningServer) -> list[Computer]:
    return [server_data.connect(serving, f"p{number}@northwind.example") for number in range(7)]


def _figures(campaign: Campaign) -> dict[str, tuple[int | None, int | None]]:
    return {figure.name: (figure.people, figure.sharing) for figure in report(campaign).figures}


def test_fewer_than_five_who_share_are_not_shown(campaign: Campaign, computers: list[Computer]) -> None:
    for computer in computers[:4]:
        send(computer, event("seen", "c-news", give(computer, "seen")))
    assert _figures(campaign)["seen"] == (None, None)
    give(computers[4], "seen")
    assert _figures(campaign)["seen"] == (4, 5)


def test_the_denominator_is_who_shares_not_who_is_addressed(
    campaign: Campaign, computers: list[Computer]
) -> None:
    for computer in computers[:6]:
        receipt = give(computer, "click")
        if computer is not computers[0]:
            send(computer, event("click", "c-news", receipt), event("click", "c-news", receipt, link_id="l1"))
    send(computers[1], event("click", "c-news", give(computers[1], "click"), link_id="l2"))
    figures = report(campaign)
    assert figures.assigned == 7
    assert _figures(campaign)["click"] == (5, 6)
    assert [(link.name, link.people) for link in figures.links] == [("Label l1", 5), ("Label l2", 1)]


def test_of_several_likes_the_highest_number_holds(campaign: Campaign, computers: list[Computer]) -> None:
    receipts = [give(computer, "like") for computer in computers]
    for computer, receipt in zip(computers, receipts, strict=True):
        send(computer, event("like", "c-news", receipt, seq=1, value=1))
    send(computers[0], event("like", "c-news", receipts[0], seq=3, value=0))
    send(computers[0], event("like", "c-news", receipts[0], seq=2, value=1))
    assert _figures(campaign)["like"] == (6, 7)


def test_a_person_who_withdraws_counts_on_neither_side(campaign: Campaign, computers: list[Computer]) -> None:
    receipts = [give(computer, "seen") for computer in computers]
    for computer, receipt in zip(computers, receipts, strict=True):
        send(computer, event("seen", "c-news", receipt))
    assert _figures(campaign)["seen"] == (7, 7)
    computers[0].post("/consents", consent("seen", "withdrawn", receipt_id=receipts[0]))
    assert _figures(campaign)["seen"] == (6, 6)


def test_the_command_says_what_is_hidden(
    northwind: ServerHome, campaign: Campaign, computers: list[Computer]
) -> None:
    for computer in computers[:5]:
        send(computer, event("seen", "c-news", give(computer, "seen")))
    text = northwind.succeed("report", "c-news")
    assert "5 of 5 who share (100%)" in text
    assert text.count("hidden: fewer than 5 people share this") == 4
    told = json.loads(northwind.succeed("report", "c-news", "--json"))
    assert told["minimum"] == 5
    assert told["figures"][0] == {"name": "seen", "sharing": 5, "people": 5}
    assert told["figures"][1] == {"name": "click", "sharing": None, "people": None}
    unknown = northwind.command("report", "c-none")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "There is no campaign c-none" in unknown.stderr
