"""The words for what the database keeps as codes."""

from collections.abc import Mapping

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from server.access.roles import Role
from server.campaigns.models import Campaign
from server.campaigns.overview import State
from server.campaigns.reach import Reach
from server.directory.models import Company

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
PLACES: Mapping[str, Promise | str] = {
    "title": _("Title"),
    "body": _("Text"),
    "label": _("Button"),
    "url": _("Address of the button"),
    "image-file": _("Picture"),
    "image-alt": _("What the picture shows"),
    "video-file": _("Video"),
    "video-alt": _("What the video shows"),
    "captions-language": _("Language of the captions"),
    "captions-label": _("Name of the captions"),
    "sender": _("Sender"),
    "audience": _("To whom"),
    "starts": _("Begins"),
    "ends": _("Ends"),
    "urgency": _("Urgency"),
    "reason": _("Why it is an emergency"),
    "acknowledge": _("Confirmation"),
    "default_language": _("Language for people whose own is missing"),
}
"""The places of the form in which a draft is written."""
FIELDS: Mapping[str, Promise | str] = {
    "email": _("E-mail address"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "title": _("Job title"),
    "work_landline": _("Work landline"),
    "work_cell": _("Work cell phone"),
    "site_addresses": _("Sites"),
}
"""What the directory says of a person."""
OVER_BUDGET: Mapping[str, Promise | str] = {
    Company.OverBudget.NOTE: _("its author and whoever approves it are told"),
    Company.OverBudget.SECOND_PERSON: _("a second person has to approve it"),
    Company.OverBudget.REFUSE: _("it is refused; emergencies never are"),
}
"""What happens to a campaign beyond the attention budget."""
LOOKS: Mapping[str, Promise | str] = {
    "light": _("light"),
    "dark": _("dark"),
    "popup": _("Pop-up"),
    "emergency": _("On every screen"),
    "inbox": _("In the list of announcements"),
    "player": _("The video"),
}
"""How and where people see a campaign."""
PLATFORMS: Mapping[str, Promise | str] = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
"""Of computers, as they are enrolled."""
ROLES: Mapping[str, Promise | str] = {
    Role.ADMINISTRATOR: _("administrator"),
    Role.COMMUNICATOR: _("communicator"),
    Role.APPROVER: _("approver"),
    Role.DPO: _("data protection officer"),
    Role.WORKS_COUNCIL: _("works council"),
}
ACTIONS: Mapping[str, Promise | str] = {
    "accept-correction": _("accepted a correction"),
    "add-passkey": _("added a passkey"),
    "approve-campaigns": _("approved announcements"),
    "ask-erasure": _("asked for an erasure"),
    "add-processor": _("listed a processor"),
    "begin-ledger-anew": _("began the erasure ledger anew"),
    "bind-account": _("bound an account of the console to groups, or freed it"),
    "bind-accounts": _("bound accounts to groups"),
    "change-password": _("changed their own password"),
    "change-notice": _("put a version of the notice in force"),
    "chain-broken": _("found that the log was changed or cut off"),
    "change-company": _("changed the company"),
    "company-export": _("took the company out as an archive"),
    "company-import": _("brought the company in from an archive"),
    "correct-own-data": _("asked for a correction of their own data"),
    "decide-access": _("decided who may do what"),
    "decide-corrections": _("decided about a correction"),
    "decline-correction": _("declined a correction"),
    "edit-notice": _("edited the notice"),
    "edit-record": _("edited the list of processors"),
    "edit-templates": _("edited templates"),
    "end-processor": _("ended a processor"),
    "denied": _("was refused"),
    "delete-template": _("deleted a template"),
    "draft-campaigns": _("wrote announcements"),
    "end-copied-passkey": _("used a passkey that seems to be copied, which ended it"),
    "erase-people": _("erased people"),
    "explain-audit-log": _("explained faults of the log"),
    "export-audit-log": _("took the audit log out"),
    "gap": _("found entries missing"),
    "import-people": _("brought people in"),
    "invite": _("invited a person"),
    "invite-account": _("invited somebody to the console"),
    "invite-all": _("invited all people anew"),
    "keep-template": _("kept a draft as a template"),
    "keys-replaced": _("replaced the company's keys"),
    "manage-people": _("managed people"),
    "make-recovery-codes": _("made new recovery codes"),
    "look-afterwards": _("looked at what was published alone"),
    "make-company": _("made the company"),
    "make-token": _("made an access token"),
    "propose-notice": _("proposed a version of the notice"),
    "publish": _("published a campaign"),
    "publish-campaigns": _("published a campaign"),
    "publish-emergencies": _("published an emergency"),
    "publish-emergency": _("published an emergency"),
    "read-acknowledgements": _("read by name who confirmed"),
    "read-audit-log": _("read the audit log"),
    "read-campaigns": _("read the list of campaigns"),
    "read-corrections": _("read the corrections"),
    "read-devices": _("read which computers are connected"),
    "read-groups": _("read which groups there are"),
    "read-health": _("read what the server's check finds"),
    "read-oversight": _("looked at who looked at what"),
    "read-people": _("looked people up"),
    "read-own-data": _("read their own data"),
    "read-record": _("read the record of processing"),
    "read-reports": _("read a report"),
    "recall": _("recalled a campaign"),
    "recall-campaigns": _("recalled a campaign"),
    "rename-template": _("renamed a template"),
    "remove-passkey": _("removed a passkey"),
    "remove-account": _("removed an account of the console"),
    "refuse-erasure": _("had nobody erased after all"),
    "replay-ledger": _("did again what a restored backup had undone"),
    "report-named": _("read a report by name"),
    "reset-account": _("gave an account of the console a new link"),
    "restored": _("explained a restored backup"),
    "review-access": _("looked at who may do what"),
    "revoke-devices": _("disconnected computers"),
    "revoke-token": _("revoked an access token"),
    "return-campaign": _("returned a draft"),
    "submit-campaign": _("submitted a draft for approval"),
    "set-budget": _("set the attention budget"),
    "set-up-second-factor": _("set up an app for codes"),
    "show-test": _("showed a draft on their own computer"),
    "sign-out-everywhere": _("signed out everywhere"),
    "use-recovery-code": _("signed in with a recovery code"),
    "use-link": _("used the link of an account of the console"),
    "sign-afresh": _("signed all campaigns anew"),
    "take-back-notice": _("took a proposed notice back"),
    "take-back-campaign": _("took a draft back that waited for approval"),
    "verify-audit-log": _("had every entry of the log read"),
    "token-reused": _("disconnected a computer whose token was used twice"),
}
"""What each action of the audit log is called; those of older versions too."""


def reach_words(reach: Reach) -> str:
    """For how many people it is: names apart, of whom nobody shall learn whether they are in a group."""
    if reach.in_groups and reach.named:
        groups = ngettext("{shown} in groups", "{shown} in groups", reach.in_groups)
        named = ngettext("{shown} by name", "{shown} by name", reach.named)
        told = gettext("{groups}, and {named}").format(
            groups=groups.format(shown=number_format(reach.in_groups, force_grouping=True)),
            named=named.format(shown=number_format(reach.named, force_grouping=True)),
        )
    else:
        people = ngettext("{shown} person", "{shown} people", reach.most)
        told = people.format(shown=number_format(reach.most, force_grouping=True))
    return gettext("at most {people}").format(people=told) if reach.is_most else told
