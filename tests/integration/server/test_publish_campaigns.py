"""`tidings-server campaign` on SQLite and PostgreSQL: what is published arrives, what is recalled leaves."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from server.campaigns.models import Campaign, Media
from server.directory.models import Company, Person
from server.media.files import path_of
from tests.support.server.campaign_server import ServerHome
from tests.support.server.commands import succeeded, tidings_server
from tests.support.server.sample import SAMPLE, sample_media

LEA = "lea.roux@northwind.example"
TEXT = """
sender = "IT"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "VPN restarts at 18:00 tonight"
"""


@pytest.fixture
def staffed(northwind: ServerHome) -> ServerHome:
    """Northwind with its people."""
    succeeded("people", "import", SAMPLE / "people.csv")
    return northwind


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "news.toml"


def publish_sample(name: str) -> str:
    said = succeeded("campaign", "publish", SAMPLE / "campaigns" / f"{name}.toml", "--media", sample_media())
    return said.split()[0]


def payload(jws: str) -> dict[str, Any]:
    middle = jws.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return decoded


def refused(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    done = tidings_server("campaign", "publish", file)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert not Campaign.objects.exists()
    return done.stderr


@pytest.mark.parametrize("name", ["lyon-studio", "vpn", "open-days", "canteen"])
@pytest.mark.usefixtures("staffed")
def test_every_sample_campaign_is_published(name: str) -> None:
    campaign = Campaign.objects.get(campaign_id=publish_sample(name))
    document = payload(campaign.document)
    assert document["iss"] == "northwind"
    assert document["sub"] == campaign.campaign_id
    assert document["content"] == campaign.content
    assert document["ctr"] == campaign.counter > 0
    assert set(campaign.content["variants"]) == {"en", "fr"}
    for variant in campaign.content["variants"].values():
        assert variant["title"]


@pytest.mark.usefixtures("staffed")
def test_a_video_travels_with_its_poster_and_captions() -> None:
    campaign = Campaign.objects.get(campaign_id=publish_sample("lyon-studio"))
    video = campaign.content["variants"]["fr"]["video"]
    assert (video["type"], video["width"], video["height"], video["duration_ms"]) == (
        "video/mp4",
        960,
        540,
        8000,
    )
    assert [captions["language"] for captions in video["captions"]] == ["fr", "en"]
    assert video["poster"]["alt"].startswith("Le plan")
    files = [video, video["poster"], *video["captions"]]
    assert {media.sha256 for media in campaign.media.all()} == {file["sha256"] for file in files}
    for file in files:
        content = path_of("northwind", file["sha256"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert len(content) == file["size"]


def test_a_published_video_is_served_to_its_audience_and_to_nobody_else(staffed: ServerHome) -> None:
    Person.objects.create(company=Company.objects.get(), email="new@northwind.example")
    video_file = SAMPLE / "campaigns" / "lyon-studio.toml"
    name = staffed.succeed("campaign", "publish", video_file, "--media", sample_media()).split()[0]
    video = Campaign.objects.get(campaign_id=name).content["variants"]["en"]["video"]
    with staffed.running() as server:
        lea, stranger = server.computer(LEA), server.computer("new@northwind.example")
        assert [payload(jws)["sub"] for jws in lea.get("/feed").json()["campaigns"]] == [name]
        assert stranger.get("/feed").json()["campaigns"] == []
        file = lea.get(f"/media/{video['sha256']}")
        assert (file.status_code, file.headers["Content-Type"]) == (200, "video/mp4")
        assert hashlib.sha256(file.content).hexdigest() == video["sha256"]
        assert stranger.get(f"/media/{video['sha256']}").status_code == 404
        staffed.succeed("campaign", "recall", name)
        (recalled,) = lea.get("/feed").json()["campaigns"]
        assert payload(recalled)["content"]["status"] == "recalled"
        assert lea.get(f"/media/{video['sha256']}").status_code == 404


@pytest.mark.usefixtures("staffed")
def test_a_recalled_campaign_says_nothing_any_more() -> None:
    name = publish_sample("vpn")
    before = Campaign.objects.get()
    assert "is recalled" in succeeded("campaign", "recall", name)
    after = Campaign.objects.get()
    assert after.content == {
        "status": "recalled",
        "sender": "",
        "urgency": "urgent",
        "acknowledge": False,
        "starts": before.content["starts"],
        "ends": before.content["ends"],
        "default_language": "en",
        "variants": {},
    }
    assert payload(after.document)["content"] == after.content
    assert after.counter > before.counter
    assert "was recalled already" in succeeded("campaign", "recall", name)
    assert Campaign.objects.get().counter == after.counter


@pytest.mark.usefixtures("northwind")
def test_recalling_what_was_never_published_is_refused() -> None:
    done = tidings_server("campaign", "recall", "c-never")
    assert done.returncode == 1
    assert "There is no campaign c-never" in done.stderr


@pytest.mark.usefixtures("staffed")
def test_publishing_and_recalling_reach_feeds() -> None:
    revisions = [Company.objects.get().feed_revision]
    name = publish_sample("vpn")
    revisions.append(Company.objects.get().feed_revision)
    succeeded("campaign", "recall", name)
    revisions.append(Company.objects.get().feed_revision)
    assert len(set(revisions)) == 3


@pytest.mark.both_databases
@pytest.mark.usefixtures("staffed")
def test_a_dry_run_publishes_and_stores_nothing() -> None:
    before = Company.objects.get().counter
    said = succeeded(
        "campaign", "publish", "--dry-run", SAMPLE / "campaigns" / "open-days.toml", "--media", sample_media()
    )
    assert "can be published. It goes to 35 people" in said
    assert not Campaign.objects.exists()
    assert not Media.objects.exists()
    assert Company.objects.get().counter == before


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("audience", "reach"),
    [
        ("everyone = true", "40 people"),
        ('groups = ["Lyon"]', "17 people"),
        ('groups = ["lyon", "PARIS"]', "35 people"),
        (
            f'groups = ["Studio Lyon"]\npeople = ["{LEA.upper()}", "ines.martin@northwind.example"]',
            "7 people",
        ),
        (f'people = ["{LEA}"]', "1 person,"),
    ],
)
@pytest.mark.usefixtures("staffed")
def test_everybody_is_counted_once(file: Path, audience: str, reach: str) -> None:
    file.write_text(TEXT.replace("everyone = true", audience))
    assert f"It goes to {reach}" in succeeded("campaign", "publish", file)


@pytest.mark.both_databases
@pytest.mark.usefixtures("staffed")
def test_groups_and_people_that_are_not_known_are_named_with_what_was_meant(file: Path) -> None:
    said = refused(
        file,
        TEXT.replace("everyone = true", 'groups = ["Lion"]\npeople = ["lea@northwind.example"]'),
    )
    assert "audience.groups: “Lion” is not known; perhaps you mean “Lyon”." in said
    assert "audience.people: “lea@northwind.example” is not known" in said


@pytest.mark.usefixtures("northwind")
def test_a_campaign_for_nobody_is_refused(file: Path) -> None:
    assert "nobody is in it" in refused(file, TEXT)


@pytest.mark.both_databases
@pytest.mark.usefixtures("staffed")
def test_an_id_can_be_chosen_once(file: Path) -> None:
    file.write_text('id = "c-vpn"\n' + TEXT)
    assert "c-vpn is published" in succeeded("campaign", "publish", file)
    file.write_text(file.read_text() + "# and another remark\n")
    again = tidings_server("campaign", "publish", file)
    assert again.returncode == 1
    assert "“c-vpn” is taken" in again.stderr
    assert Campaign.objects.count() == 1


@pytest.mark.usefixtures("staffed")
def test_without_an_id_one_is_made_of_the_name_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "Été à Lyon — nouvelles très très longues du studio.toml"
    file.write_text(TEXT)
    succeeded("campaign", "publish", file)
    file.write_text(TEXT + "# and another remark\n")
    succeeded("campaign", "publish", file)
    names = list(Campaign.objects.values_list("campaign_id", flat=True))
    assert len(set(names)) == 2
    for name in names:
        assert name.startswith("c-ete-a-lyon-nouvelles")
        assert len(name) <= 42


@pytest.mark.usefixtures("staffed")
def test_a_bad_picture_is_named_with_its_key_and_nothing_is_published(file: Path) -> None:
    (file.parent / "p.png").write_text("no picture")
    said = refused(file, TEXT + '[variants.en.image]\nfile = "p.png"\nalt = "A picture"\n')
    assert "variants.en.image.file: “p.png” is no PNG, JPEG or WebP picture; save it as one of these." in said
    assert not Media.objects.exists()


@pytest.mark.both_databases
@pytest.mark.usefixtures("staffed")
def test_a_mistake_in_one_of_several_files_stops_all(file: Path) -> None:
    file.write_text(TEXT.replace("title", "tilte"))
    done = tidings_server("campaign", "publish", SAMPLE / "campaigns" / "vpn.toml", file)
    assert done.returncode == 1
    assert "“title”" in done.stderr
    assert not Campaign.objects.exists()


@pytest.mark.usefixtures("staffed")
def test_a_campaign_that_agents_would_find_too_long_is_refused(file: Path) -> None:
    languages = [f"en-A{number}" for number in range(10, 30)]
    variants = "".join(f'[variants.{one}]\ntitle = "x"\nbody = "{"語" * 5_000}"\n' for one in languages)
    text = TEXT.partition("[variants.en]")[0].replace('"en"', '"en-A10"') + variants
    assert "the texts are too long together" in refused(file, text)


def test_media_that_cannot_be_stored_are_explained(staffed: ServerHome) -> None:
    folder = staffed.folder / "media"
    aside = staffed.folder / "media-aside"
    if folder.exists():
        folder.rename(aside)
    folder.write_text("no folder")
    try:
        done = tidings_server(
            "campaign", "publish", SAMPLE / "campaigns" / "open-days.toml", "--media", sample_media()
        )
    finally:
        folder.unlink()
        if aside.exists():
            aside.rename(folder)
    assert done.returncode == 1
    assert "The media cannot be stored" in done.stderr
    assert "Traceback" not in done.stderr
    assert not Campaign.objects.exists()


@pytest.mark.both_databases
@pytest.mark.usefixtures("staffed")
def test_campaigns_are_listed_with_their_state(file: Path) -> None:
    live = publish_sample("vpn")
    file.write_text(TEXT.replace("sender", "starts = 2099-01-01T00:00:00Z\nsender"))
    later = succeeded("campaign", "publish", file).split()[0]
    gone = publish_sample("canteen")
    succeeded("campaign", "recall", gone)
    rows = json.loads(succeeded("campaign", "list", "--json"))
    assert {row["campaign_id"]: (row["state"], row["people"]) for row in rows} == {
        live: ("live", 40),
        later: ("scheduled", 40),
        gone: ("recalled", 17),
    }
    table = succeeded("campaign", "list")
    assert table.count("\n") == 3
    assert "VPN restarts at 18:00 tonight" in table


@pytest.mark.usefixtures("staffed")
def test_links_can_be_reported_in_the_language_of_the_campaign() -> None:
    campaign = Campaign.objects.get(campaign_id=publish_sample("open-days"))
    assert list(campaign.links.order_by("link_id").values_list("link_id", "label")) == [
        ("l1", "Programme"),
        ("l2", "Register a guest"),
    ]


TWO_LANGUAGES = """
sender = "IT"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "News"
[[variants.en.links]]
label = "Read"
url = "https://northwind.example/news"
[variants.fr]
title = "Nouvelles"
[[variants.fr.links]]
label = "Lire"
url = "https://northwind.example/nouvelles"
[[variants.fr.links]]
id = "sondage"
label = "Répondre"
url = "https://northwind.example/sondage"
"""


@pytest.mark.usefixtures("staffed")
@pytest.mark.parametrize("words", [("--dry-run",), ()])
def test_an_author_is_told_of_a_link_that_is_not_counted(file: Path, words: tuple[str, ...]) -> None:
    file.write_text(TWO_LANGUAGES, encoding="utf-8")
    done = tidings_server("campaign", "publish", *words, file)
    assert done.returncode == 0, done.stderr
    (warning,) = done.stderr.splitlines()
    assert "Warning: The link “Répondre” (sondage) is not counted: it is in the variants fr only" in warning


@pytest.mark.usefixtures("staffed")
@pytest.mark.parametrize("words", [("--dry-run",), ()])
@pytest.mark.parametrize(("people", "warned"), [(4, True), (5, False)])
def test_an_author_is_told_that_a_site_may_learn_who_of_few_came(
    file: Path, words: tuple[str, ...], people: int, warned: bool
) -> None:
    few = list(Person.objects.order_by("email").values_list("email", flat=True)[:people])
    text = TWO_LANGUAGES[: TWO_LANGUAGES.index("[variants.fr]")]
    file.write_text(text.replace("everyone = true", f"people = {json.dumps(few)}"), encoding="utf-8")
    done = tidings_server("campaign", "publish", *words, file)
    assert done.returncode == 0, done.stderr
    assert ("Only 4 people get this campaign, and it has links" in done.stderr) == warned
