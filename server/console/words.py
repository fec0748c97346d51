"""The words for what the database keeps as codes."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.access.roles import Role
from server.campaigns.models import Campaign
from server.campaigns.overview import State

STATES: Mapping[str, Promise | str] = {
    State.SCHEDULED: _("scheduled"),
    State.LIVE: _("live"),
    State.OVER: _("over"),
    State.RECALLED: _("recalled"),
}
URGENCIES: Mapping[str, Promise | str] = {
    Campaign.Urgency.SILENT: _("silent"),
    Campaign.Urgency.NORMAL: _("normal"),
    Campaign.Urgency.URGENT: _("urgent"),
    Campaign.Urgency.EMERGENCY: _("emergency"),
}
ROLES: Mapping[str, Promise | str] = {
    Role.ADMINISTRATOR: _("administrator"),
    Role.COMMUNICATOR: _("communicator"),
    Role.APPROVER: _("approver"),
    Role.DPO: _("data protection officer"),
    Role.WORKS_COUNCIL: _("works council"),
}
