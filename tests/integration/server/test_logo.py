"""The company's logo: set by its file or by an option, served to all of its people and to nobody else."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.audit.models import Entry
from server.campaigns.models import Media
from server.core.errors import Refused
from server.directory.models import Company
from server.media.logos import MAX_SIDE
from tests.support.server import bulk_data
from tests.support.server.campaign_server import COMPANY, Computer, RunningServer, ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.wire import an_hour_ago, payload


@pytest.fixture
def computer(northwind: ServerHome, serving: RunningServer) -> Iterator[Computer]:
    """Of somebody who works there; afterwards the company has no logo."""
    yield bulk_data.connect(serving, bulk_data.add_people(1)[0].email)
    Company.objects.update(logo=None)


def _picture(path: Path, size: tuple[int, int] = (640, 160), colour: str = "teal") -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def _noise(path: Path) -> Path:
    """A picture of which no encoder makes less than it is."""
    rows = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(60_000))
    Image.frombytes("RGB", (800, 800), rows[: 800 * 800 * 3]).save(path)
    return path


def _init(*words: object) -> None:
    assert run_command("init", "--id", "northwind", *_NAMED, *words) == 0


_NAMED = (
    *("--name", "Northwind", "--legal-name", "Northwind SAS", "--region", "eu"),
    *("--dpo-name", "Inès Martin", "--dpo-email", "dpo@northwind.example"),
)


def _told(computer: Computer) -> Any:
    """What the company's signed document says of the logo."""
    return payload(computer.get("/feed").json()["company"])["content"]["logo"]


def test_a_logo_is_signed_and_served_to_everybody_of_the_company(computer: Computer, tmp_path: Path) -> None:
    assert _told(computer) is None
    _init("--logo", _picture(tmp_path / "logo.png"))
    told = _told(computer)
    assert (told["type"], told["width"], told["height"], told["alt"]) == ("image/png", 640, 160, "Northwind")
    answer = computer.get(f"/media/{told['sha256']}")
    assert (answer.status_code, len(answer.content)) == (200, told["size"])
    assert hashlib.sha256(answer.content).hexdigest() == told["sha256"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (640, 160)


def test_without_being_named_the_logo_stays_and_it_goes_by_an_option(
    computer: Computer, tmp_path: Path
) -> None:
    _init("--logo", _picture(tmp_path / "logo.png"))
    told = _told(computer)
    _init("--accent", "#112233")
    assert _told(computer) == told
    _init("--no-logo")
    assert _told(computer) is None
    assert computer.get(f"/media/{told['sha256']}").status_code == 404
    assert not Media.objects.exists()
    _init("--accent", "#0F766E")


def test_the_company_file_names_a_picture_beside_it_and_without_one_there_is_none(
    computer: Computer, tmp_path: Path
) -> None:
    _picture(tmp_path / "logo.webp")
    file = tmp_path / "company.toml"
    file.write_text(COMPANY.replace("[notice]\n", 'logo = "logo.webp"\n\n[notice]\n'), encoding="utf-8")
    assert run_command("init", file) == 0
    assert _told(computer)["type"] == "image/webp"
    file.write_text(COMPANY, encoding="utf-8")
    assert run_command("init", file) == 0
    assert _told(computer) is None


def test_another_logo_takes_the_place_and_a_campaigns_picture_stays(
    computer: Computer, tmp_path: Path
) -> None:
    _init("--logo", _picture(tmp_path / "old.png"))
    old = _told(computer)
    bulk_data.publish("c-old", starts=an_hour_ago(), media=[Media.objects.get(sha256=old["sha256"])])
    _init("--logo", _picture(tmp_path / "new.png", colour="navy"))
    new = _told(computer)
    assert new["sha256"] != old["sha256"]
    assert [computer.get(f"/media/{one['sha256']}").status_code for one in (old, new)] == [200, 200]
    _init("--no-logo")
    assert set(Media.objects.values_list("sha256", flat=True)) == {old["sha256"]}


def test_a_large_picture_is_made_smaller(computer: Computer, tmp_path: Path) -> None:
    _init("--logo", _picture(tmp_path / "large.jpg", (3000, 1500)))
    told = _told(computer)
    assert (told["width"], told["height"]) == (MAX_SIDE, MAX_SIDE // 2)


def test_what_is_no_small_picture_is_refused_and_nothing_changes(computer: Computer, tmp_path: Path) -> None:
    _init("--logo", _picture(tmp_path / "logo.png"))
    told = _told(computer)
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    for file, what in (
        (tmp_path / "logo.svg", "no PNG, JPEG or WebP"),
        (tmp_path / "none.png", "cannot be read"),
        (_noise(tmp_path / "noise.png"), "more than 512 KB"),
    ):
        with pytest.raises(Refused, match="The logo cannot be used") as refused:
            _init("--logo", file)
        assert what in refused.value.message
        assert _told(computer) == told


def test_the_audit_log_names_the_logo_by_its_digest(computer: Computer, tmp_path: Path) -> None:
    _init("--logo", _picture(tmp_path / "logo.png"))
    sha256 = _told(computer)["sha256"]
    assert f'"logo":"{sha256}"' in Entry.objects.order_by("-number")[0].detail
    _init("--no-logo")
    assert '"logo":null' in Entry.objects.order_by("-number")[0].detail


def test_another_companys_people_do_not_get_the_logo(
    computer: Computer, serving: RunningServer, tmp_path: Path
) -> None:
    other = Company.objects.create(
        id="southwind", name="Southwind", legal_name="S", region="eu", dpo_name="D", logo={"sha256": 64 * "a"}
    )
    try:
        Media.objects.create(company=other, sha256=64 * "a", size=1, type="image/png")
        assert computer.get(f"/media/{64 * 'a'}").status_code == 404
    finally:
        other.delete()
