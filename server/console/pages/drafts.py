"""Announcements that are being written: all of them, one of them, and how it is begun."""

import contextlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, BinaryIO, cast

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, prefetch_related_objects
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.campaigns.audience import reach_of
from server.campaigns.manifest import MAX_LINKS
from server.campaigns.manifest_tables import Mistake
from server.campaigns.models import Campaign, Media
from server.campaigns.scopes import Scope
from server.console.access import READING, AccountRequest, page
from server.console.form_places import place_words
from server.console.kept_forms import kept_form
from server.console.pages.form_of_draft import MOST_CHIPS, is_language, people_as_value, read, shown_moment
from server.console.pages.media_of_draft import FRAMES, share_of
from server.console.posted import number
from server.console.templatetags.console import shortened
from server.console.times import zone_of
from server.console.twin import twin_of
from server.core import clock, ranges, time_zones
from server.core.errors import EnvironmentFault, Refused
from server.devices.counting import connected_count
from server.directory.models import Company
from server.drafts import conversions, writing
from server.drafts.archive import START, packed
from server.drafts.fields import (
    campaign_file,
    campaign_id,
    excluded_of,
    names_in,
    new_fields,
    texts_of_campaign,
    title_of_draft,
)
from server.drafts.files import frame_of, kept, place_of
from server.drafts.models import Draft, DraftFile, DraftUpload, DraftVersion
from server.drafts.templates import shown_templates, template_if_any
from server.drafts.uploads import drop
from server.drafts.writing import (
    Change,
    Overtaken,
    begin,
    begin_from_archive,
    begin_from_file,
    begin_like,
    begin_with,
    bring_back,
    change,
    open_drafts,
    seen_by,
)
from server.media.checks import BadFile
from server.media.converting import is_there

A_PAGE = 50
MOST_FILE_BYTES = 200 * 1024
MOST_LISTED_GROUPS = 2_000
"""More are not offered while somebody types: the page would be too large. They are taken all the same."""
AFTER_SAVING = {"check": "drafts-check", "template": "drafts-keep"}
"""Where the button leads, once all is kept."""
PAGE_KEY = re.compile("[0-9a-f]{16}")
UPLOAD_ID = re.compile("[0-9a-f]{32}")
STILL_OPEN = timedelta(minutes=15)
"""So long after somebody's last change they may still be writing."""


@page(Right.DRAFT_CAMPAIGNS)
def drafts(request: AccountRequest) -> HttpResponse:
    """All drafts, the last changed first."""
    found = seen_by(request.user, open_drafts(request.user.company)).select_related("editor")
    shown: Page[Draft] = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    lines = [
        {"draft": draft, "title": title_of_draft(draft), "languages": ", ".join(draft.fields["variants"])}
        for draft in shown.object_list
    ]
    return render(request, "pages/drafts.html", {"lines": lines, "page": shown})


@page(Right.DRAFT_CAMPAIGNS, methods=(*READING, "POST"))
def new(request: AccountRequest) -> HttpResponse:
    """Begin one: empty, or with a campaign file."""
    if request.method != "POST":
        return render(
            request, "pages/draft_new.html", {"templates": list(shown_templates(request.user.company))}
        )
    if "from-file" not in request.POST:
        return redirect("drafts-compose", begin(request.user, get_language() or "en").draft_id)
    text = request.POST.get("text", "")
    try:
        draft = _begun_from(request, text)
    except (Refused, EnvironmentFault) as refused:
        words = {
            "refused": refused,
            "listed": refused.message.splitlines(),
            "text": text,
            "templates": list(shown_templates(request.user.company)),
        }
        return render(request, "pages/draft_new.html", words, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect("drafts-compose", draft.draft_id)


def _begun_from(request: AccountRequest, text: str) -> Draft:
    file = request.FILES.get("file")
    if file is not None and file.read(len(START)) == START:
        return begin_from_archive(request.user, cast(BinaryIO, file.file))
    if file is not None:
        file.seek(0)
    content = file.read(MOST_FILE_BYTES + 1) if file else text.encode()
    if not content.strip():
        raise Refused(_("There is no file"), _("Choose a campaign file, or paste what it says."))
    return begin_from_file(request.user, content)


@page(Right.DRAFT_CAMPAIGNS, methods=("POST",))
def duplicate(request: AccountRequest, campaign_id: str) -> HttpResponse:
    """Begin one that says what a campaign says."""
    return redirect("drafts-compose", begin_like(request.user, request.campaign).draft_id)


@page(Right.DRAFT_CAMPAIGNS, keeps_form=True, methods=(*READING, "POST"))
def compose(request: AccountRequest, draft_id: str) -> HttpResponse:
    """Write it. Whatever button is pressed, everything is kept first."""
    if request.method == "POST":
        return _compose_on(request, draft_id)
    draft = draft_of(request, draft_id)
    if draft.campaign is not None:
        return redirect("campaigns-report", draft.campaign.campaign_id)
    return render(request, "pages/compose.html", _words(request, draft, request.GET.get("language", "")))


def _compose_on(request: AccountRequest, draft_id: str) -> HttpResponse:
    draft = _draft_if_any(request, draft_id)
    if draft is None or draft.campaign is not None:
        return _compose_apart(request, draft)
    try:
        sent = read(draft, request.POST, request.user, request.FILES)
        changed = change(
            draft, request.user, _revision(request), sent.change, _page_key(request), ends_page=True
        )
    except Overtaken as overtaken:
        words = _words(request, overtaken.draft, sent.language, wanted=sent.change) | {
            "overtaken": overtaken.draft
        }
        return render(request, "pages/compose.html", words, status=HTTPStatus.CONFLICT)
    except Draft.DoesNotExist:  # at this very moment
        return _compose_apart(request, _draft_if_any(request, draft_id))
    _act_on_conversion(request, changed)
    if sent.mistakes:
        words = _words(request, changed, sent.language, sent.mistakes, typed=request.POST)
        return render(request, "pages/compose.html", words, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if (page_after := AFTER_SAVING.get(request.POST.get("go", ""))) is not None:
        return redirect(page_after, draft_id)
    return redirect(f"{reverse('drafts-compose', args=[draft_id])}?{urlencode({'language': sent.language})}")


def _act_on_conversion(request: AccountRequest, draft: Draft) -> None:
    """What the button of one says. Its video is in the draft by then, where that is what it says."""
    act, _colon, upload_id = request.POST.get("go", "").partition(":")
    if not UPLOAD_ID.fullmatch(upload_id):
        return
    found = DraftUpload.objects.filter(draft=draft, account=request.user, upload_id=upload_id)
    upload = found.select_related("draft").first() if act in ("take", "drop", "again") else None
    if upload is None:
        return
    if act == "again":
        conversions.try_again(upload)
    elif act == "drop" or upload.stage == DraftUpload.Stage.CONVERTED:
        drop(upload)


def has_conversions(draft: Draft) -> bool:
    """Whether a video was sent for it that is converted, or was; of a draft as it was asked for by its address."""
    return bool(getattr(draft, "has_conversions", True))


def shown_conversions(request: AccountRequest, draft: Draft) -> dict[str, object]:
    """What a page says of those of this person."""
    found = conversions.of_draft(draft, request.user) if has_conversions(draft) else []
    is_waiting = any(one.upload.stage == DraftUpload.Stage.WAITING for one in found)
    return {"conversions": found, "is_converting": is_waiting}


def _compose_apart(request: AccountRequest, gone: Draft | None) -> HttpResponse:
    """Let what somebody wrote be a draft of its own, where theirs was published meanwhile, or is not there any more."""
    if "title" not in request.POST:
        raise Http404
    language = request.POST.get("language", "")
    base = new_fields(language if is_language(language) else get_language() or "en")
    campaign = gone.campaign if gone else None
    if campaign is not None:
        with contextlib.suppress(Refused):
            base = texts_of_campaign(campaign)
    sent = read(Draft(company=request.user.company, fields=base), request.POST, request.user)
    try:
        apart = begin_with(request.user, sent.change)
    except Refused as refused:
        return kept_form(request, HTTPStatus.CONFLICT, refused.title, refused.message)
    why = {"published": campaign.campaign_id} if campaign else {"deleted": "1"}
    query = urlencode({"language": sent.language} | why)
    return redirect(f"{reverse('drafts-compose', args=[apart.draft_id])}?{query}")


@page(Right.DRAFT_CAMPAIGNS, methods=("POST",))
def save(request: AccountRequest, draft_id: str) -> HttpResponse:
    """Keep what was typed so far, while somebody writes. Answers the parts of the page that change with it.

    `Tidings-Saved` says which revision that is. `leaves`: the page is closed, and nothing of it counts that comes later.
    """
    draft = draft_of(request, draft_id)
    if draft.campaign is not None:
        raise Http404
    typed = request.POST.copy()
    for act in ("go", "add-group", "add-except-group", "add-person", "drop-person", "new-language"):
        typed.pop(act, None)
    sent = read(draft, typed, request.user)
    try:
        changed = change(
            draft,
            request.user,
            _revision(request),
            sent.change,
            _page_key(request),
            ends_page="leaves" in request.POST,
        )
    except Overtaken as overtaken:
        answer = render(request, "parts/saved.html", {"overtaken": overtaken.draft})
        answer.headers["Tidings-Saved"] = "overtaken"
        return answer
    except Draft.DoesNotExist as gone:  # at this very moment
        raise Http404 from gone
    answer = render(request, "parts/saved.html", _words(request, changed, sent.language))
    answer.headers["Tidings-Saved"] = str(changed.revision)
    return answer


@page(Right.DRAFT_CAMPAIGNS)
def as_file(request: AccountRequest, draft_id: str) -> HttpResponseBase:
    """The draft as a campaign file; with its files, in a ZIP file."""
    draft = draft_of(request, draft_id)
    if any(names_in(draft.fields)):
        name = f"{campaign_id(draft)}.zip"
        return FileResponse(packed(draft), as_attachment=True, filename=name, content_type="application/zip")
    headers = {"Content-Disposition": f'attachment; filename="{campaign_id(draft)}.toml"'}
    return HttpResponse(campaign_file(draft), content_type="application/toml; charset=utf-8", headers=headers)


@page(Right.DRAFT_CAMPAIGNS)
def file_of_draft(request: AccountRequest, draft_id: str, name: str) -> HttpResponseBase:
    """One of its files, or of a template's, as it would be signed; or the range of it that a player asks for."""
    draft = _draft_if_any(request, draft_id) or template_if_any(request.user.company, draft_id)
    row = DraftFile.objects.filter(draft=draft, name=name).select_related("draft").first() if draft else None
    if row is None:
        raise Http404
    with contextlib.ExitStack() as resources:
        try:
            file = resources.enter_context(kept(row).opened())
        except OSError as error:
            raise Http404 from error
        return ranges.answer(request.META, file, ranges.Described(row.sha256, row.size, row.type), resources)


@page(Right.DRAFT_CAMPAIGNS)
def frame_of_draft(request: AccountRequest, draft_id: str, name: str, number: int) -> HttpResponse:
    """A picture out of a video, which may become its poster."""
    row = DraftFile.objects.filter(draft=draft_of(request, draft_id), name=name, type=Media.Type.MP4).first()
    if row is None or number >= FRAMES:
        raise Http404
    try:
        picture = frame_of(place_of(row), share_of(number))
    except BadFile as bad:
        raise Http404 from bad
    return HttpResponse(picture.content, content_type=picture.type)


@page(Right.DRAFT_CAMPAIGNS, methods=(*READING, "POST"))
def versions(request: AccountRequest, draft_id: str) -> HttpResponse:
    """What the draft said before, and how to bring that back."""
    draft = draft_of(request, draft_id)
    found = draft.versions.select_related("editor").order_by("-pk")
    found = found.prefetch_related("audience_groups", "excluded_groups")
    if request.method == "POST":
        version = found.filter(pk=number(request.POST.get("version", ""))).first()
        if version is None:
            raise Http404
        try:
            bring_back(draft, request.user, _revision(request), version)
        except Overtaken as overtaken:
            raise _changed_since(overtaken) from overtaken
        except Draft.DoesNotExist as gone:
            raise Http404 from gone
        return redirect("drafts-compose", draft_id)
    audience = _audience_of(draft, draft.audience_people.values_list("email", flat=True))
    people = _people_of_versions(draft)
    lines = [
        {
            "version": version,
            "changes": _differences(version.fields, draft.fields)
            + _differences_besides(version, draft, audience, people.get(version.pk, ())),
        }
        for version in found
    ]
    return render(
        request, "pages/draft_versions.html", {"draft": draft, "title": title_of_draft(draft), "lines": lines}
    )


@page(Right.DRAFT_CAMPAIGNS, methods=(*READING, "POST"))
def delete(request: AccountRequest, draft_id: str) -> HttpResponse:
    """Throw it away, after asking."""
    draft = draft_of(request, draft_id)
    if request.method == "POST":
        try:
            writing.delete(draft, _revision(request), request.user)
        except Overtaken as overtaken:
            raise Refused(
                _("Somebody changed it meanwhile"),
                _("Nothing was deleted. Open the draft again, and look at it first."),
            ) from overtaken
        return redirect("drafts")
    return render(request, "pages/draft_delete.html", {"draft": draft, "title": title_of_draft(draft)})


def draft_of(request: AccountRequest, draft_id: str) -> Draft:
    """The company's draft. Raises `Http404`."""
    draft = _draft_if_any(request, draft_id)
    if draft is None:
        raise Http404
    return draft


def _draft_if_any(request: AccountRequest, draft_id: str) -> Draft | None:
    found = Draft.objects.select_related(
        "company", "campaign", "editor", "submitted_by", "submitted_token", "returned_by"
    )
    found = found.annotate(has_conversions=Exists(conversions.of_drafts(OuterRef("pk"))))
    left_out = Draft.excluded_groups.through.objects.filter(draft=OuterRef("pk"))
    found = found.annotate(has_excluded=Exists(left_out))
    found = found.filter(company=request.user.company, draft_id=draft_id, template_name="")
    draft = seen_by(request.user, found).first()
    if draft is not None and any(names_in(draft.fields)):
        prefetch_related_objects([draft], "files")
    return draft


def _changed_since(overtaken: Overtaken) -> Refused:
    return Refused(
        _("Somebody changed it meanwhile"),
        _("Nothing was written over. Open the draft again, and look at it first."),
    )


def _page_key(request: AccountRequest) -> str:
    key = request.POST.get("page_key", "")
    return key if PAGE_KEY.fullmatch(key) else ""


def _revision(request: AccountRequest) -> int:
    return number(request.POST.get("revision", ""))


def _differences(
    before: Mapping[str, object], after: Mapping[str, object], place: str = ""
) -> list[tuple[str, str, str]]:
    """The place of each value that differs, as the form calls it, what it was, and what it is."""
    found = []
    for key in dict.fromkeys((*before, *after)):
        old, new, here = before.get(key, ""), after.get(key, ""), f"{place}{key}"
        if isinstance(old, dict) or isinstance(new, dict):
            found += _differences(
                old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {}, f"{here}."
            )
        elif old != new:
            found.append((place_words(here), _as_text(old), _as_text(new)))
    return found


def _differences_besides(
    version: DraftVersion, draft: Draft, audience: list[str], people: Iterable[str]
) -> list[tuple[str, str, str]]:
    """The same of the audience and the reason, where the version has them. `audience`: the draft's; `people`: of then."""
    if version.to_everyone is None:
        return []
    found, then = [], _audience_of(version, people)
    if then != audience:
        old, new = (shortened(names) or _("Nobody yet") for names in (then, audience))
        found.append((place_words("audience"), old, new))
    if version.reason != draft.reason:
        found.append((place_words("reason"), version.reason, draft.reason))
    return found


def _people_of_versions(draft: Draft) -> dict[int, list[str]]:
    """The addresses of whom each version is for by name; each address once in memory, as versions have thousands alike."""
    found: dict[int, list[str]] = {}
    known: dict[str, str] = {}
    rows = DraftVersion.audience_people.through.objects.filter(draftversion__draft=draft)
    for version, email in rows.values_list("draftversion_id", "person__email").iterator():
        found.setdefault(version, []).append(known.setdefault(email, email))
    return found


def _audience_of(source: Draft | DraftVersion, people: Iterable[str]) -> list[str]:
    left_out = sorted(group.name for group in source.excluded_groups.all())
    besides = [_("not {group}").format(group=name) for name in left_out]
    if source.to_everyone:
        return [_("Everybody"), *besides]
    groups = sorted(group.name for group in source.audience_groups.all())
    return [*groups, *sorted(people), *besides]


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(f"{one['label']} → {one.get('url', one.get('file'))}" for one in value)
    return str(value)


def _words(
    request: AccountRequest,
    draft: Draft,
    language: str,
    mistakes: Sequence[Mistake] = (),
    *,
    wanted: Change | None = None,
    typed: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """What the page needs. `wanted`: what the person typed, where the draft says something else by now."""
    company = draft.company
    shown = wanted or Change(
        draft.fields,
        draft.reason,
        draft.to_everyone,
        list(draft.audience_groups.order_by("name")),
        list(draft.audience_people.order_by("email")),
        excluded_of(draft),
    )
    fields = shown.fields
    if language not in fields["variants"]:
        language = fields["default_language"]
    variant = fields["variants"][language]
    rows = [*variant["links"], *({"id": "", "label": "", "url": ""},) * MAX_LINKS]
    scope = request.user.scope
    reach = reach_of(
        company,
        everyone=shown.everyone,
        groups=shown.groups,
        named=len(shown.people),
        excluded=shown.excluded,
    )
    return {
        "draft": draft,
        "title": title_of_draft(draft),
        "fields": fields,
        "change": shown,
        "shown_language": language,
        "variant": variant,
        "links": list(enumerate(rows[: min(MAX_LINKS, len(variant["links"]) + 1)], 1)),
        "languages": [(code, bool(one["title"])) for code, one in fields["variants"].items()],
        "zone": time_zones.name_of(zone_of(company)),
        "starts": shown_moment(company, fields["starts"]),
        "ends": shown_moment(company, fields["ends"]),
        "urgencies": list(Campaign.Urgency.values),
        "group_names": _group_names(company, scope),
        "is_bound": scope.groups is not None,
        "reach": reach,
        "packed": people_as_value(shown.people) if len(shown.people) > MOST_CHIPS else "",
        "connected": connected_count(company, reach.most, everyone=shown.everyone and not shown.excluded),
        "mistakes": mistakes,
        "typed": typed or {},
        "page_key": secrets.token_hex(8),
        "published": request.GET.get("published", ""),
        "deleted": request.GET.get("deleted", ""),
        "other_editor": _other_editor(request, draft),
        "versions": draft.versions.count(),
        "image": variant.get("image"),
        "video": variant.get("video"),
        "video_row": (row := _video_row(draft, variant)),
        "frames": [(number, round(share_of(number) * (row.duration_ms or 0))) for number in range(FRAMES)]
        if row
        else [],
        "twin": twin_of(draft, fields, language),
        "converts": is_there(),
    } | shown_conversions(request, draft)


def _video_row(draft: Draft, variant: Mapping[str, Any]) -> DraftFile | None:
    """The row of the variant's video."""
    name = variant.get("video", {}).get("file")
    return next((row for row in draft.files.all() if row.name == name), None) if name else None


def _group_names(company: Company, scope: Scope) -> Sequence[str]:
    found = company.groups.order_by("name")
    if scope.groups is not None:
        found = found.filter(pk__in=scope.groups)
    return list(found.values_list("name", flat=True)[:MOST_LISTED_GROUPS])


def _other_editor(request: AccountRequest, draft: Draft) -> str:
    """Who else wrote it a moment ago, and may still be at it."""
    editor = draft.editor
    if editor is None or editor == request.user or clock.now() - draft.edited_at > STILL_OPEN:
        return ""
    return editor.email
