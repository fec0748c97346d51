"""Cells that may name one group or several."""

import re
from collections.abc import Collection

from django.utils.translation import gettext as _

from server.directory.models import Company
from server.people_files.cells import Mistake
from server.people_files.formats import Role
from server.people_files.rows import Reading

_BETWEEN = re.compile(r"\s*(?:[,/+&、，；،\n]|\s(?:and|et|und|y|e|en)\s)\s*", re.IGNORECASE)


def doubtful_names(reading: Reading, company: Company, meant: Collection[str]) -> dict[str, str]:
    """The new groups whose names are made of two or more that are known, here or in the company, and that nobody `meant`.

    Answers for each how a file would name the several ones.
    """
    named = {name for row in reading.people for name in row.groups or ()}
    existing = {name.casefold() for name in company.groups.values_list("name", flat=True)}
    known = existing | {name.casefold() for name in named}
    settled = existing | {name.casefold() for name in meant}
    doubtful = {}
    for name in sorted(named):
        parts = [part.casefold() for part in _BETWEEN.split(name) if part]
        if name.casefold() not in settled and len(parts) > 1 and known.issuperset(parts):
            doubtful[name] = "; ".join(_BETWEEN.split(name))
    return doubtful


def doubtful_groups(reading: Reading, company: Company, meant: Collection[str]) -> list[Mistake]:
    """The lines that name such groups."""
    doubtful = doubtful_names(reading, company, meant)
    return [
        Mistake(
            row.line,
            reading.layout.header_of(Role.GROUPS) or reading.layout.header_of(Role.DEPARTMENT),
            _("“{name}” looks like several groups that are known").format(name=name),
            _('write “{several}”, or say --group "{name}" if it is one').format(
                several=doubtful[name], name=name
            ),
        )
        for row in reading.people
        for name in row.groups or ()
        if name in doubtful
    ]
