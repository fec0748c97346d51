"""Drafts of the console, written through its pages as people do. Use within `console_settings()`."""

import json
import re

from django.test import Client

from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.directory.models import Company, Group
from server.drafts.models import Draft

PAINTER = ("/bin/sh", "-c", 'cat > /dev/null; for n in 1 2 3 4 5 6; do echo png > "$0/$n.png"; done')
"""In place of the agent's program, which takes half a second for each page; `test_console` looks at true pictures."""


def company() -> Company:
    return Company.objects.get(pk="northwind")


def a_group() -> Group:
    """One that has members."""
    group, _made = Group.objects.get_or_create(company=company(), name="Lyon studio")
    group.people.add(company().people.order_by("email")[0])
    return group


def on_record(action: str) -> dict[str, str]:
    """What the audit log says of the last act of this kind."""
    detail: dict[str, str] = json.loads(Entry.objects.filter(action=action).order_by("-number")[0].detail)
    return detail


def begun(browser: Client) -> str:
    """The address of a new draft."""
    return str(browser.post("/drafts/new").headers["Location"])


def draft_at(address: str) -> Draft:
    return Draft.objects.get(draft_id=address.split("/")[2].split("?")[0])


def sent(address: str, **values: object) -> dict[str, object]:
    """What the form of a draft sends, with other values where they are named."""
    draft = draft_at(address)
    return {
        "revision": draft.revision,
        "language": draft.fields["default_language"],
        "default_language": draft.fields["default_language"],
        "urgency": "normal",
        "audience": "everyone",
        "sender": "Internal news",
        "title": "The studio opens",
        "body": "On Monday.",
    } | values


def written(browser: Client, **values: object) -> str:
    """The address of a draft that says something."""
    address = begun(browser)
    answer = browser.post(address, sent(address, **values))
    assert answer.status_code == 302, answer.content.decode()
    return address


def seal_on(page: str) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]+)"', page)
    assert found, page
    return found.group(1)


def published(browser: Client, address: str) -> Campaign:
    """Look at the check, and press the button that it shows."""
    seal = seal_on(browser.get(f"{address}/check").content.decode())
    answer = browser.post(f"{address}/publish", {"seal": seal, "people": "99"})
    assert answer.status_code == 302, answer.content.decode()
    return Campaign.objects.get(campaign_id=answer.headers["Location"].rsplit("/", 1)[1])
