"""A second person looks at what many people will get. Whatever publishes asks here: page, API and command line."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.attention.budget import Cost
from server.core.errors import Refused
from server.directory.models import Company


@dataclass(frozen=True)
class Approval:
    """Who submitted what the publishing person approves, or why nobody else looked.

    `author`: as `server.audit.log.record` names actors; `digest`: of what both saw, in hex; `without`: the reason.
    """

    author: str = ""
    digest: str = ""
    without: str = ""

    def detail(self) -> dict[str, str]:
        """For the audit log."""
        if self.without:
            return {"without_second_person": self.without}
        return {"author": self.author, "approved": self.digest}


class SecondPersonMissing(Refused):
    """The company wants a second person to approve this campaign."""

    def __init__(self, people: int, why: str = "") -> None:
        reach = ngettext("It is for {count} person.", "It is for {count} people.", people)
        told = f"{reach.format(count=people)} {why}".rstrip()
        what_to_do = _(
            "Submit it; somebody else approves it. Or at the server: campaign publish --without-second-person REASON, "
            "which goes on record."
        )
        super().__init__(_("A second person has to approve it"), f"{told} {what_to_do}")


def needs_second_person(
    company: Company, people: int, *, is_emergency: bool, cost: Cost | None = None
) -> bool:
    """Whether the company wants one for a campaign to so many people, which costs so much attention."""
    if cost is not None and cost.needs_second_person:
        return True
    if company.second_person_from is None or people < company.second_person_from:
        return False
    return not (is_emergency and company.emergencies_alone)
