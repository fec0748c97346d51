"""The region of this server: set once, kept in the data folder and in the database, and never crossed.

A transfer of personal data to a third country needs a ground of its own (GDPR chapter V, articles 44 to 49); a company
that chose a region is promised that none happens. So whatever brings a company, or a database, of another region is refused
before anything is stored, and told where to go.
"""

import os
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from server.core.errors import EnvironmentFault, Refused
from server.directory.models import Company
from server.region.models import Instance

REGIONS = tuple(str(region) for region in Company.Region.values)


class WrongRegion(Refused):
    """What was brought here belongs to servers of another region. Nothing of it was stored."""


def region_name(region: str) -> str:
    """The region as people call it, in the current language."""
    return {"eu": _("the European Union"), "us": _("the United States")}[region]


def settled_region() -> str | None:
    """The region of this server, or None where it has none yet: by its data folder, else by its database.

    Raises `EnvironmentFault` for a file that holds no region, and `WrongRegion` when folder and database differ.
    """
    of_folder, of_database = folder_region(), _of_database()
    if of_folder and of_database and of_folder != of_database:
        raise WrongRegion(
            _("This database belongs to a server in {region}").format(region=region_name(of_database)),
            _(
                "The data folder is that of a server in {region}, which stores nothing of other regions. Check "
                "DATABASE_URL and --data: each region has its own of both."
            ).format(region=region_name(of_folder)),
        )
    return of_folder or of_database


def folder_region() -> str | None:
    """By the data folder alone, which costs no query. Raises `EnvironmentFault`."""
    try:
        region = _file().read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(
            _("The region of this server cannot be read"), f"{_file()}: {error}"
        ) from error
    if region not in REGIONS:
        raise EnvironmentFault(
            _("The region of this server cannot be read"),
            _("{path} must hold one of {regions}.").format(path=_file(), regions=", ".join(REGIONS)),
        )
    return region


def refuse_other_region(region: str) -> None:
    """Raises `WrongRegion` if data of `region` has no place on this server. Call it before anything is stored."""
    own = settled_region()
    if own is not None and own != region:
        raise WrongRegion(
            _("This server is in {own}").format(own=region_name(own)),
            _(
                "What is to be kept in {theirs} has no place here. Do the same on a server there; nothing was stored."
            ).format(theirs=region_name(region)),
        )


def settle(region: str) -> None:
    """Make this a server of `region`, for good; one that has a region keeps it. Raises as `settled_region` does."""
    settled = settled_region() or region
    Instance.objects.get_or_create(pk=1, defaults={"region": settled})
    if folder_region() is None:
        _write(settled)


def require_own_region() -> str:
    """The region that this server may serve. Raises `WrongRegion` and `EnvironmentFault` when it may serve nobody."""
    region = settled_region()
    if region is None:
        raise EnvironmentFault(
            _("The region of this server is not set"),
            _("Say where its data is stored: tidings-server init, with a company file or with --region."),
        )
    strangers = Company.objects.exclude(region=region).order_by("pk").values_list("pk", flat=True)
    if strangers:
        raise WrongRegion(
            _("This server holds companies of another region"),
            _(
                "It is in {region}. These belong elsewhere: {companies}. Export them on their own server, import them "
                "on one of their region, and close them here."
            ).format(region=region_name(region), companies=", ".join(strangers)),
        )
    settle(region)
    return region


def _file() -> Path:
    data: Path = settings.DATA
    return data / "region"


def _of_database() -> str | None:
    """By the row written at the first `init`; in a database from before there was one, by its companies."""
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return None
    tables = connection.introspection.table_names()
    if Instance._meta.db_table in tables and (instance := Instance.objects.first()):
        return instance.region
    if Company._meta.db_table not in tables:
        return None
    regions = set(Company.objects.values_list("region", flat=True))
    return regions.pop() if len(regions) == 1 else None


def _write(region: str) -> None:
    """Synced before it is in place: a server that forgot its region could take in another's."""
    path = _file()
    temporary = path.with_name(".region-new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{region}\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFault(_("The region of this server cannot be kept"), f"{path}: {error}") from error
