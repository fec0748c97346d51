"""A publication whose answer was lost, and that is tried again, is one publication."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from server import clock
from server.audit.models import Entry
from server.campaigns.manifest import check_manifest
from server.campaigns.models import Campaign
from server.campaigns.publishing import draft
from server.campaigns.recalling import recall
from server.campaigns.releasing import release
from tests.support import server_data
from tests.support.campaign_server import ServerHome
from tests.support.commands import succeeded

NEWS = """
sender = "News"
default_language = "en"
{more}
[audience]
everyone = true
[variants.en]
title = "{title}"
"""


def _publish(more: str = "", title: str = "Lunch") -> Campaign:
    company = server_data.company()
    content = NEWS.format(more=more, title=title).encode()
    return release(draft(company, check_manifest(content, clock.now(), company.link_hosts)), "test")


@pytest.fixture(autouse=True)
def somebody(northwind: ServerHome) -> None:
    server_data.add_people(1)


@pytest.mark.parametrize("more", ["", 'id = "c-lunch"'])
def test_the_same_file_published_again_is_the_same_campaign(more: str) -> None:
    first = _publish(more)
    counter, entries = server_data.company().counter, Entry.objects.count()
    assert _publish(more) == first
    assert server_data.company().counter == counter
    assert Entry.objects.count() == entries
    assert _publish(title="Dinner") != first
    assert Campaign.objects.count() == 2


def test_published_several_times_at_once_it_is_one_campaign() -> None:
    counter = server_data.company().counter

    def one(_number: int) -> str:
        try:
            return _publish().campaign_id
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as together:
        assert len(set(together.map(one, range(4)))) == 1
    assert Campaign.objects.count() == 1
    assert server_data.company().counter == counter + 1


def test_a_command_tried_again_names_the_same_campaign(tmp_path: Path) -> None:
    file = tmp_path / "lunch.toml"
    file.write_text(NEWS.format(more="", title="Lunch"), encoding="utf-8")
    assert succeeded("campaign", "publish", file) == succeeded("campaign", "publish", file)
    assert Campaign.objects.count() == 1


def test_the_same_file_may_be_published_anew_after_an_hour_or_a_recall() -> None:
    first = _publish()
    recall(server_data.company(), first.campaign_id)
    second = _publish()
    assert second != first
    Campaign.objects.filter(pk=second.pk).update(published_at=clock.now() - timedelta(hours=2))
    assert _publish() != second
