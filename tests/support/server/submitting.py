"""Drafts that wait for a second person, made as the pages make them. Use within `console_settings()`."""

import tempfile
from pathlib import Path

from server.accounts.models import Account
from server.drafts.approval import submit
from server.drafts.fields import Fields, new_fields
from server.drafts.files import add_captions, add_video
from server.drafts.models import Draft
from server.drafts.publication import seal_of
from server.drafts.writing import Change, begin, change
from tests.support.videos import make_video

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


def a_film(draft: Draft) -> Fields:
    """A video with captions, as a draft's fields say it."""
    with tempfile.TemporaryDirectory() as folder:
        video, poster = add_video(draft, "Studio.mp4", make_video(Path(folder) / "studio.mp4", 2))
        text = Path(folder) / "studio.vtt"
        text.write_text("WEBVTT\n\n00:00.100 --> 00:01.000\nBonjour.\n")
        captions = add_captions(draft, "Studio.vtt", text, video)
    said = {"language": "fr", "label": "Français", "file": captions.name}
    return {"file": video.name, "poster": poster.name, "alt": "", "captions": [said]}
