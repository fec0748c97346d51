"""A campaign file becomes a draft, a draft a campaign file, and a campaign another draft."""

import re

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from server.campaigns.manifest import check_manifest
from server.core import clock
from server.drafts.fields import new_fields
from server.drafts.models import Draft
from tests.support.server.drafting import a_group, company, draft_at, published, written

FILE = """\
sender = "Internal news"
default_language = "en"
ends = 2030-01-01T00:00:00Z
starts = 2029-12-01T00:00:00Z

[audience]
everyone = true

[variants.en]
title = "The studio opens"
body = \"\"\"
First line
Second "line" with a \\\\ in it\"\"\"
links = [{ id = "plan", label = "The plan", url = "https://intranet.northwind.example/plan" }]

[variants.fr]
title = "Le studio ouvre"
links = [{ id = "plan", label = "Le plan", url = "https://intranet.northwind.example/plan" }]
"""


def test_a_campaign_file_becomes_a_draft_and_the_same_campaign(browser: Client) -> None:
    answer = browser.post("/drafts/new", {"from-file": "1", "text": FILE})
    address = answer.headers["Location"]
    content = browser.get(f"{address}/campaign.toml").content
    now, hosts = clock.now(), company().link_hosts
    given, came = check_manifest(FILE.encode(), now, hosts), check_manifest(content, now, hosts)
    same = ("sender", "urgency", "acknowledge", "starts", "ends", "default_language", "audience", "variants")
    assert [getattr(given, name) for name in same] == [getattr(came, name) for name in same]
    again = browser.post("/drafts/new", {"from-file": "1", "text": content.decode()}).headers["Location"]
    without_id = [
        re.sub(rb"\Aid = .*\n", b"", browser.get(f"{one}/campaign.toml").content) for one in (address, again)
    ]
    assert without_id[0] == without_id[1]


def test_last_months_file_is_taken_without_its_times(browser: Client) -> None:
    old = FILE.replace("2030-01-01", "2020-01-01").replace("2029-12-01", "2019-12-01")
    address = browser.post("/drafts/new", {"from-file": "1", "text": old}).headers["Location"]
    assert draft_at(address).fields["starts"] == draft_at(address).fields["ends"] == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[",
        FILE.replace("everyone = true", 'groups = ["None such"]'),
        FILE + 'image = { file = "a.png", alt = "a" }',
    ],
)
def test_a_file_that_cannot_be_taken_is_explained_and_makes_no_draft(browser: Client, text: str) -> None:
    answer = browser.post("/drafts/new", {"from-file": "1", "text": text})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Draft.objects.exists()


def test_a_campaign_is_duplicated_with_its_texts_and_audience_and_without_its_times(browser: Client) -> None:
    group = a_group()
    first = published(
        browser,
        written(
            browser,
            audience="chosen",
            starts="2029-12-01T09:00",
            ends="2029-12-08T09:00",
            **{"add-group": group.name},
        ),
    )
    address = browser.post(f"/campaigns/{first.campaign_id}/duplicate").headers["Location"]
    draft = draft_at(address)
    assert draft.fields["variants"]["en"]["title"] == "The studio opens"
    assert not draft.fields["starts"]
    assert list(draft.audience_groups.all()) == [group]
    assert published(browser, address).campaign_id != first.campaign_id


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)


@settings(max_examples=60, deadline=None)
@given(title=TEXT, body=TEXT, sender=TEXT, label=TEXT)
def test_a_draft_says_in_its_file_what_was_written(title: str, body: str, sender: str, label: str) -> None:
    import tomllib

    from django.db.models import Model  # Django is ready

    assert Model
    draft = unsaved(title, body, sender, label)
    values = tomllib.loads(text_of(draft))
    assert values["variants"]["en"].get("title", "") == title
    assert values["variants"]["en"].get("body", "") == body
    assert values.get("sender", "") == sender
    assert values["variants"]["en"]["links"][0]["label"] == label


def unsaved(title: str, body: str, sender: str, label: str) -> dict[str, object]:
    fields = new_fields("en") | {"sender": sender}
    fields["variants"]["en"] = {
        "title": title,
        "body": body,
        "links": [{"id": "l1", "label": label, "url": "https://intranet.northwind.example"}],
    }
    return fields


def text_of(fields: dict[str, object]) -> str:
    from server.drafts.fields import as_toml

    return as_toml("c-x", fields, {"everyone": True}).decode()
