"""What the player is told and says, which files it takes, and what captions are due."""

import os
from pathlib import Path

import msgspec
import pytest

from ui.player import messages
from ui.player.captions import Captions
from ui.player.files import NotPlayable, check_video
from ui.player.messages import CaptionFile, Event, PlayerEvent, PlayRequest

FILE_TYPE = b"\x00\x00\x00\x10ftypisom\x00\x00\x02\x00"
FILM = b"\x00\x00\x00\x0cmoov1234"
MP4 = FILE_TYPE + FILM + b"\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x12ab"


class TestMessages:
    def test_a_request_is_one_line_and_comes_through_unchanged(self) -> None:
        request = PlayRequest(
            "Two\nlines", "/v.mp4", "/p.jpg", (CaptionFile("en", "English", "/c.vtt"),), "fr"
        )
        line = messages.line(request)
        assert line.count(b"\n") == 1
        assert messages.read_request(line) == request

    @pytest.mark.parametrize(
        "text", [b"", b"[]", b'{"title": "x"}', b'{"title": "x", "video": "/v", "url": "y"}']
    )
    def test_anything_else_is_no_request(self, text: bytes) -> None:
        with pytest.raises(msgspec.DecodeError):
            messages.read_request(text)

    def test_events_are_of_a_known_kind_only(self) -> None:
        assert messages.read_event(b'{"event": "liked"}') == PlayerEvent(Event.LIKED)
        with pytest.raises(msgspec.DecodeError):
            messages.read_event(b'{"event": "bought"}')


class TestFiles:
    def test_a_local_mp4_is_taken(self, tmp_path: Path) -> None:
        video = tmp_path / "video"
        video.write_bytes(MP4)
        assert check_video(str(video)) == video

    @pytest.mark.parametrize(
        "content",
        [b"", b"ftyp", b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n", b"RIFF\x00\x00\x00\x00AVI ", b"<html>"],
    )
    def test_a_file_that_is_no_mp4_is_refused_whatever_its_name(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "video.mp4").write_bytes(content)
        with pytest.raises(NotPlayable, match="MP4"):
            check_video(str(tmp_path / "video.mp4"))

    @pytest.mark.parametrize(
        "content", [MP4[:-1], MP4 + b"PK\x03\x04 an archive", FILE_TYPE + FILM + b"\x00" * 4]
    )
    def test_a_file_that_was_cut_short_or_goes_on_as_something_else_is_refused(
        self, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "video.mp4").write_bytes(content)
        with pytest.raises(NotPlayable):
            check_video(str(tmp_path / "video.mp4"))

    def test_a_file_type_without_a_film_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "video.mp4").write_bytes(FILE_TYPE)
        with pytest.raises(NotPlayable, match="film"):
            check_video(str(tmp_path / "video.mp4"))

    @pytest.mark.parametrize(
        "address", ["https://host.example/v.mp4", "file:///etc/passwd", "v.mp4", "", "data:,x"]
    )
    def test_an_address_is_refused(self, address: str) -> None:
        with pytest.raises(NotPlayable, match="absolute"):
            check_video(address)

    def test_a_folder_a_pipe_and_what_is_not_there_are_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path, tmp_path / "pipe", tmp_path / "gone"):
            with pytest.raises(NotPlayable):
                check_video(str(path))


class TestCaptions:
    @pytest.fixture
    def captions(self, tmp_path: Path) -> Captions:
        file = tmp_path / "c.vtt"
        file.write_text(
            "\ufeffWEBVTT\n\n00:00:01.500 --> 00:00:03.000\nCafé &amp; <b>bike</b>\n\n"
            "00:02.500 --> 00:04.000\nTwo at once\n\n01:00:00.000 --> 01:00:01.000\nLate\n",
            encoding="utf-8",
        )
        return Captions(file)

    @pytest.mark.parametrize(
        ("position_ms", "text"),
        [
            (0, ""),
            (1_499, ""),
            (1_500, "Café & bike"),
            (2_600, "Café & bike\nTwo at once"),
            (3_000, "Two at once"),
            (4_000, ""),
            (3_600_500, "Late"),
        ],
    )
    def test_each_is_due_from_its_start_to_its_end(
        self, captions: Captions, position_ms: int, text: str
    ) -> None:
        assert captions.text(position_ms) == text

    @pytest.mark.expected_logs("cannot be read")
    @pytest.mark.parametrize("content", [b"", b"no captions at all", b"\xff\xfe\x00"])
    def test_a_file_that_is_no_webvtt_has_none(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "c.vtt").write_bytes(content)
        assert Captions(tmp_path / "c.vtt").text(0) == ""

    @pytest.mark.expected_logs("cannot be read")
    def test_a_file_that_is_gone_has_none(self, tmp_path: Path) -> None:
        assert Captions(tmp_path / "gone.vtt").text(0) == ""
