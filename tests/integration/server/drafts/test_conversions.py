"""Videos that computers cannot play, in drafts: converted beside the form, looked at, taken, given up, begun again."""

import re
import shutil
import threading
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from server.console.asgi import prepare
from server.core import background
from server.drafts import conversions, files, uploads
from server.drafts.models import DraftUpload
from tests.integration.server.drafts.test_videos import begun, put, tus
from tests.support.odd_videos import silent
from tests.support.server.drafting import draft_at, published, sent, written
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return silent(tmp_path_factory.mktemp("film"), "film.mov").read_bytes()


def shown(browser: Client, address: str) -> str:
    """What the page says of its conversions."""
    return unescape(browser.get(f"{address}/conversions").content.decode())


def button(part: str, act: str) -> str:
    found = re.search(rf'value="({act}:[0-9a-f]+)"', part)
    assert found, part
    return found[1]


def came(browser: Client, address: str, film: bytes, name: str = "Our film.mov") -> str:
    """Send it in pieces, and have it checked. Where it is."""
    place = begun(browser, address, len(film), name)
    assert put(browser, place, 0, film).status == 204
    assert browser.post(place).status_code == 202
    return place


def settled(browser: Client, address: str) -> str:
    def over() -> str | None:
        part = shown(browser, address)
        return None if "is being converted" in part else part

    return until(over, "the conversion to be over")


def test_a_film_is_converted_beside_the_form_and_published(browser: Client, film: bytes) -> None:
    address = written(browser)
    place = came(browser, address, film)
    assert "“Our film.mov” is a QuickTime video (MOV). It is being converted" in shown(browser, address)
    assert [browser.post(place).status_code, tus(browser, "HEAD", place).status] == [202, 409]
    part = settled(browser, address)
    assert "“Our film.mov” is converted. 0:02, 0.1 MB" in re.sub("<.*?>", "", part)
    assert (
        "A video was sent that is not in the announcement" in browser.get(f"{address}/check").content.decode()
    )
    upload = DraftUpload.objects.get()
    assert not uploads.place_of(upload).exists()
    form = sent(address, go=button(part, "take"), title="Typed meanwhile")
    assert browser.post(address, form).status_code == 302
    assert not DraftUpload.objects.exists()
    draft = draft_at(address)
    assert draft.fields["variants"]["en"]["title"] == "Typed meanwhile"
    assert draft.fields["variants"]["en"]["video"]["file"] == "our-film.mp4"
    assert "<div class=" not in shown(browser, address)
    video = published(browser, address).content["variants"]["en"]["video"]
    assert (video["type"], video["duration_ms"]) == ("video/mp4", 2000)


def test_without_a_script_the_film_comes_with_the_form(browser: Client, film: bytes) -> None:
    address = written(browser)
    form = sent(address, **{"video-file": SimpleUploadedFile("f.mov", film, "video/quicktime")})
    assert browser.post(address, form).status_code == 302
    page = unescape(browser.get(address).content.decode())
    assert "“f.mov” is" in page
    part = settled(browser, address)
    browser.post(address, sent(address, go=button(part, "drop")))
    assert not DraftUpload.objects.exists()
    assert "video" not in draft_at(address).fields["variants"]["en"]


def test_what_is_given_up_or_fails_leaves_the_form_as_it_was(browser: Client, film: bytes) -> None:
    address = written(browser)
    place = came(browser, address, film)
    assert tus(browser, "DELETE", place).status == 204
    assert "“Our film.mov”" not in settled(browser, address)
    came(browser, address, film[: len(film) // 2])
    part = settled(browser, address)
    assert "could not be converted" in part
    assert "“Our film.mov” is damaged" in part
    browser.post(address, sent(address, go=button(part, "again")))
    assert "is damaged" in settled(browser, address)
    browser.post(address, sent(address, go=button(part, "drop")))
    assert not list(files.folder_of(draft_at(address)).iterdir())
    assert draft_at(address).fields["variants"]["en"]["title"] == "The studio opens"


def test_a_server_without_ffmpeg_says_so_and_takes_what_is_playable(
    browser: Client, film: bytes, tmp_path: Path
) -> None:
    address = written(browser)
    with override_settings(FFMPEG=str(tmp_path / "none")):
        assert "since it has no ffmpeg" in browser.get(address).content.decode()
        place = begun(browser, address, len(film))
        put(browser, place, 0, film)
        answer = browser.post(place)
        assert answer.status_code == 422
        assert "convert it with: ffmpeg" in answer.content.decode()
    assert "is converted here" in browser.get(address).content.decode()
    assert not DraftUpload.objects.exists()


def test_a_conversion_that_was_cut_off_is_begun_again_and_not_for_ever(
    browser: Client, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = written(browser)
    with monkeypatch.context() as ended:
        ended.setattr(conversions, "wake", lambda: None)
        came(browser, address, film)
        assert "It waits for its turn." in shown(browser, address)
    prepare()
    assert "is converted" in settled(browser, address)
    DraftUpload.objects.all().delete()
    with monkeypatch.context() as ended:
        ended.setattr(conversions, "wake", lambda: None)
        came(browser, address, film)
        DraftUpload.objects.update(tries=conversions.MOST_TRIES)
    prepare()
    assert "The server was ended each time" in settled(browser, address)


def test_a_page_in_the_moment_of_a_fault_begins_no_second_conversion(
    browser: Client, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, fail = background.begin, conversions._fail
    threads: list[threading.Thread] = []

    def begun_once_more(*args: Any) -> threading.Thread:
        threads.append(begin(*args))
        return threads[-1]

    def looked_at_before(upload: DraftUpload, told: str) -> None:
        conversions.wake()  # as each look at the draft does
        fail(upload, told)

    monkeypatch.setattr(background, "begin", begun_once_more)
    monkeypatch.setattr(conversions, "convert", Mock(side_effect=RuntimeError("a fault")))
    monkeypatch.setattr(conversions, "_fail", looked_at_before)
    address = written(browser)
    came(browser, address, film)
    assert "This is a fault of the server" in settled(browser, address)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(threads) == 1
