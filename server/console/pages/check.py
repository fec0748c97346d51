"""The last look at a draft, and its publication: what is published is, to the byte, what was looked at."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.db.models import prefetch_related_objects
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.accounts.models import Account
from server.campaigns.models import Campaign
from server.console.access import AccountRequest, denied, page, to_confirm
from server.console.announcement import of_draft
from server.console.form_places import parts_of, place_words
from server.console.pages.drafts import draft_of, has_conversions
from server.console.pages.pictures import SCHEMES, SIZES, drawn, look_and_size
from server.console.posted import number
from server.console.twin import twin_of
from server.core import clock
from server.core.errors import Refused
from server.devices.counting import connected_count
from server.drafts.approval import (
    approve,
    give_back,
    is_submitted,
    may_approve,
    submit,
    take_back,
    who_may_approve,
)
from server.drafts.fields import mistakes_in
from server.drafts.models import Draft
from server.drafts.publication import Sealed, check_draft, publish_draft
from server.drafts.trials import own_computers, show
from server.drafts.writing import Overtaken
from server.previews.renderer import Unavailable
from server.publishing.attention import attention_of
from server.publishing.author_warnings import warnings_for
from server.publishing.second_person import needs_second_person

MOST_COST_LINES = 6


@page(Right.DRAFT_CAMPAIGNS)
def check(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """Everything on one page: what has to be mended, or what would be published, to whom, and when."""
    draft = draft_of(request, draft_id)
    if draft.campaign is not None:
        return redirect("campaigns-report", draft.campaign.campaign_id)
    return _page(request, draft)


@page(Right.PUBLISH_CAMPAIGNS, methods=("POST",))
def publish(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """Publish what the person has just looked at."""
    draft = draft_of(request, draft_id)
    if (first := _before_emergencies(request, draft)) is not None:
        return first
    return _done(request, draft, lambda seal: publish_draft(draft, seal, _told(request), request.user))


@page(Right.DRAFT_CAMPAIGNS, methods=("POST",))
def submit_draft(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """Have another person approve what this one has just looked at."""
    draft = draft_of(request, draft_id)
    return _done(request, draft, lambda seal: submit(draft, request.user, seal))


@page(Right.DRAFT_CAMPAIGNS, methods=("POST",))
def show_on_my_computer(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """Let this person's own computers show what they have just looked at, marked as a test."""
    draft = draft_of(request, draft_id)
    return _done(request, draft, lambda seal: show(draft, request.user, seal), stays=True)


@page(Right.DRAFT_CAMPAIGNS, methods=("POST",))
def take_draft_back(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """Let it wait for approval no more."""
    take_back(draft_of(request, draft_id), request.user)
    return redirect("drafts-compose", draft_id)


@page(Right.APPROVE_CAMPAIGNS, methods=("POST",))
def approve_draft(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """Publish what somebody else wrote, and this person has just looked at."""
    draft = draft_of(request, draft_id)
    if "sure" not in request.POST:
        note = _("Tick that so many people shall get it, and approve it then.")
        return _page(request, draft, note, HTTPStatus.UNPROCESSABLE_ENTITY)
    if (first := _before_emergencies(request, draft)) is not None:
        return first
    return _done(request, draft, lambda seal: approve(draft, request.user, seal, _told(request)))


@page(Right.APPROVE_CAMPAIGNS, methods=("POST",))
def return_draft(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """Give it back to those who wrote it, with a reason."""
    draft, reason = draft_of(request, draft_id), request.POST.get("returned_for", "").replace("\0", "")
    return _done(request, draft, lambda seal: give_back(draft, request.user, seal, reason), reason=reason)


def _before_emergencies(request: AccountRequest, draft: Draft) -> HttpResponseBase | None:
    """Where a fresh code is asked for; None where nothing is missing. Raises `PermissionDenied`."""
    if draft.campaign is not None or draft.fields["urgency"] != Campaign.Urgency.EMERGENCY:
        return None
    if Right.PUBLISH_EMERGENCIES not in request.user.rights:
        raise denied(request.user, Right.PUBLISH_EMERGENCIES)
    if did_recently_reauthenticate(request):
        return None
    return to_confirm(reverse("drafts-check", args=[draft.draft_id]))


def _told(request: AccountRequest) -> int:
    """How many people the page said it is for; 0 for what is no number."""
    return number(request.POST.get("people", ""))


def _done(
    request: AccountRequest,
    draft: Draft,
    act: Callable[[str], Campaign | None],
    *,
    stays: bool = False,
    reason: str = "",
) -> HttpResponseBase:
    """Do it with the seal of what was looked at, or show the page once more and why not.

    `stays`: with the draft. `reason`: of a return, to be shown again.
    """
    try:
        campaign = act(request.POST.get("seal", ""))
    except Overtaken as overtaken:
        note = _(
            "It was changed since you looked, is for more people by now, or waits no more. Nothing was done: look once more."
        )
        return _page(request, draft_of(request, overtaken.draft.draft_id), note, HTTPStatus.CONFLICT, reason)
    except Refused as refused:
        return _page(request, draft, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT, reason)
    if campaign is not None:
        return redirect("campaigns-report", campaign.campaign_id)
    if stays or is_submitted(draft_of(request, draft.draft_id)):
        return redirect("drafts-check", draft.draft_id)
    return redirect("drafts")


def _page(
    request: AccountRequest,
    draft: Draft,
    note: str = "",
    status: HTTPStatus = HTTPStatus.OK,
    reason: str = "",
) -> HttpResponseBase:
    now = clock.now()
    asked = [] if draft.to_everyone else ["audience_groups", "audience_people"]
    asked += ["excluded_groups"] if getattr(draft, "has_excluded", True) else []
    prefetch_related_objects([draft], *asked)
    mistakes = [
        (
            f"{reverse('drafts-compose', args=[draft.draft_id])}{_place(mistake.key)}",
            str(replace(mistake, key=place_words(mistake.key))),
        )
        for mistake in mistakes_in(draft, now)
    ]
    shown: dict[str, object] = {"draft": draft, "note": note, "mistakes": mistakes, "returned_for": reason}
    if not mistakes:
        shown |= _of_checked(request, draft)
    return render(request, "pages/check.html", shown, status=status)


def _of_checked(request: AccountRequest, draft: Draft) -> dict[str, object]:
    try:
        sealed = check_draft(draft)
    except Refused as refused:
        return {"mistakes": [("", line) for line in refused.message.splitlines()]}
    checked = sealed.checked
    audience, manifest = checked.audience, checked.manifest
    waits = is_submitted(draft, sealed.seal)
    own = own_computers(request.user, draft)
    cost = attention_of(checked, request.user.scope, may_be_published=False)
    return _seen_by_people(request, draft, sealed) | {
        "reach": audience.reach,
        "connected": connected_count(
            draft.company, audience.reach.most, everyone=audience.everyone and not audience.excluded
        ),
        "groups": [group.name for group in audience.groups],
        "excluded": [group.name for group in audience.excluded],
        "named": len(audience.people),
        "names": sorted(person.email for person in audience.people),
        "warnings": warnings_for(checked, cost),
        "starts_at_once": not draft.fields["starts"],
        "starts": manifest.starts,
        "ends": manifest.ends,
        "texts": of_draft(draft, checked.content["variants"]),
        "seal": sealed.seal,
        "is_emergency": manifest.is_emergency,
        "lacks_reason": manifest.is_emergency and not draft.reason,
        "may_publish": Right.PUBLISH_CAMPAIGNS in request.user.rights
        and (not manifest.is_emergency or Right.PUBLISH_EMERGENCIES in request.user.rights),
        "needs_approval": needs_second_person(
            draft.company, audience.reach.most, is_emergency=manifest.is_emergency, cost=cost
        ),
        "cost": cost,
        "cost_lines": cost.lines[:MOST_COST_LINES] if cost else [],
        "cost_left_out": max(0, len(cost.lines) - MOST_COST_LINES) if cost else 0,
        "is_submitted": waits,
        "outside": request.user.scope.outside(
            everyone=audience.everyone,
            groups=audience.groups,
            people=audience.people,
            excluded=audience.excluded,
        ),
        "may_approve": bool(draft.submitted_seal) and may_approve(request.user, draft),
        "video_left_out": has_conversions(draft),
        "has_computer": own.are_there,
        "shown_until": own.show_until,
        "nobody_may": waits and not who_may_approve(draft, Account.objects.filter(company=draft.company_id)),
    }


def _seen_by_people(request: AccountRequest, draft: Draft, sealed: Sealed) -> dict[str, object]:
    """True pictures, or drawings where there are none now, and why."""
    checked = sealed.checked
    scheme, size = look_and_size(request.GET)
    try:
        shown = drawn(draft, sealed, request.GET)
    except Unavailable as unavailable:
        languages = checked.manifest.variants
        return {
            "unavailable": unavailable,
            "twins": [twin_of(draft, draft.fields, language) for language in languages],
        }
    return {
        "pictures": [(language, list(of_it)) for language, of_it in groupby(shown, attrgetter("language"))],
        "left_out": len(checked.manifest.variants) - len({one.language for one in shown}),
        "scheme": scheme,
        "size": size,
        "schemes": SCHEMES,
        "sizes": SIZES,
    }


def _place(key: str) -> str:
    """The variant and the control of the form in which a mistake of the file is mended: `variants.fr.links[2].url`."""
    language, control = parts_of(key)
    return f"?{urlencode({'language': language})}#{control}" if language else f"#{control}"
