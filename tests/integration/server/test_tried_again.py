"""A publication whose answer was lost, and that is tried again, is one publication."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from server.audit.models import Entry
from server.campaigns.manifest import check_manifest
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.core import clock
from server.core.errors import Refused
from server.publishing.checked import check_campaign
from server.publishing.publish import publish
from server.publishing.recall import recall
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.commands import succeeded

pytestmark = pytest.mark.both_databases

NEWS = """
sender = "News"
default_language = "en"
{more}
[audience]
everyone = true
[variants.en]
title = "{title}"
"""


def _publish(more: str = "", title: str = "Lunch", reason: str = "") -> Campaign:
    company = bulk_data.company()
    content = NEWS.format(more=more, title=title).encode()
    checked = check_campaign(
        company, check_manifest(content, clock.now(), company.link_hosts), Scope(), reason
    )
    return publish(checked, "test", Scope()).campaign


@pytest.fixture(autouse=True)
def somebody(northwind: ServerHome) -> None:
    bulk_data.add_people(1)


@pytest.mark.parametrize("more", ["", 'id = "c-lunch"'])
def test_the_same_file_published_again_is_the_same_campaign(more: str) -> None:
    first = _publish(more)
    counter, entries = bulk_data.company().counter, Entry.objects.count()
    assert _publish(more) == first
    assert bulk_data.company().counter == counter
    assert Entry.objects.count() == entries
    assert _publish(title="Dinner") != first
    assert Campaign.objects.count() == 2


def test_published_several_times_at_once_it_is_one_campaign() -> None:
    counter = bulk_data.company().counter

    def one(_number: int) -> str:
        try:
            return _publish().campaign_id
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as together:
        assert len(set(together.map(one, range(4)))) == 1
    assert Campaign.objects.count() == 1
    assert bulk_data.company().counter == counter + 1


def test_a_command_tried_again_names_the_same_campaign_and_says_that_nothing_new_is_shown(
    tmp_path: Path,
) -> None:
    file = tmp_path / "lunch.toml"
    file.write_text(NEWS.format(more="", title="Lunch"), encoding="utf-8")
    first, second = succeeded("campaign", "publish", file), succeeded("campaign", "publish", file)
    assert f"{first.split()[0]} is published." in first
    assert second.startswith(f"{first.split()[0]} was published already")
    assert Campaign.objects.count() == 1


@pytest.mark.parametrize("more", ["", 'id = "c-alarm"'])
def test_an_emergency_for_the_same_reason_is_one_and_for_another_reason_another(more: str) -> None:
    before = Entry.objects.filter(action="publish-emergency").count()
    alarm = 'urgency = "emergency"\n' + more
    drill = _publish(alarm, reason="the drill of Monday")
    assert _publish(alarm, reason=" the drill of Monday ") == drill
    if more:
        with pytest.raises(Refused, match="is taken"):
            _publish(alarm, reason="fire in the workshop")
        return
    fire = _publish(alarm, reason="fire in the workshop")
    assert fire != drill
    reasons = [
        json.loads(entry.detail)["reason"]
        for entry in Entry.objects.filter(action="publish-emergency").order_by("number")[before:]
    ]
    assert reasons == ["the drill of Monday", "fire in the workshop"]


def test_the_same_file_may_be_published_anew_after_an_hour_or_a_recall() -> None:
    first = _publish()
    recall(bulk_data.company(), first.campaign_id, "command-line")
    second = _publish()
    assert second != first
    Campaign.objects.filter(pk=second.pk).update(published_at=clock.now() - timedelta(hours=2))
    assert _publish() != second
