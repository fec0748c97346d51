"""The company's logo: checked like every picture, described in the company's document, served to all of its people."""

from pathlib import Path

from django.utils.translation import gettext as _

from server.campaigns.models import Media
from server.core.errors import Refused
from server.directory.models import Company
from server.media.checks import BadFile, CheckedFile, described
from server.media.images import check_image
from server.media.rows import media_row, store_checked

MAX_SIDE = 1024
"""Pixels of what agents get; a larger picture is made smaller."""
MAX_BYTES = 512 * 1024
"""Of what agents get."""


def check_logo(path: Path) -> CheckedFile:
    """The picture as agents get it. Raises `Refused`."""
    try:
        logo = check_image(path, MAX_SIDE)
    except BadFile as bad:
        raise _refusal(bad) from bad
    if len(logo.content) > MAX_BYTES:
        what = _("“{file}” has more than {limit} KB").format(file=path.name, limit=MAX_BYTES // 1024)
        raise _refusal(BadFile(what, _("make it smaller")))
    return logo


def _refusal(bad: BadFile) -> Refused:
    return Refused(_("The logo cannot be used"), f"{bad.what}; {bad.what_to_do}.")


def set_logo(company: Company, logo: CheckedFile | None) -> None:
    """Give the company this logo, or none, in the caller's transaction; the company's document is signed by the caller.

    Raises `EnvironmentFault` when the disk refuses.
    """
    before = company.logo
    company.logo = None
    if logo is not None:
        store_checked(company, logo)
        company.logo = described(logo)
        media_row(company, company.logo["sha256"], logo)
    company.save(update_fields=["logo"])
    replaced = (before or {}).get("sha256")
    if replaced and replaced != (company.logo or {}).get("sha256"):
        # Its file goes with the next housekeeping, unless a campaign names it as well.
        Media.objects.filter(company=company, sha256=replaced, campaigns=None).delete()
