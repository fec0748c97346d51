"""The one table of who may do what. Nobody may list what a person chose: there is no right for it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from django.utils.translation import gettext as _

from server.core.errors import Refused


class Role(StrEnum):
    """What somebody does for the company."""

    ADMINISTRATOR = "administrator"
    COMMUNICATOR = "communicator"
    APPROVER = "approver"
    """The second person, who looks at what a communicator wrote."""
    DPO = "dpo"
    """The data protection officer (GDPR article 39)."""
    WORKS_COUNCIL = "works-council"
    """Looks at who looked."""


TOKEN_ROLES = (Role.ADMINISTRATOR, Role.COMMUNICATOR, Role.DPO)
"""Those that a program can have. The others are of people, who sign in to the console."""


BINDABLE_ROLES = frozenset({Role.COMMUNICATOR, Role.APPROVER})
"""Those that can be bound to groups. An administrator sees all people anyway; the others address nobody."""


class Right(StrEnum):
    """One thing that the API or the console can do."""

    READ_PEOPLE = "read-people"
    """What the directory says of them, and whether a computer is connected. Nothing that they chose."""
    MANAGE_PEOPLE = "manage-people"
    """Bring them in, invite them, disconnect their computers."""
    READ_GROUPS = "read-groups"
    """Which there are, and how large."""
    ERASE_PEOPLE = "erase-people"
    READ_CORRECTIONS = "read-corrections"
    DECIDE_CORRECTIONS = "decide-corrections"
    READ_CAMPAIGNS = "read-campaigns"
    """Which there are, for whom and from when to when."""
    READ_REPORTS = "read-reports"
    READ_ACKNOWLEDGEMENTS = "read-acknowledgements"
    """By name, who confirmed a campaign that asks for it: a deliberate act of theirs, and none of their choices."""
    DRAFT_CAMPAIGNS = "draft-campaigns"
    """Write announcements in the console, all drafts of the company among them."""
    EDIT_TEMPLATES = "edit-templates"
    """Keep, rename and delete what the company's announcements are begun with."""
    PUBLISH_CAMPAIGNS = "publish-campaigns"
    APPROVE_CAMPAIGNS = "approve-campaigns"
    """As the second person, who wrote nothing of it."""
    PUBLISH_EMERGENCIES = "publish-emergencies"
    """And recall them."""
    RECALL_CAMPAIGNS = "recall-campaigns"
    SET_BUDGET = "set-budget"
    """How many pop-ups per person and week the company allows itself."""
    READ_AUDIT_LOG = "read-audit-log"
    READ_RECORD = "read-record"
    """The record of processing (GDPR article 30)."""
    EDIT_NOTICE = "edit-notice"
    """Propose a version of the privacy notice, and put one in force."""
    EDIT_RECORD = "edit-record"
    """Say who processes data for the company."""
    READ_OVERSIGHT = "read-oversight"
    """Who looked at what, for those who watch: no administrator among them."""
    REVIEW_ACCESS = "review-access"
    """Look at who may do what, and take it away."""
    BIND_ACCOUNTS = "bind-accounts"
    """Say to which groups an account of the console is bound."""
    READ_HEALTH = "read-health"
    """What is missing or broken in the server."""


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMINISTRATOR: frozenset(Right) - {Right.READ_OVERSIGHT},
    Role.COMMUNICATOR: frozenset(
        {
            Right.READ_CAMPAIGNS,
            Right.READ_REPORTS,
            Right.READ_ACKNOWLEDGEMENTS,
            Right.READ_GROUPS,
            Right.DRAFT_CAMPAIGNS,
            Right.EDIT_TEMPLATES,
            Right.PUBLISH_CAMPAIGNS,
            Right.RECALL_CAMPAIGNS,
        }
    ),
    Role.APPROVER: frozenset(
        {
            Right.APPROVE_CAMPAIGNS,
            Right.READ_CAMPAIGNS,
            Right.READ_REPORTS,
            Right.READ_ACKNOWLEDGEMENTS,
            Right.READ_GROUPS,
            Right.DRAFT_CAMPAIGNS,
            Right.EDIT_TEMPLATES,
            Right.PUBLISH_CAMPAIGNS,
            Right.RECALL_CAMPAIGNS,
        }
    ),
    Role.DPO: frozenset(
        {
            Right.ERASE_PEOPLE,
            Right.EDIT_NOTICE,
            Right.EDIT_RECORD,
            Right.READ_AUDIT_LOG,
            Right.READ_OVERSIGHT,
            Right.READ_RECORD,
            Right.REVIEW_ACCESS,
        }
    ),
    Role.WORKS_COUNCIL: frozenset({Right.READ_OVERSIGHT, Right.READ_RECORD}),
}


def is_bindable(roles: Iterable[str]) -> bool:
    """Whether somebody with these roles can be bound to groups."""
    given = set(roles)
    return Role.ADMINISTRATOR not in given and bool(BINDABLE_ROLES & given)


def require_bindable(roles: Iterable[str]) -> None:
    """Raise `Refused` for roles that cannot be bound to groups."""
    if not is_bindable(roles):
        raise Refused(
            _("These roles cannot be bound to groups"),
            _("Communicators and approvers can. An administrator sees and addresses everybody."),
        )
