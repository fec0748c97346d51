"""The company file: what `tidings-server init FILE.toml` reads. See `resources/sample` for one.

```toml
[company]
id = "northwind"
name = "Northwind"
legal_name = "Northwind SAS"
region = "eu"
dpo_name = "Inès Martin"
dpo_email = "dpo@northwind.example"
link_hosts = ["northwind.example", "*.northwind.example"]
time_zone = "Europe/Paris"     # may be left out: UTC
logo = "northwind.png"        # may be left out, as may others; next to this file

[notice]          # may be left out: a plain one is written from the above
version = 1
date = 2026-11-02
text = { en = "…", fr = "…" }
```
"""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from server.core import plain_text, time_zones
from server.core.errors import Refused
from server.core.schemas import Language, SignalName
from server.directory.models import SMALLEST_GROUP

MOST_NOTICE = 20_000
"""Characters of the notice, in each language."""
HOST = r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
# Exact hosts, or "*." and a domain of at least two labels.
Host = Annotated[str, Field(pattern=HOST, max_length=253)]


def _shown_whole(line: str) -> str:
    line = plain_text.one_line(line)
    if problem := plain_text.problem_of_line(line):
        raise ValueError(problem)
    return line


Line = Annotated[str, AfterValidator(_shown_whole)]
"""A text of one line that people see: a name."""
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
PersonField = Literal[
    "email", "first_name", "last_name", "title", "work_landline", "work_cell", "site_addresses"
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CompanySection(_Section):
    """The table `[company]`: who they are, and what they ask for."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[Line, Field(min_length=1, max_length=120)]
    legal_name: Annotated[Line, Field(min_length=1, max_length=200)]
    region: Literal["eu", "us"]
    dpo_name: Annotated[Line, Field(min_length=1, max_length=120)]
    dpo_email: Email
    accent: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#0F766E"
    logo: Path | None = None
    """Where the picture lies. Of a description that does not name it at all, the logo stays as it is."""
    link_hosts: list[Host] = []
    signals: list[SignalName] = ["seen", "click", "like"]
    named_reporting: bool = False
    minimum: Annotated[int, Field(ge=SMALLEST_GROUP, le=1000)] = SMALLEST_GROUP
    directory_fields: list[PersonField] = ["email"]
    second_person_from: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """From so many people on, somebody else approves a campaign; 1: always."""
    emergencies_alone: bool = True
    time_zone: Annotated[str, AfterValidator(time_zones.checked)] = "UTC"
    """The clock by which the console writes and reads times."""
    poll_interval_s: Annotated[int, Field(ge=10, le=86_400)] = 60
    server_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/.*)?$", max_length=200)] = (
        "http://127.0.0.1:8400"
    )


def _seen(text: str) -> str:
    if problem := plain_text.problem_of_lines(text):
        raise ValueError(problem)
    return text


class NoticeSection(_Section):
    """The table `[notice]`: a version of the privacy notice, in one or more languages."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    date: date
    text: Annotated[
        dict[Language, Annotated[str, Field(min_length=1, max_length=MOST_NOTICE), AfterValidator(_seen)]],
        Field(min_length=1),
    ]


class CompanyFile(_Section):
    """A company's description as a whole."""

    company: CompanySection
    notice: NoticeSection | None = None


def read_company_file(path: Path) -> CompanyFile:
    """Read and check a company file. Raises `Refused` with the place of the first fault."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(_("The company file cannot be read"), f"{path}: {error}") from error
    description = check_company(content, str(path))
    section = description.company
    logo = path.parent / section.logo if section.logo else None
    # A file describes the company whole: without a logo in it, there is none.
    return description.model_copy(update={"company": section.model_copy(update={"logo": logo})})


def check_company(content: dict[str, Any], source: str) -> CompanyFile:
    """The content as a company file. Raises `Refused` with all that is wrong in it."""
    try:
        return CompanyFile.model_validate(content)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise Refused(_("The company is not described well"), "\n".join((source, *faults))) from error


def plain_notice(company: CompanySection, today: date) -> NoticeSection:
    """A notice for companies that have not written their own, in English and French."""
    contact = f"{company.dpo_name}, {company.dpo_email}"
    english = (
        f"{company.legal_name} sends you announcements through Tidings. To choose them for you it uses your "
        "directory entry: e-mail address, name, title, work phones, site and groups.\n"
        "If you agree, and only then, it counts which announcements were seen, which links were opened and what was "
        "liked. Each of the three is off until you switch it on, and you can switch it off at any time; what was "
        "shared is then erased. Your choice changes nothing in what you receive, and nobody in the company can see "
        "it. Reports show totals only, never fewer than five people.\n"
        "Where an announcement asks you to confirm that you have read it, and you do, your name and the time are kept as "
        "long as you belong to the company.\n"
        f"You may see, correct, take with you and erase your data. Contact for data protection: {contact}."
    )
    french = (
        f"{company.legal_name} vous envoie des annonces par Tidings. Pour les choisir, l’entreprise utilise votre "
        "fiche d’annuaire : adresse e-mail, nom, fonction, téléphones professionnels, site et groupes.\n"
        "Si vous l’acceptez, et seulement alors, elle compte les annonces vues, les liens ouverts et ce qui est "
        "aimé. Chacun des trois est désactivé tant que vous ne l’activez pas, et vous pouvez le désactiver à tout "
        "moment ; ce qui a été partagé est alors effacé. Votre choix ne change rien à ce que vous recevez, et "
        "personne dans l’entreprise ne peut le voir. Les rapports ne montrent que des totaux, jamais moins de cinq "
        "personnes.\n"
        "Quand une annonce vous demande de confirmer que vous l’avez lue, et que vous le faites, votre nom et l’heure sont "
        "conservés tant que vous faites partie de l’entreprise.\n"
        "Vous pouvez voir, corriger, emporter et effacer vos données. Contact pour la protection des données : "
        f"{contact}."
    )
    return NoticeSection(version=1, date=today, text={"en": english, "fr": french})
