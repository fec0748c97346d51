"""What people will see of a draft, drawn by the agent's own windows (docs/administration.md, "True pictures")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from server.access.roles import Right
from server.console.access import AccountRequest, page
from server.console.pages.drafts import draft_of
from server.core.clock import utc_text
from server.drafts.models import Draft
from server.drafts.publication import Sealed, check_draft
from server.media.checks import KeptFile
from server.previews.pictures import MOST_AT_ONCE, Look, pictures, windows_of
from server.publishing.checked import CheckedCampaign

SCHEMES = ("light", "dark")
SIZES = (100, 150, 200)
"""Of texts, in percent, as people set it for their desktop."""


@dataclass(frozen=True)
class Shown:
    """One picture on a page: in which language and window, where it is, and the words in it."""

    language: str
    window: str
    address: str
    alt: str


def drawn(draft: Draft, sealed: Sealed, asked: Mapping[str, str]) -> list[Shown]:
    """The campaign in each language and window, as many as are drawn at once. `asked`: `scheme` and `size`, if any.

    Raises `Unavailable` when nothing can be drawn.
    """
    checked = sealed.checked
    scheme, size = look_and_size(asked)
    looks = [
        Look(window, language, scheme, size)
        for language in checked.manifest.variants
        for window in windows_of(checked.content, language)
    ][:MOST_AT_ONCE]
    _pictures(draft, checked, looks)
    return [
        Shown(
            look.language, look.window, _address(draft, sealed.seal, look), _words_of(checked, look.language)
        )
        for look in looks
    ]


def _address(draft: Draft, seal: str, look: Look) -> str:
    query: dict[str, str | int] = {
        "seal": seal,
        "language": look.language,
        "window": look.window,
        "scheme": look.scheme,
        "size": look.text_scale,
    }
    return f"{reverse('drafts-picture', args=[draft.draft_id])}?{urlencode(query)}"


def _words_of(checked: CheckedCampaign, language: str) -> str:
    variant = checked.content["variants"][language]
    picture = [variant["image"]["alt"]] if variant["image"] else []
    return "\n".join(
        (variant["title"], *picture, variant["body"], *(link["label"] for link in variant["links"]))
    )


def look_and_size(asked: Mapping[str, str]) -> tuple[str, int]:
    """Which of `SCHEMES` and `SIZES` somebody asks for; the first where they ask for none."""
    scheme, size = asked.get("scheme", ""), asked.get("size", "")
    return (
        scheme if scheme in SCHEMES else SCHEMES[0],
        int(size) if size in map(str, SIZES) else SIZES[0],
    )


@page(Right.DRAFT_CAMPAIGNS)
def picture(request: AccountRequest, draft_id: str) -> HttpResponse:
    """One picture, as PNG, of what the page showed that names it: nobody decides by the picture of another text."""
    draft = draft_of(request, draft_id)
    if draft.campaign is not None:
        raise Http404
    sealed = check_draft(draft)
    if request.GET.get("seal") != sealed.seal:
        return HttpResponse(status=HTTPStatus.CONFLICT)
    checked = sealed.checked
    language, window = request.GET.get("language", ""), request.GET.get("window", "")
    if language not in checked.manifest.variants or window not in windows_of(checked.content, language):
        raise Http404
    look = Look(window, language, *look_and_size(request.GET))
    return HttpResponse(_pictures(draft, checked, [look])[0], content_type="image/png")


def _pictures(draft: Draft, checked: CheckedCampaign, looks: Sequence[Look]) -> list[bytes]:
    """Times that nobody chose are told by the day: a picture of a minute ago is still true."""
    times = {
        key: utc_text(moment.replace(hour=0, minute=0, second=0, microsecond=0))
        for key, moment in (("starts", checked.manifest.starts), ("ends", checked.manifest.ends))
        if not draft.fields[key]
    }
    media = {file.sha256: file.path for file in checked.media.values() if isinstance(file, KeptFile)}
    return pictures(draft.company, checked.content | times, media, looks)
