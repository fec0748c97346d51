"""People are brought in from a file: what it would change is looked at first."""

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.console import words
from server.console.access import READING, AccountRequest, denied, page
from server.console.people_import import JOBS, MOST_BYTES, MOST_SHOWN, Answers, ImportJob, Stage
from server.console.posted import number as number_in
from server.core.errors import Refused
from server.erasure.requests import ask
from server.people_files.text_files import CODE_PAGES
from server.people_files.upsert import Edit

MOST_NAME_CHARACTERS = 200


@page(Right.MANAGE_PEOPLE, methods=(*READING, "POST"))
def choose_file(request: AccountRequest) -> HttpResponse:
    """Choose a file; it is read at once, and nothing is stored."""
    if request.method != "POST":
        return _choose(request)
    sent = request.FILES.get("file") if isinstance(request.FILES, MultiValueDict) else None
    if sent is None or not sent.size:
        note = _("Choose a file that has people in it.")
        return _choose(request, note, HTTPStatus.UNPROCESSABLE_ENTITY)
    name = (sent.name or "").replace("\0", "")[:MOST_NAME_CHARACTERS]
    try:
        job = JOBS.begin(request.user, name, sent.read(), get_language() or "en")
    except Refused as refused:
        return _choose(request, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)
    return redirect("people-import-file", job.number)


@page(Right.MANAGE_PEOPLE)
def file(request: AccountRequest, number: str) -> HttpResponse:
    """How far the file has come: what is wrong with it, what it would change, or what it changed."""
    job = _job_of(request, number)
    if job is None:
        return _gone(request)
    if "HX-Request" in request.headers:  # the page asks for its progress alone
        if not job.is_in_work:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "parts/import_progress.html", {"job": job})
    return _page(request, job)


@page(Right.MANAGE_PEOPLE, methods=("POST",))
def answer(request: AccountRequest, number: str) -> HttpResponse:
    """Read it again with what the person says about it, write it, or forget it; the button says which."""
    job = _job_of(request, number)
    if job is None:
        return _gone(request)
    match request.POST.get("go"):
        case "again":
            JOBS.read_again(job, _answers(request, job))
        case "apply":
            if job.asks_for_number and request.POST.get("changed", "").strip() != _changed(job):
                note = _("Type how many people change, to say that this is meant.")
                return _page(request, job, note, HTTPStatus.UNPROCESSABLE_ENTITY)
            JOBS.apply(job, request.user.actor, number_in(request.POST.get("look", "")))
        case "erase":
            return _ask_for_erasure(request, job)
        case "go-on":
            JOBS.go_on(job, request.user.actor)
        case "forget":
            JOBS.forget(job)
            return redirect("people-import")
    return redirect("people-import-file", number)


def _ask_for_erasure(request: AccountRequest, job: ImportJob) -> HttpResponse:
    """Of those whom the file does not name; another person decides about it."""
    if Right.ERASE_PEOPLE not in request.user.rights:
        raise denied(request.user, Right.ERASE_PEOPLE)
    comparison = job.comparison
    if comparison is None or job.is_in_work or number_in(request.POST.get("look", "")) != job.look:
        note = _("The directory changed since you looked, and nobody is to be erased. Look once more.")
        return _page(request, job, note, HTTPStatus.CONFLICT)
    if job.asks_for_number_of_leaving and request.POST.get("leaving", "").strip() != str(job.leaving_count):
        note = _("Type how many people leave, to say that this is meant.")
        return _page(request, job, note, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        asked = ask(request.user, comparison.not_in_file)
    except Refused as refused:
        return _page(request, job, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)
    return redirect("erasures-request", asked.pk)


def _answers(request: AccountRequest, job: ImportJob) -> Answers:
    """What was said before stays said."""
    encoding, meant = request.POST.get("encoding", ""), set(request.POST.getlist("meant"))
    return Answers(
        encoding if encoding in CODE_PAGES else job.answers.encoding,
        job.answers.is_whole or "whole" in request.POST,
        job.answers.meant | (meant & job.doubtful_groups.keys()),
    )


def _changed(job: ImportJob) -> str:
    return str(job.comparison.difference.changed) if job.comparison else ""


def _job_of(request: AccountRequest, number: str) -> ImportJob | None:
    return JOBS.of(request.user.company_id, number)


def _gone(request: AccountRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        raise Http404
    note = _(
        "The file is not kept any more; nothing of it was stored unless the people are there. Choose it again."
    )
    return _choose(request, note, HTTPStatus.NOT_FOUND)


def _choose(request: AccountRequest, note: str = "", status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    shown = {
        "note": note,
        "current": JOBS.current(request.user.company_id),
        "most_megabytes": MOST_BYTES // (1024 * 1024),
    }
    return render(request, "pages/people_import.html", shown, status=status)


def _page(
    request: AccountRequest, job: ImportJob, note: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    shown: dict[str, object] = {"job": job, "note": note}
    if job.reading is not None:
        mistakes = job.reading.mistakes
        shown |= {
            "mistakes": mistakes[:MOST_SHOWN],
            "more_mistakes": max(0, len(mistakes) - MOST_SHOWN),
            "remarks": _remarks(job),
        }
    if job.comparison is not None:
        shown |= {
            "difference": job.comparison.difference,
            "new_groups": job.comparison.difference.new_groups[:MOST_SHOWN],
            "more_groups": max(0, len(job.comparison.difference.new_groups) - MOST_SHOWN),
            "added": job.comparison.added,
            "edits": [(edit.email, _edits(edit)) for edit in job.comparison.edited],
            "leaving": _addresses(request, job.comparison.not_in_file[:MOST_SHOWN]),
            "most": MOST_SHOWN,
        }
    return render(request, f"pages/import_{TEMPLATES[job.stage]}.html", shown, status=status)


def _addresses(request: AccountRequest, people: Sequence[UUID]) -> list[str]:
    """Of those who are still there."""
    found = request.user.company.people.filter(pk__in=people).order_by("email")
    return list(found.values_list("email", flat=True))


TEMPLATES = {
    Stage.READING: "progress",
    Stage.WRITING: "progress",
    Stage.WHICH_ENCODING: "mistakes",
    Stage.MISTAKES: "mistakes",
    Stage.REFUSED: "mistakes",
    Stage.READY: "difference",
    Stage.INTERRUPTED: "interrupted",
    Stage.DONE: "done",
}


def _remarks(job: ImportJob) -> list[str]:
    """How the file was read."""
    assert job.reading
    layout = job.reading.layout
    told = [_("Read as: {format}, {encoding}.").format(format=layout.format.name, encoding=job.encoding)]
    if layout.not_stored:
        told.append(_("Not stored: {columns}.").format(columns=", ".join(layout.not_stored)))
    if repaired := len(job.reading.repaired):
        text = ngettext(
            "Put right what a spreadsheet program had made of values, on {count} line.",
            "Put right what a spreadsheet program had made of values, on {count} lines.",
            repaired,
        )
        told.append(text.format(count=repaired))
    if skipped := len(job.reading.skipped):
        why = ", ".join(sorted({one.why for one in job.reading.skipped}))
        text = ngettext("Left out {count} line: {why}.", "Left out {count} lines: {why}.", skipped)
        told.append(text.format(count=skipped, why=why))
    return told


def _edits(edit: Edit) -> list[tuple[str, str, str]]:
    """The name of what changes, what it is now, and what it becomes."""
    found = [
        (str(words.FIELDS.get(name, name)), _shown(now), _shown(new))
        for name, (now, new) in edit.fields.items()
    ]
    if edit.joined or edit.left:
        found.append((_("Groups"), ", ".join(edit.left) or "–", ", ".join(edit.joined) or "–"))
    return found


def _shown(value: str | list[str]) -> str:
    return "; ".join(value) if isinstance(value, list) else value
