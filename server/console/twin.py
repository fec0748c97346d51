"""The twin: a drawing of the pop-up in HTML, shown while somebody writes. The agent's own pictures come with the check."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from server.drafts.models import Draft

RIGHT_TO_LEFT = {"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"}


@dataclass(frozen=True)
class Twin:
    """What the drawing shows, in one language."""

    company: str
    sender: str
    title: str
    body: str
    links: list[str]
    acknowledge: bool
    urgency: str
    language: str
    image: str
    """Where its picture is; empty where it has none."""
    alt: str
    is_video: bool
    """Whether that is the poster of a video."""

    @property
    def direction(self) -> str:
        """Which way the language is written, as HTML says it."""
        return "rtl" if self.language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def twin_of(draft: Draft, fields: dict[str, Any], language: str) -> Twin:
    """The drawing of a variant in `fields`, whose files are those of the draft."""
    variant = fields["variants"][language]
    video = variant.get("video", {})
    image = (
        {"file": video["poster"], "alt": video["alt"] or variant["title"]}
        if video
        else variant.get("image", {})
    )
    return Twin(
        company=draft.company.name,
        sender=fields["sender"],
        title=variant["title"],
        body=variant["body"],
        links=[link["label"] for link in variant["links"] if link["label"]],
        acknowledge=fields["acknowledge"],
        urgency=fields["urgency"],
        language=language,
        image=reverse("drafts-file-of", args=[draft.draft_id, image["file"]]) if image else "",
        alt=image.get("alt", ""),
        is_video=bool(video),
    )
