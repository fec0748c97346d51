"""Videos of drafts: sent in pieces, checked when they have come, published with poster and captions as they were approved."""

import base64
import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.directory.models import Company
from server.drafts import files, uploads
from server.drafts.models import Draft, DraftUpload
from server.media.files import path_of
from server.retention.housekeeping import housekeeping
from tests.support.server.console import account_of, client_of
from tests.support.server.drafting import draft_at, published, sent, written
from tests.support.videos import make_video

CAPTIONS = b"WEBVTT\n\n00:00.100 --> 00:00.900\nGood morning.\n"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_video(tmp_path_factory.mktemp("video") / "video.mp4", 1).read_bytes()


def tus(browser: Client, method: str, place: str, content: bytes = b"", **headers: str) -> SimpleNamespace:
    """A request of a client of the protocol, and the answer."""
    said = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
    kind = said.pop("Content-Type", "application/offset+octet-stream")
    answer = browser.generic(method, place, content, kind, headers=said)
    return SimpleNamespace(status=answer.status_code, headers=answer.headers, content=answer.content)


def begun(browser: Client, address: str, length: int, name: str = "Our studio.mp4") -> str:
    """Where the pieces go."""
    said = base64.b64encode(name.encode()).decode()
    answer = tus(
        browser, "POST", f"{address}/videos", Upload_Length=str(length), Upload_Metadata=f"filename {said}"
    )
    assert answer.status == 201, answer.content
    return str(answer.headers["Location"])


def put(browser: Client, place: str, offset: int, content: bytes) -> SimpleNamespace:
    return tus(browser, "PATCH", place, content, Upload_Offset=str(offset))


def with_video(browser: Client, video: bytes) -> str:
    """The address of a draft with a video and captions."""
    address = written(browser)
    place, half = begun(browser, address, len(video)), len(video) // 2
    for offset, piece in ((0, video[:half]), (half, video[half:])):
        assert put(browser, place, offset, piece).status == 204
        assert tus(browser, "HEAD", place).headers["Upload-Offset"] == str(offset + len(piece))
    kept = browser.post(place).json()
    captions = SimpleUploadedFile("english.vtt", CAPTIONS, "text/vtt")
    form = sent(address, **kept, **{"captions-file": captions, "captions-language": "en"})
    assert browser.post(address, form).status_code == 302
    return address


@pytest.mark.both_databases
def test_a_video_comes_in_pieces_and_is_published_with_poster_and_captions(
    browser: Client, video: bytes
) -> None:
    address = with_video(browser, video)
    assert not DraftUpload.objects.exists()
    page = unescape(browser.get(address).content.decode())
    assert "0:01, " in page
    assert 'class="pop-play"' in page
    draft = draft_at(address)
    assert sorted(row.name for row in draft.files.all()) == [
        "english.vtt",
        "our-studio.jpg",
        "our-studio.mp4",
    ]
    campaign = published(browser, address)
    video = campaign.content["variants"]["en"]["video"]
    assert video["duration_ms"] == 1000
    assert video["poster"]["alt"] == "The studio opens"
    assert [one["language"] for one in video["captions"]] == ["en"]
    for named in (video, video["poster"], *video["captions"]):
        assert path_of("northwind", named["sha256"]).stat().st_size == named["size"]
    assert not files.folder_of(draft).exists()
    again = published(
        browser, browser.post(f"/campaigns/{campaign.campaign_id}/duplicate").headers["Location"]
    )
    assert again.content["variants"]["en"]["video"] == video


def test_the_poster_is_chosen_from_the_video_or_is_another_picture(browser: Client, video: bytes) -> None:
    address = with_video(browser, video)
    said = draft_at(address).fields["variants"]["en"]["video"]
    frames = [browser.get(f"{address}/frames/{said['file']}/{number}") for number in range(7)]
    assert [answer.status_code for answer in frames] == [200] * 6 + [404]
    assert len({answer.content for answer in frames[:6]}) == 6
    form = {"video": said["file"], "poster": said["poster"]}
    for _time in range(2):
        assert browser.post(address, sent(address, **form, **{"poster-frame": "5"})).status_code == 302
    poster = draft_at(address).fields["variants"]["en"]["video"]["poster"]
    assert poster != said["poster"]
    assert b"".join(browser.get(f"{address}/files/{poster}").streaming_content) == frames[5].content
    pictures = draft_at(address).files.filter(type="image/jpeg")
    assert pictures.count() == 2, "the same picture is kept once"
    other = SimpleUploadedFile("Door.jpg", frames[0].content, "image/jpeg")
    assert browser.post(address, sent(address, **form, **{"poster-file": other})).status_code == 302
    assert draft_at(address).fields["variants"]["en"]["video"]["poster"] == "door.jpg"
    bad = SimpleUploadedFile("Door.txt", b"no picture", "text/plain")
    refused = browser.post(address, sent(address, **form, **{"poster-file": bad}))
    assert refused.status_code == 422
    assert "Door.txt" in refused.content.decode()


def test_a_player_gets_the_range_that_it_asks_for(browser: Client, video: bytes) -> None:
    address = with_video(browser, video)
    row = draft_at(address).files.get(name="our-studio.mp4")
    content = files.place_of(row).read_bytes()

    def asked(wanted: str, **words: str) -> tuple[int, bytes, str]:
        answer = browser.get(
            f"{address}/files/{row.name}", headers={"Range": wanted, **words} if wanted else {}
        )
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer.status_code, body, answer.headers.get("Content-Range", "")

    size = len(content)
    assert asked("") == (200, content, "")
    assert asked("bytes=10-19") == (206, content[10:20], f"bytes 10-19/{size}")
    assert asked("bytes=-5") == (206, content[-5:], f"bytes {size - 5}-{size - 1}/{size}")
    assert asked(f"bytes={size}-") == (416, b"", f"bytes */{size}")
    assert asked("bytes=0-9", **{"If-Range": '"another"'}) == (200, content, "")


def test_a_draft_with_a_video_comes_back_from_its_zip_file_byte_for_byte(
    browser: Client, video: bytes
) -> None:
    address = with_video(browser, video)
    content = browser.get(f"{address}/campaign.toml").getvalue()
    form = {"from-file": "1", "file": SimpleUploadedFile("video.zip", content)}
    again = browser.post("/drafts/new", form).headers["Location"]
    first, second = unpacked(content), unpacked(browser.get(f"{again}/campaign.toml").getvalue())
    assert len(first) == 4
    assert first == second


def test_a_large_zip_file_comes_in_pieces_and_becomes_a_draft(browser: Client, video: bytes) -> None:
    address = with_video(browser, video)
    content = browser.get(f"{address}/campaign.toml").getvalue()

    def arrived(piece: bytes) -> tuple[str, int]:
        answer = tus(browser, "POST", "/drafts/archives", Upload_Length=str(len(content)))
        place = str(answer.headers["Location"])
        assert put(browser, place, 0, piece).status == 204
        return place, Draft.objects.count()

    place, drafts = arrived(content)
    again = browser.post(place).json()["draft"]
    assert unpacked(browser.get(f"{again}/campaign.toml").getvalue()) == unpacked(content)
    assert [draft_at(again).campaign, Draft.objects.count()] == [None, drafts]
    place, drafts = arrived(content[: len(content) // 2])
    assert browser.post(place).status_code == 409
    assert tus(browser, "DELETE", place).status == 204
    assert Draft.objects.count() == drafts - 1
    for bad in (content[:4] + bytes(len(content) - 4), video[:1000].ljust(len(content), b"x")):
        place, drafts = arrived(bad)
        answer = browser.post(place)
        assert answer.status_code == 422
        assert "The ZIP file cannot be taken" in answer.content.decode()
        assert Draft.objects.count() == drafts - 1
    assert not DraftUpload.objects.exists()
    too_large = str(uploads.MOST_ARCHIVE_BYTES + 1)
    assert tus(browser, "POST", "/drafts/archives", Upload_Length=too_large).status == 413
    assert Draft.objects.count() == drafts - 1
    place = begun(browser, browser.post("/drafts/new").headers["Location"], len(content), "film.zip")
    assert put(browser, place, 0, content).status == 204
    assert browser.post(place).status_code == 422
    assert Draft.objects.count() == drafts, "a ZIP file that was sent as a video ends no draft"


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    [toml] = [name for name in found if name.endswith(".toml")]
    return {"campaign.toml": re.sub(rb"\Aid = .*\n", b"", found.pop(toml))} | found


def test_what_a_client_may_not_say_is_refused_and_changes_nothing(browser: Client) -> None:
    address = written(browser)
    for length in ("", "0", "-1", "x", str(200 * 1024 * 1024 + 1), "9" * 20):
        assert tus(browser, "POST", f"{address}/videos", Upload_Length=length).status in (400, 413), length
    for metadata in ("filename ?", "filename " + base64.b64encode(b"\xff").decode()):
        answer = tus(browser, "POST", f"{address}/videos", Upload_Length="1", Upload_Metadata=metadata)
        assert answer.status == 400
    assert not DraftUpload.objects.exists()
    place = begun(browser, address, 10)
    assert put(browser, place, 0, b"12345").status == 204
    refused = [
        (put(browser, place, 0, b"x"), 409),
        (put(browser, place, 6, b"x"), 409),
        (put(browser, place, 5, b"123456"), 413),
        (tus(browser, "PATCH", place, b"x"), 400),
        (tus(browser, "PATCH", place, b"x", Upload_Offset="-5"), 400),
        (tus(browser, "PATCH", place, b"x", Upload_Offset="5", Content_Type="text/plain"), 415),
        (tus(browser, "PATCH", place, b"x", Upload_Offset="5", Tus_Resumable="0.2.2"), 412),
        (tus(browser, "HEAD", place, Tus_Resumable=""), 412),
        (tus(browser, "POST", place), 409),
    ]
    assert [answer.status for answer, _wanted in refused] == [wanted for _answer, wanted in refused]
    assert tus(browser, "HEAD", place).headers["Upload-Offset"] == "5"
    assert (
        tus(browser, "OPTIONS", f"{address}/videos").headers["Tus-Extension"]
        == "creation,expiration,termination"
    )


def test_an_upload_is_its_account_s_alone(browser: Client) -> None:
    address = written(browser)
    place = begun(browser, address, 10)
    other, _made = Company.objects.get_or_create(pk="contoso", defaults={"name": "Contoso"})
    strangers = [
        client_of(account_of("noor@northwind.example", Role.ADMINISTRATOR)),
        client_of(account_of("cleo@contoso.example", Role.ADMINISTRATOR, company="contoso")),
    ]
    try:
        for stranger in strangers:
            asked = [
                tus(stranger, method, place, Upload_Offset="0")
                for method in ("HEAD", "PATCH", "DELETE", "POST")
            ]
            assert [answer.status for answer in asked] == [404] * 4
        theirs = written(strangers[1])
        elsewhere = f"{theirs}/videos/{place.rsplit('/', 1)[1]}"
        assert tus(strangers[1], "HEAD", elsewhere).status == 404
        assert tus(strangers[1], "POST", f"{address}/videos", Upload_Length="1").status == 404
        assert tus(browser, "HEAD", place).headers["Upload-Offset"] == "0"
    finally:
        Account.objects.filter(company=other).delete()
        other.delete()


@pytest.mark.both_databases
def test_of_two_writers_one_is_told_that_the_other_writes(browser: Client) -> None:
    address = written(browser)
    place = begun(browser, address, 10)
    upload = DraftUpload.objects.get()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            seen.append(put(browser, place, 0, b"theirs").status)
            return super().read(size)

    seen: list[int] = []
    assert uploads.append(upload, 0, Slow(b"mine")) == 4
    assert set(seen) == {423}
    assert uploads.place_of(upload).read_bytes() == b"mine"


def test_an_upload_that_is_over_leaves_nothing(browser: Client, video: bytes) -> None:
    address = written(browser)
    draft = draft_at(address)

    def given_up(place: str) -> None:
        assert tus(browser, "DELETE", place).status == 204

    def no_video(place: str) -> None:
        put(browser, place, 0, b"x" * 10)
        answer = tus(browser, "POST", place)
        assert answer.status == 422
        assert (
            "“Our studio.mp4” is no MP4" in answer.content.decode()
            or "Our studio.mp4" in answer.content.decode()
        )

    def too_late(place: str) -> None:
        DraftUpload.objects.update(begun_at=datetime.now(UTC) - uploads.KEPT_FOR)
        assert put(browser, place, 0, b"x").status == 410

    def never_again(_place: str) -> None:
        DraftUpload.objects.update(begun_at=datetime.now(UTC) - uploads.KEPT_FOR)
        assert not [outcome.fault for outcome in housekeeping() if outcome.fault]

    ways: list[Callable[[str], None]] = [given_up, no_video, too_late, never_again]
    for over in ways:
        place = begun(browser, address, 10)
        over(place)
        assert tus(browser, "HEAD", place).status == 404, over
        assert not list(files.folder_of(draft).iterdir()), over


def test_more_than_may_be_kept_is_refused_before_it_comes(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = written(browser)
    monkeypatch.setattr(files, "MOST_BYTES", 25)
    begun(browser, address, 20)
    answer = tus(browser, "POST", f"{address}/videos", Upload_Length="10")
    assert answer.status == 413
    assert "together have more than" in answer.content.decode()
    monkeypatch.setattr(uploads, "RESERVED_BYTES", 2**62)
    assert tus(browser, "POST", f"{address}/videos", Upload_Length="1").status == 507
    monkeypatch.undo()
    for _ in range(uploads.MOST_OF_ACCOUNT + 2):
        begun(browser, address, 10)
    assert DraftUpload.objects.count() == uploads.MOST_OF_ACCOUNT


def test_captions_that_cannot_be_taken_are_explained_with_their_line(browser: Client, video: bytes) -> None:
    address = with_video(browser, video)
    video = draft_at(address).fields["variants"]["en"]["video"]
    form = sent(
        address,
        video=video["file"],
        poster=video["poster"],
        captions1=video["captions"][0]["file"],
        **{
            "captions-language1": "en",
            "captions-label1": "English",
            "captions-language": "fr",
            "captions-file": SimpleUploadedFile("fr.vtt", b"WEBVTT\n\n00:05.000 --> 00:06.000\nTrop tard.\n"),
        },
    )
    answer = browser.post(address, form)
    assert answer.status_code == 422
    assert "“fr.vtt” has a caption in line 3 that begins after the end of the video" in unescape(
        answer.content.decode()
    )
    kept = draft_at(address).fields["variants"]["en"]["video"]["captions"]
    assert kept == [{"language": "en", "label": "English", "file": "english.vtt"}]


def test_captions_of_a_longer_video_are_noticed_when_it_is_replaced(
    browser: Client, video: bytes, tmp_path: Path
) -> None:
    address = with_video(browser, video)
    short = make_video(tmp_path / "short.mp4", 0.1).read_bytes()
    video = draft_at(address).fields["variants"]["en"]["video"]
    form = sent(address, video=video["file"], poster=video["poster"], captions1=video["captions"][0]["file"])
    form |= {"captions-language1": "en", "captions-label1": "English"}
    assert (
        browser.post(address, form | {"video-file": SimpleUploadedFile("short.mp4", short)}).status_code
        == 302
    )
    assert draft_at(address).fields["variants"]["en"]["video"]["file"] == "short.mp4"
    page = unescape(browser.get(f"{address}/check").content.decode())
    assert "“english.vtt” has a caption that begins after the end of the video" in page
