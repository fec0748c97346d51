"""Templates: what a company announces again and again. Each is a row of its own among the drafts, with its own files.

It says what an announcement says, but is for nobody, at no time, and keeps nothing about who wrote it.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.audit import log
from server.core import clock
from server.core.errors import Refused
from server.core.plain_text import one_line, problem_of_line
from server.database.transactions import tried_again
from server.directory.models import Company
from server.drafts.fields import TIMES, Fields, files_named, is_blank, title_of_draft
from server.drafts.files import add, folder_of, kept, remove_folder
from server.drafts.models import Draft
from server.drafts.writing import Change, begin_with_files, name_files

MOST_TEMPLATES = 100
"""Of a company."""
LONGEST_NAME = 80
"""Characters."""


class NameTaken(Refused):
    """The company has a template of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            _("There is a template “{name}”").format(name=name),
            _("Choose another name, or say that this one takes its place."),
        )


def templates_of(company: Company) -> "QuerySet[Draft]":
    """By name."""
    return Draft.objects.filter(company=company).exclude(template_name="").order_by("template_name", "pk")


def template_if_any(company: Company, template_id: str) -> Draft | None:
    """The company's template of this id."""
    return templates_of(company).filter(draft_id=template_id).select_related("company").first()


@dataclass(frozen=True)
class Shown:
    """A template as a list shows it."""

    template: Draft
    title: str
    languages: str
    has_picture: bool
    has_video: bool


def shown_templates(company: Company) -> Iterator[Shown]:
    """Those of the company, by name."""
    for template in templates_of(company):
        variants = template.fields["variants"].values()
        yield Shown(
            template,
            title_of_draft(template),
            ", ".join(template.fields["variants"]),
            has_picture=any("image" in variant for variant in variants),
            has_video=any("video" in variant for variant in variants),
        )


@tried_again
def keep(draft: Draft, account: Account, name: str, *, replaces: bool = False) -> Draft:
    """Keep what the draft says as a template, on record. `replaces`: it takes the place of one of that name.

    Raises `Refused` (`NameTaken` among it), `EnvironmentFault` when the disk refuses, and `Draft.DoesNotExist` when the
    draft is gone or published.
    """
    template = Draft(company=draft.company, template_name=_checked(name), edited_at=clock.now())
    try:
        with transaction.atomic():
            source = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk, campaign=None)
            if is_blank(source.fields):
                raise Refused(_("There is nothing in it yet"), _("Write something into the draft first."))
            _make_room(template, account, replaces=replaces)
            template.fields = _without_times(source.fields)
            template.save()
            name_files(template.fields, _copy_files(source, template))
            template.save(update_fields=["fields"])
            _note(account, "keep-template", template)
    except BaseException:
        remove_folder(folder_of(template))
        raise
    return template


def begin_from(account: Account, template: Draft) -> Draft:
    """A draft that says what the template says, for nobody yet. Raises as `writing.begin_with_files` does."""
    wanted = Change(copy.deepcopy(template.fields))
    return begin_with_files(account, wanted, lambda draft: _copy_files(template, draft))


@tried_again
def rename(template: Draft, account: Account, name: str) -> None:
    """Call it otherwise, on record. Raises `Refused`, and `Draft.DoesNotExist` when it is gone."""
    wanted = _checked(name)
    with transaction.atomic():
        Company.objects.select_for_update(no_key=True).get(pk=template.company_id)
        found = templates_of(template.company).get(pk=template.pk)
        if found.template_name == wanted:
            return
        if _of_name(found, wanted) is not None:
            raise NameTaken(wanted)
        found.template_name = wanted
        found.save(update_fields=["template_name"])
        _note(account, "rename-template", found)


@tried_again
def delete_template(template: Draft, account: Account) -> None:
    """Throw it away, on record, unless it is gone by now. Drafts that were begun with it stay."""
    with transaction.atomic():
        Company.objects.select_for_update(no_key=True).get(pk=template.company_id)
        if templates_of(template.company).filter(pk=template.pk).delete()[0]:
            transaction.on_commit(lambda: remove_folder(folder_of(template)))
            _note(account, "delete-template", template)


def _make_room(template: Draft, account: Account, *, replaces: bool) -> None:
    Company.objects.select_for_update(no_key=True).get(
        pk=template.company_id
    )  # others are counted after this one
    if (taken := _of_name(template, template.template_name)) is not None:
        if not replaces:
            raise NameTaken(taken.template_name)
        delete_template(taken, account)
    elif templates_of(template.company).count() >= MOST_TEMPLATES:
        raise Refused(
            _("There are {most} templates").format(most=MOST_TEMPLATES), _("Delete one, and try again.")
        )


def _of_name(template: Draft, name: str) -> Draft | None:
    """Another template that is called so, in any case."""
    others = templates_of(template.company).exclude(pk=template.pk)
    return next((one for one in others if one.template_name.casefold() == name.casefold()), None)


def _checked(name: str) -> str:
    wanted = " ".join(one_line(name).split())
    if problem := problem_of_line(wanted):
        raise Refused(_("The name cannot be taken"), problem)
    if not wanted or len(wanted) > LONGEST_NAME:
        raise Refused(
            _("A name is missing, or it is too long"),
            _("Give it a name of {most} characters at most.").format(most=LONGEST_NAME),
        )
    return wanted


def _without_times(fields: Fields) -> Fields:
    return copy.deepcopy(fields) | dict.fromkeys(TIMES, "")


def _copy_files(source: Draft, target: Draft) -> dict[str, str]:
    """Keep the files that one names with the other. Answers their names there, by those here."""
    return {row.name: add(target, row.name, kept(row)).name for row in files_named(source)}


def _note(account: Account, act: str, template: Draft) -> None:
    log.record(template.company, account.actor, act, detail={"template": template.draft_id})
