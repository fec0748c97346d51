"""Drafts that wait for a second person, made as the pages make them. Use within `console_settings()`."""

from server.accounts.models import Account
from server.drafts.approval import submit
from server.drafts.fields import new_fields
from server.drafts.models import Draft
from server.drafts.publication import seal_of
from server.drafts.writing import Change, begin, change

MANY = 10_000
"""Whom it may be for: how many that is, is not the subject of most tests."""


def wanted(title: str = "The studio opens", urgency: str = "normal") -> Change:
    fields = new_fields("en") | {"sender": "Internal news", "urgency": urgency}
    fields["variants"]["en"]["title"] = title
    return Change(fields, "A fire" if urgency == "emergency" else "", everyone=True)


def written(account: Account, **what: str) -> Draft:
    draft = begin(account, "en")
    return change(draft, account, draft.revision, wanted(**what))


def fresh(draft: Draft) -> Draft:
    return Draft.objects.select_related("company", "campaign", "submitted_by").get(pk=draft.pk)


def submitted(account: Account, **what: str) -> Draft:
    draft = written(account, **what)
    submit(draft, account, seal_of(draft))
    return fresh(draft)
