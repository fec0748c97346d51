"""Emergencies need a role and a reason, and both are on record; other campaigns may be published over the API as well."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from server.access.models import AccessToken
from server.audit.models import Entry
from server.campaigns.models import Campaign
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, token_for
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.commands import succeeded, tidings_server

FILE = """
sender = "Security"
urgency = "{urgency}"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "Leave the building now"
"""
EMERGENCY, NEWS = FILE.format(urgency="emergency"), FILE.format(urgency="normal")
REASON = "Fire in the Lyon workshop"


@pytest.fixture
def url(northwind: ServerHome, serving: RunningServer) -> Iterator[str]:
    """Where the server answers."""
    bulk_data.add_people(2)
    yield serving.url
    AccessToken.objects.all().delete()


@pytest.fixture
def file(url: str, tmp_path: Path) -> Path:
    path = tmp_path / "fire.toml"
    path.write_text(EMERGENCY, encoding="utf-8")
    return path


def _post(url: str, role: str, path: str, body: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {token_for(role)}"}
    return requests.post(f"{url}{ADMIN}/{path}", json=body, headers=headers, timeout=30)


def _last_entry() -> tuple[str, str, dict[str, object]]:
    entry = Entry.objects.order_by("-number")[0]
    return entry.actor, entry.action, json.loads(entry.detail)


def test_an_emergency_is_published_with_a_reason_that_is_on_record(file: Path) -> None:
    said = succeeded("campaign", "publish", file, "--reason", f" {REASON} ")
    campaign_id = said.split()[0]
    assert Campaign.objects.get().urgency == "emergency"
    assert _last_entry() == (
        "command-line",
        "publish-emergency",
        {"campaign": campaign_id, "reason": REASON},
    )


@pytest.mark.parametrize("words", [(), ("--reason", "  "), ("--dry-run",)])
def test_without_a_reason_no_emergency_goes_out(file: Path, words: tuple[str, ...]) -> None:
    quiet = file.with_name("news.toml")
    quiet.write_text(NEWS, encoding="utf-8")
    done = tidings_server("campaign", "publish", quiet, file, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "fire.toml is an emergency: say why" in done.stderr
    assert not Campaign.objects.exists()


def test_a_reason_is_short_enough_to_be_read(file: Path) -> None:
    done = tidings_server("campaign", "publish", file, "--reason", 501 * "x")
    assert done.returncode == 1
    assert "500 characters" in done.stderr


def test_an_administrator_publishes_an_emergency_over_the_api_with_the_reason_on_record(url: str) -> None:
    answer = _post(url, "administrator", "emergencies", {"file": EMERGENCY, "reason": REASON})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["people"] == 2
    actor, action, detail = _last_entry()
    assert actor.endswith("(administrator)")
    assert (action, detail) == ("publish-emergency", {"campaign": told["campaign_id"], "reason": REASON})


def test_a_communicator_publishes_no_emergency_in_any_way(url: str) -> None:
    denied = _post(url, "communicator", "emergencies", {"file": EMERGENCY, "reason": REASON})
    assert denied.status_code == 403
    actor, action, detail = _last_entry()
    assert actor.endswith("(communicator)")
    assert (action, detail) == ("denied", {"right": "publish-emergencies"})
    as_news = _post(url, "communicator", "campaigns", {"file": EMERGENCY})
    assert as_news.status_code == 422
    assert "/emergencies" in as_news.json()["detail"]
    assert not Campaign.objects.exists()


def test_a_communicator_publishes_other_campaigns(url: str) -> None:
    answer = _post(url, "communicator", "campaigns", {"file": "acknowledge = true\n" + NEWS})
    assert answer.status_code == 201, answer.text
    campaign = Campaign.objects.get(campaign_id=answer.json()["campaign_id"])
    assert (campaign.urgency, campaign.acknowledge) == ("normal", True)
    assert campaign.content["acknowledge"] is True
    assert _last_entry()[1] == "publish"


def test_a_communicator_takes_no_emergency_back_in_any_way(url: str) -> None:
    """Neither by a recall, nor by something harmless under the same id, nor by erasing whom it is for."""
    told = _post(
        url, "administrator", "emergencies", {"file": 'id = "c-fire"\n' + EMERGENCY, "reason": REASON}
    )
    assert told.status_code == 201, told.text
    denied = _post(url, "communicator", "recalls", {"campaign_id": "c-fire"})
    assert (denied.status_code, denied.json()["type"]) == (403, "tidings:forbidden")
    assert "c-fire is an emergency" in denied.json()["title"]
    assert _last_entry()[1:] == ("denied", {"right": "publish-emergencies", "campaign": "c-fire"})
    assert _post(url, "communicator", "campaigns", {"file": 'id = "c-fire"\n' + NEWS}).status_code == 422
    assert _post(url, "communicator", "erasures", {"emails": ["p0@northwind.example"]}).status_code == 403
    assert _post(url, "dpo", "recalls", {"campaign_id": "c-fire"}).status_code == 403
    assert Campaign.objects.get().status == "live"
    assert _post(url, "administrator", "recalls", {"campaign_id": "c-fire"}).status_code == 200
    assert Campaign.objects.get().status == "recalled"
    again = _post(url, "communicator", "recalls", {"campaign_id": "c-fire"})
    assert again.status_code == 403


def test_an_author_over_the_api_is_warned_too(url: str) -> None:
    link = '[[variants.en.links]]\nlabel = "Read"\nurl = "https://northwind.example/"\n'
    french = '[variants.fr]\ntitle = "Nouvelles"\n'
    answer = _post(url, "communicator", "campaigns", {"file": f"{NEWS}\n{link}{french}"})
    assert answer.status_code == 201, answer.text
    uncounted, few = answer.json()["warnings"]
    assert "The link “Read” (l1) is not counted" in uncounted
    assert "Only 2 people get this campaign" in few
    assert _post(url, "communicator", "campaigns", {"file": NEWS}).json()["warnings"] == []


@pytest.mark.parametrize("reason", ["", " \n"])
def test_the_api_takes_no_emergency_without_a_reason(url: str, reason: str) -> None:
    answer = _post(url, "administrator", "emergencies", {"file": EMERGENCY, "reason": reason})
    assert answer.status_code == 422
    assert not Campaign.objects.exists()


def test_what_is_none_is_not_published_as_an_emergency(url: str) -> None:
    answer = _post(url, "administrator", "emergencies", {"file": NEWS, "reason": REASON})
    assert answer.status_code == 422
    assert not Campaign.objects.exists()


def test_no_file_of_the_server_can_be_published_over_the_api(url: str, northwind: ServerHome) -> None:
    with_a_picture = NEWS + '\n[variants.en.image]\nfile = "{path}"\nalt = "x"\n'
    answers = [
        _post(url, "communicator", "campaigns", {"file": with_a_picture.format(path=path)})
        for path in (northwind.folder / "secret.key", "/none", "../../etc/passwd")
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert "no file came along" in answers[0].json()["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "not TOML",
        "x = " + 10_000 * "[",
        "x = " + 5_000 * "9",
        NEWS.replace("everyone = true", 'people = ["a\\u0000b"]'),
        NEWS.replace("everyone = true", 'groups = ["a\\u0000b"]'),
        "starts = 0001-01-01T00:00:00+23:00\n" + NEWS,
        "starts = 9999-12-30T00:00:00Z\n" + NEWS,
    ],
    ids=["words", "deep", "digits", "nul-address", "nul-group", "ancient", "far"],
)
def test_a_file_that_makes_no_sense_is_refused(url: str, text: str) -> None:
    answer = _post(url, "communicator", "campaigns", {"file": text})
    assert answer.status_code == 422, answer.text
    assert "campaign.toml cannot be published" in answer.json()["title"]
