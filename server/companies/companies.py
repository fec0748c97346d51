"""Make a company, or change one: its description, its notice, and the document that tells agents."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from server.audit import chain_heads
from server.companies.company_file import CompanyFile, NoticeSection, plain_notice
from server.core import clock
from server.core.errors import Refused
from server.directory.models import Company, Notice
from server.media.logos import check_logo, set_logo
from server.signing.documents import publish_company
from server.signing.signers import create_keys


@transaction.atomic
def make_or_change(description: CompanyFile) -> tuple[Company, bool]:
    """Store the company and sign its document. Answers it and whether it is new.

    A new notice needs a higher version: every consent was given to a version, and ends with it.
    Raises `Refused` for a notice that changed under the same version or went back, for a region that changed, and for a logo
    that will not do. Raises `EnvironmentFault` when the keys or the disk cannot be used.
    """
    section = description.company
    company = Company.objects.filter(pk=section.id).first()
    is_new = company is None
    if company is not None:
        _refuse_on_the_move(company)
    if company is not None and company.region != section.region:
        raise Refused(
            _("A company's region cannot be changed"),
            _(
                "The data of {company} lies in region {region}. Export it and import it in the other region."
            ).format(company=company.name, region=company.region),
        )
    _named_only_with_a_new_notice(company, description)
    if company is not None:
        _controlled_only_with_a_new_notice(company, description)
    if company is None:
        _refuse_the_place_of_another(section.id)
        company = Company(id=section.id)
    for name, value in section.model_dump(exclude={"logo"}).items():
        setattr(company, name, value)
    company.save()
    if "logo" in section.model_fields_set:
        set_logo(company, check_logo(section.logo) if section.logo else None)
    _set_notice(company, description.notice or _kept_or_plain(company, description))
    if is_new:
        create_keys(company.id)
    publish_company(company)
    return company, is_new


def new_notice(company: Company, text: Mapping[str, str]) -> Notice:
    """Put a text in force as the next version, and sign the company's document. In the caller's transaction.

    Every consent was given to a version, and ends. `company` is locked. Raises `Refused` as `make_or_change` does.
    """
    _refuse_on_the_move(company)
    section = NoticeSection(version=company.notice_version() + 1, date=clock.now().date(), text=dict(text))
    _set_notice(company, section)
    publish_company(company)
    return company.current_notice()


def _refuse_on_the_move(company: Company) -> None:
    if company.move:
        raise Refused(
            _("{name} is being brought in or closed").format(name=company.pk),
            _("Wait until that is done. If it was interrupted, run: tidings-server housekeeping"),
        )


def _refuse_the_place_of_another(company_id: str) -> None:
    """What is left of a company whose rows are gone is its own, and must not be taken for a new one's."""
    if not chain_heads.is_kept(company_id):
        return
    raise Refused(
        _("{name} was on this server before").format(name=company_id),
        _(
            "The data folder has files of it, and this database does not know it. Put the database in its place that belongs "
            "to them, or a backup; or give the new company another id."
        ),
    )


def _named_only_with_a_new_notice(company: Company | None, description: CompanyFile) -> None:
    """People agreed to be counted, or to be named: the other one is another purpose (GDPR article 4(11))."""
    named = description.company.named_reporting
    if company is None:
        is_told = not named or description.notice is not None
    else:
        version = description.notice.version if description.notice else company.notice_version()
        is_told = named == company.named_reporting or version > company.notice_version()
    if not is_told:
        raise Refused(
            _("Naming people in reports needs a new notice"),
            _(
                "People agreed to something else. Say in the notice that names are shown, or no longer shown, give it a "
                "higher version, and everybody is asked afresh."
            ),
        )


def _controlled_only_with_a_new_notice(company: Company, description: CompanyFile) -> None:
    """People agreed to share with the controller whom the notice named (GDPR article 13(1)(a))."""
    another = description.company.legal_name
    version = description.notice.version if description.notice else company.notice_version()
    if another != company.legal_name and version <= company.notice_version():
        raise Refused(
            _("Another controller needs a new notice"),
            _(
                "People agreed to share with {old}. Say in the notice of the company's file that it is {new} now, give it a "
                "higher version, and everybody is asked afresh."
            ).format(old=company.legal_name, new=another),
        )


def _kept_or_plain(company: Company, description: CompanyFile) -> NoticeSection:
    current = company.notices.order_by("version").last()
    if current is None:
        return plain_notice(description.company, clock.now().date())
    return NoticeSection(version=current.version, date=current.date, text=current.text)


def _set_notice(company: Company, notice: NoticeSection) -> None:
    current = company.notices.order_by("version").last()
    if current is None or notice.version > current.version:
        Notice.objects.create(company=company, **notice.model_dump())
    elif notice.version < current.version or (notice.date, notice.text) != (current.date, current.text):
        raise Refused(
            _("The notice needs a new version"),
            _(
                "Version {version} is in force. People agreed to its text: give the changed one a higher version, "
                "and everybody is asked afresh."
            ).format(version=current.version),
        )
