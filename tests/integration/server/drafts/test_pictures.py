"""Pictures of drafts: checked at once, kept with the draft and gone with it, published as they were looked at."""

import io
import re
import zipfile
from datetime import UTC, datetime
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from server.access.roles import Role
from server.accounts.models import Account
from server.campaigns.models import Campaign
from server.core import clock
from server.directory.models import Company
from server.drafts import files
from server.drafts.archive import Unpacked
from server.drafts.models import Draft
from server.media.files import path_of
from server.retention.housekeeping import housekeeping
from tests.support.server.console import account_of, client_of
from tests.support.server.drafting import draft_at, published, seal_on, sent, written

PLACE_IN_EXIF = b"canary-of-the-place"
ALT = "The floor plan of the studio"


def picture(kind: str = "JPEG", colour: str = "teal") -> SimpleUploadedFile:
    """As a camera writes it: with a note of the place."""
    target = io.BytesIO()
    notes = Image.Exif()
    notes[0x010E] = PLACE_IN_EXIF.decode()
    Image.effect_mandelbrot((320, 180), (-2, -1, 1, 1), 40).convert("RGB").save(target, kind, exif=notes)
    assert PLACE_IN_EXIF in target.getvalue()
    return SimpleUploadedFile("Plan of LYON.jpeg", target.getvalue(), "image/jpeg")


def with_picture(browser: Client, **values: object) -> str:
    """The address of a draft that has a picture."""
    address = written(browser)
    answer = browser.post(address, sent(address, **{"image-file": picture()} | values))
    assert answer.status_code == 302, answer.content.decode()
    name = draft_at(address).fields["variants"]["en"]["image"]["file"]
    form = sent(address, image=name, **{"image-alt": ALT})
    assert browser.post(address, form).status_code == 302
    return address


def bytes_on_disk(draft: Draft) -> list[bytes]:
    folder = files.folder_of(draft)
    return [path.read_bytes() for path in folder.iterdir()] if folder.exists() else []


@pytest.mark.both_databases
def test_a_picture_is_shown_and_published_as_it_was_approved_and_leaves_nothing_in_the_draft(
    browser: Client,
) -> None:
    address = with_picture(browser)
    draft = draft_at(address)
    [content] = bytes_on_disk(draft)
    assert PLACE_IN_EXIF not in content
    page = unescape(browser.get(address).content.decode())
    shown = re.findall(r'<img class="pop-image" src="([^"]+)" alt="([^"]+)"', page)
    assert shown == [(f"{address}/files/plan-of-lyon.jpg", ALT)]
    answer = browser.get(shown[0][0])
    assert (answer.headers["Content-Type"], answer.getvalue()) == ("image/jpeg", content)
    assert ALT in browser.get(f"{address}/check").content.decode()
    campaign = published(browser, address)
    image = campaign.content["variants"]["en"]["image"]
    assert path_of("northwind", image["sha256"]).read_bytes() == content
    assert image["alt"] == ALT
    assert campaign.media.get().sha256 == image["sha256"]
    assert not bytes_on_disk(draft)
    assert not draft.files.exists()


def test_another_picture_makes_another_seal(browser: Client) -> None:
    address = with_picture(browser)
    seal = seal_on(browser.get(f"{address}/check").content.decode())
    draft = draft_at(address)
    row = draft.files.get()
    row.sha256 = "0" * 64
    row.save()
    before = Campaign.objects.count()
    assert browser.post(f"{address}/publish", {"seal": seal}).status_code == 409
    assert Campaign.objects.count() == before


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("plan.svg", b"<svg/>", "“plan.svg” is no PNG, JPEG or WebP picture; save it as one of these."),
        ("plan.png", b"\x89PNG\r\n\x1a\nrest", "“plan.png” is damaged or incomplete; export it again."),
        ("../../plan.png", b"", "“plan.png” is empty; export it again."),
    ],
)
def test_a_file_that_is_no_picture_is_explained_beside_its_field_and_the_texts_are_kept(
    browser: Client, name: str, content: bytes, told: str
) -> None:
    address = with_picture(browser)
    form = sent(address, title="Kept", image="plan-of-lyon.jpg", **{"image-alt": ALT})
    answer = browser.post(address, form | {"image-file": SimpleUploadedFile(name, content)})
    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert f'id="image-file_fault">{told}<' in page
    variant = draft_at(address).fields["variants"]["en"]
    assert (variant["title"], variant["image"]["file"]) == ("Kept", "plan-of-lyon.jpg")
    assert len(bytes_on_disk(draft_at(address))) == 1


def test_without_words_for_those_who_do_not_see_it_no_picture_is_published(browser: Client) -> None:
    address = with_picture(browser)
    browser.post(address, sent(address, image="plan-of-lyon.jpg"))
    page = browser.get(f"{address}/check").content.decode()
    assert "What the picture shows (English): nothing is written there" in page
    assert f'href="{address}?language=en#image-alt"' in page
    assert browser.post(f"{address}/publish", {"seal": files_seal(address)}).status_code == 409


def files_seal(address: str) -> str:
    from server.drafts.publication import seal_of

    return seal_of(draft_at(address))


@pytest.mark.both_databases
def test_a_draft_comes_back_from_its_zip_file_byte_for_byte_and_so_does_its_picture(browser: Client) -> None:
    address = with_picture(browser)
    content = browser.get(f"{address}/campaign.toml").getvalue()
    assert content == browser.get(f"{address}/campaign.toml").getvalue()
    form = {"from-file": "1", "file": SimpleUploadedFile("lyon.zip", content)}
    again = browser.post("/drafts/new", form).headers["Location"]
    first, second = (unpacked(browser, one) for one in (address, again))
    assert sorted(first) == ["campaign.toml", "plan-of-lyon.jpg"]
    assert first == second


def unpacked(browser: Client, address: str) -> dict[str, bytes]:
    """What is in a draft's ZIP file; the id, which each draft has its own of, is left out."""
    content = browser.get(f"{address}/campaign.toml").getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    [toml] = [name for name in found if name.endswith(".toml")]
    return {"campaign.toml": re.sub(rb"\Aid = .*\n", b"", found.pop(toml))} | found


FILE = """\
sender = "News"
default_language = "en"
audience = { everyone = true }
[variants.en]
title = "Plan"
image = { file = "media/Our plan.PNG", alt = "The plan" }
"""


def zipped(**entries: bytes) -> SimpleUploadedFile:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return SimpleUploadedFile("lyon.zip", target.getvalue())


def test_a_folder_that_somebody_else_packed_is_taken_too(browser: Client) -> None:
    entries = {"lyon/file.toml": FILE.encode(), "lyon/media/Our plan.PNG": picture("PNG").read()}
    come = browser.post("/drafts/new", {"from-file": "1", "file": zipped(**entries)})
    draft = draft_at(come.headers["Location"])
    assert draft.fields["variants"]["en"]["image"] == {"file": "our-plan.png", "alt": "The plan"}
    assert PLACE_IN_EXIF not in bytes_on_disk(draft)[0]


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"a.toml": FILE.encode()},
        {"a.toml": FILE.encode(), "b.toml": FILE.encode()},
        {"a.toml": FILE.encode(), "media/Our plan.PNG": b"none"},
        {"a.toml": FILE.replace("media/", "../").encode(), "../Our plan.PNG": b"none"},
    ],
)
def test_a_zip_file_that_cannot_be_taken_is_explained_and_leaves_nothing(
    browser: Client, entries: dict[str, bytes]
) -> None:
    answer = browser.post("/drafts/new", {"from-file": "1", "file": zipped(**entries)})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Draft.objects.exists()


def test_a_zip_file_that_unpacks_to_far_more_than_it_is_is_not_unpacked(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {"a.toml": FILE.encode(), "media/Our plan.PNG": bytes(50_000_000)}
    monkeypatch.setattr(Unpacked, "extracted", None)
    answer = browser.post("/drafts/new", {"from-file": "1", "file": zipped(**entries)})
    assert answer.status_code == 422
    assert "far larger than itself" in answer.content.decode()


def test_a_campaign_is_duplicated_with_its_very_picture(browser: Client) -> None:
    first = published(browser, with_picture(browser))
    address = browser.post(f"/campaigns/{first.campaign_id}/duplicate").headers["Location"]
    second = published(browser, address)
    images = [one.content["variants"]["en"]["image"] for one in (first, second)]
    assert images[0] == images[1]


def test_nobody_of_another_company_sees_it(browser: Client) -> None:
    address = with_picture(browser)
    other, _made = Company.objects.get_or_create(pk="contoso", defaults={"name": "Contoso"})
    stranger = client_of(account_of("cleo@contoso.example", Role.ADMINISTRATOR, company="contoso"))
    try:
        assert stranger.get(f"{address}/files/plan-of-lyon.jpg").status_code == 404
        theirs = written(stranger)
        stranger.post(theirs, sent(theirs, image="plan-of-lyon.jpg", **{"image-alt": "theirs"}))
        assert "image" not in draft_at(theirs).fields["variants"]["en"]
        assert stranger.get(f"{theirs}/files/plan-of-lyon.jpg").status_code == 404
    finally:
        Account.objects.filter(company=other).delete()
        other.delete()


def test_what_is_taken_away_stays_for_its_version_and_goes_with_the_draft(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = with_picture(browser)
    draft = draft_at(address)
    other = client_of(account_of("noor@northwind.example", Role.APPROVER))
    monkeypatch.setattr(files, "UNNAMED_FOR", files.UNNAMED_FOR * 0)
    other.post(address, sent(address, go="remove-image", image="plan-of-lyon.jpg"))
    assert "image" not in draft_at(address).fields["variants"]["en"]
    assert len(bytes_on_disk(draft)) == 1, "an earlier version has it"
    number = draft_at(address).versions.order_by("-pk")[0].pk
    other.post(f"{address}/versions", {"version": number, "revision": draft_at(address).revision})
    assert draft_at(address).fields["variants"]["en"]["image"]["file"] == "plan-of-lyon.jpg"
    browser.post(f"{address}/delete", {"revision": draft_at(address).revision})
    assert not files.folder_of(draft).exists()


def test_housekeeping_leaves_what_a_draft_has_and_deletes_what_none_has(browser: Client) -> None:
    draft = draft_at(with_picture(browser))
    stray = files.folder_of(draft) / ("0" * 16)
    stray.write_bytes(b"of a crash")
    with clock.using(lambda: datetime.now(UTC) + files.UNNAMED_FOR * 48):
        assert not [outcome.fault for outcome in housekeeping() if outcome.fault]
    assert len(bytes_on_disk(draft)) == 1
    assert not stray.exists()
