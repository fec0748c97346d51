"""Templates: a draft is kept as one, and one is looked at, renamed, deleted, and begun with."""

from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.console.access import READING, AccountRequest, denied, page
from server.console.announcement import of_template
from server.console.pages.drafts import draft_of
from server.console.twin import twin_of
from server.core.errors import Refused
from server.drafts.fields import title_of_draft
from server.drafts.models import Draft
from server.drafts.templates import (
    LONGEST_NAME,
    NameTaken,
    begin_from,
    delete_template,
    keep,
    rename,
    template_if_any,
)


@page(Right.EDIT_TEMPLATES, methods=(*READING, "POST"))
def keep_as_template(request: AccountRequest, draft_id: str) -> HttpResponse:
    """Ask for a name, and keep what the draft says."""
    _require_unbound(request)
    draft, name = draft_of(request, draft_id), request.POST.get("name", "")
    refused: Refused | None = None
    if request.method == "POST":
        try:
            kept = keep(draft, request.user, name, replaces="replaces" in request.POST)
        except Refused as wrong:
            refused = wrong
        except Draft.DoesNotExist as gone:
            raise Http404 from gone
        else:
            return redirect("drafts-template", kept.draft_id)
    title = title_of_draft(draft)
    words = {"draft": draft, "title": title, "name": name or title[:LONGEST_NAME], "most": LONGEST_NAME}
    words |= {"refused": refused, "is_taken": isinstance(refused, NameTaken)}
    return render(request, "pages/template_keep.html", words, status=_status(refused))


@page(Right.DRAFT_CAMPAIGNS, methods=(*READING, "POST"))
def template(request: AccountRequest, template_id: str) -> HttpResponse:
    """What it says, and its name, which the form changes."""
    found, refused = _template_of(request, template_id), None
    name = request.POST.get("name", found.template_name)
    if request.method == "POST":
        _require_unbound(request)
        try:
            rename(found, request.user, name)
        except Refused as wrong:
            refused = wrong
        except Draft.DoesNotExist as gone:
            raise Http404 from gone
        else:
            return redirect("drafts-template", template_id)
    fields = found.fields
    words = {
        "template": found,
        "fields": fields,
        "texts": of_template(found),
        "twin": twin_of(found, fields, fields["default_language"]),
        "name": name,
        "most": LONGEST_NAME,
        "refused": refused,
    }
    return render(request, "pages/template.html", words, status=_status(refused))


@page(Right.DRAFT_CAMPAIGNS, methods=("POST",))
def use(request: AccountRequest, template_id: str) -> HttpResponse:
    """Begin a draft with it."""
    return redirect("drafts-compose", begin_from(request.user, _template_of(request, template_id)).draft_id)


@page(Right.EDIT_TEMPLATES, methods=(*READING, "POST"))
def delete(request: AccountRequest, template_id: str) -> HttpResponse:
    """Throw it away, after asking."""
    _require_unbound(request)
    found = _template_of(request, template_id)
    if request.method == "POST":
        delete_template(found, request.user)
        return redirect("drafts-new")
    return render(request, "pages/template_delete.html", {"template": found})


def _template_of(request: AccountRequest, template_id: str) -> Draft:
    found = template_if_any(request.user.company, template_id)
    if found is None:
        raise Http404
    return found


def _require_unbound(request: AccountRequest) -> None:
    """Templates are for all who write: who writes for some groups alone uses them, and leaves them as they are."""
    account = request.user
    if Right.EDIT_TEMPLATES not in account.rights or account.is_bound:
        message = _("Templates are the whole company's. Your account is bound to groups: it uses them.")
        raise denied(account, Right.EDIT_TEMPLATES, message)


def _status(refused: Refused | None) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
