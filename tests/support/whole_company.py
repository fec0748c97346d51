"""A company with at least one row in every table. Use within `ServerHome.opened()`."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.support import server_data
from tests.support.campaign_server import ServerHome
from tests.support.canaries import Canaries
from tests.support.wire import an_hour_ago

PICTURE = b"\x89PNG needle in a picture"


@dataclass(frozen=True)
class Whole:
    """`tokens`: of the computers of its people. `needles`: what is found wherever something of the company is."""

    tokens: list[str]
    needles: list[bytes]


def fill(home: ServerHome, people: int = 6) -> Whole:
    """Northwind with people, computers, a campaign with a picture, and a row of every other model."""
    from server.delivery.enrolment import invite
    from server.directory.models import Company
    from server.reports.models import Block, Snapshot
    from server.tenants.rows import company_models, rows_of

    everybody = server_data.add_people(people)
    tokens = server_data.add_computers(everybody)
    picture = server_data.add_media(PICTURE, "image/png")
    Company.objects.update(logo={"sha256": picture.sha256, "size": picture.size, "type": picture.type})
    campaign = server_data.publish(
        "c-one", starts=an_hour_ago(), groups=["Everyone"], people=everybody[:2], media=[picture]
    )
    invite(everybody[0], timedelta(days=1))
    canaries = Canaries(everybody[0], campaign)
    canaries.plant()
    for model in company_models():
        if not rows_of(model, "northwind").exists():
            canaries.row(model)
    # What is kept so that it need not be counted again is taken out of an archive where it has another form.
    Block.objects.update(counts=None)
    Snapshot.objects.update(sizes={"assigned": people, "groups": {}})
    company = server_data.company()
    assert all(rows_of(model, company.pk).exists() for model in company_models())
    keys = [file.read_bytes() for file in (home.folder / "keys").rglob("*.json")]
    (home.folder / "company.toml").unlink()
    texts = [
        b"canary-",
        b"@northwind.example",
        b"Northwind",
        company.document.encode(),
        campaign.document.encode(),
    ]
    return Whole(tokens, [*texts, PICTURE, *keys])


def found_under(folder: Path, needles: list[bytes]) -> list[tuple[str, bytes]]:
    """Which needles lie in which files of the folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [
        (file.name, needle)
        for file in files
        for content in [file.read_bytes()]
        for needle in needles
        if needle in content
    ]
