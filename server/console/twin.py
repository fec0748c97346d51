"""The twin: a drawing of the pop-up in HTML, shown while somebody writes. The agent's own pictures come with the check."""

from dataclasses import dataclass
from typing import Any

from server.directory.models import Company

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

    @property
    def direction(self) -> str:
        """Which way the language is written, as HTML says it."""
        return "rtl" if self.language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def twin_of(company: Company, fields: dict[str, Any], language: str) -> Twin:
    """The drawing of a draft's variant."""
    variant = fields["variants"][language]
    return Twin(
        company=company.name,
        sender=fields["sender"],
        title=variant["title"],
        body=variant["body"],
        links=[link["label"] for link in variant["links"] if link["label"]],
        acknowledge=fields["acknowledge"],
        urgency=fields["urgency"],
        language=language,
    )
