"""What the player is told and says, which files it takes, and what captions are due."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from ui.player import messages
from ui.player.captions import OFF, Captions, CaptionTrack
from ui.player.file_checks import NotPlayable, NotThere, open_video
from ui.player.messages import (
    CaptionFile,
    Event,
    LinkButton,
    Look,
    Order,
    PlayerEvent,
    PlayRequest,
    Problem,
    Told,
)

FILE_TYPE = b"\x00\x00\x00\x10ftypisom\x00\x00\x02\x00"
VIDEO = b"\x00\x00\x00\x0cmoov1234"
MP4 = FILE_TYPE + VIDEO + b"\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x12ab"


SHA256 = hashlib.sha256(MP4).hexdigest()


class TestMessages:
    @pytest.mark.parametrize(
        "order",
        [
            Look("fr", "high_contrast", "#0F766E", 1.5, True),
            PlayRequest(
                "Two\nlines", "/v.mp4", SHA256, "/p.jpg", (CaptionFile("en", "English", "/c.vtt"),), "fr"
            ),
            PlayRequest("It crashed", "/v.mp4", SHA256, problem=Problem.CRASHED),
            Told(True, "Nothing is shared"),
        ],
    )
    def test_an_order_is_one_line_and_comes_through_unchanged(self, order: Order) -> None:
        line = messages.line(order)
        assert line.count(b"\n") == 1
        assert messages.read_order(line) == order

    def test_the_longest_announcement_is_one_line_that_is_read_whole(self) -> None:
        links = tuple(LinkButton("l" * 40, "\N{WATCH}" * 40) for _ in range(5))
        captions = tuple(CaptionFile("pt-BR", "\N{WATCH}" * 40, "/" + "c" * 2_000) for _ in range(20))
        title, body = "\N{WATCH}" * 200, "\N{WATCH}" * 5_000
        request = PlayRequest(title, "/" + "v" * 2_000, SHA256, captions=captions, body=body, links=links)
        assert len(messages.line(request)) < messages.MAX_LINE_BYTES

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[]",
            b'{"type": "play", "title": "x"}',
            b'{"type": "play", "title": "x", "video": "/v", "sha256": "y"}',
            b'{"type": "told", "liked": true, "share_line": "", "url": "https://host.example"}',
        ],
    )
    def test_anything_else_is_no_order(self, text: bytes) -> None:
        with pytest.raises(msgspec.DecodeError):
            messages.read_order(text)

    def test_events_are_of_a_known_kind_only(self) -> None:
        assert messages.read_event(b'{"event": "liked"}') == PlayerEvent(Event.LIKED)
        with pytest.raises(msgspec.DecodeError):
            messages.read_event(b'{"event": "bought"}')


class TestFiles:
    def test_a_local_mp4_with_the_signed_hash_is_opened(self, tmp_path: Path) -> None:
        video = tmp_path / "video"
        video.write_bytes(MP4)
        with open_video(str(video), SHA256) as opened:
            assert opened.read() == MP4

    def test_what_was_checked_is_what_is_played_whatever_the_name_leads_to_later(
        self, tmp_path: Path
    ) -> None:
        video = tmp_path / "video"
        video.write_bytes(MP4)
        with open_video(str(video), SHA256) as opened:
            (tmp_path / "other").write_bytes(b"#EXTM3U")
            (tmp_path / "other").replace(video)
            assert opened.read() == MP4

    def test_a_video_that_is_not_the_signed_one_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "video").write_bytes(MP4[:-1] + b"c")
        with pytest.raises(NotPlayable, match="hash"):
            open_video(str(tmp_path / "video"), SHA256)

    @pytest.mark.parametrize(
        "content",
        [b"", b"ftyp", b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n", b"RIFF\x00\x00\x00\x00AVI ", b"<html>"],
    )
    def test_a_file_that_is_no_mp4_is_refused_whatever_its_name(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "video.mp4").write_bytes(content)
        with pytest.raises(NotPlayable, match="MP4"):
            open_video(str(tmp_path / "video.mp4"), SHA256)

    @pytest.mark.parametrize(
        "content", [MP4[:-1], MP4 + b"PK\x03\x04 an archive", FILE_TYPE + VIDEO + b"\x00" * 4]
    )
    def test_a_file_that_was_cut_short_or_goes_on_as_something_else_is_refused(
        self, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "video.mp4").write_bytes(content)
        with pytest.raises(NotPlayable):
            open_video(str(tmp_path / "video.mp4"), SHA256)

    def test_a_file_type_without_a_video_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "video.mp4").write_bytes(FILE_TYPE)
        with pytest.raises(NotPlayable, match="video"):
            open_video(str(tmp_path / "video.mp4"), SHA256)

    @pytest.mark.parametrize(
        "address", ["https://host.example/v.mp4", "file:///etc/passwd", "v.mp4", "", "data:,x"]
    )
    def test_an_address_is_refused(self, address: str) -> None:
        with pytest.raises(NotPlayable, match="absolute"):
            open_video(address, SHA256)

    def test_a_folder_a_pipe_and_what_is_not_there_are_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path, tmp_path / "pipe", tmp_path / "gone"):
            with pytest.raises(NotPlayable):
                open_video(str(path), SHA256)

    def test_a_file_that_is_not_there_is_told_from_one_that_is_damaged(self, tmp_path: Path) -> None:
        with pytest.raises(NotThere):
            open_video(str(tmp_path / "gone"), SHA256)


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


class TestLanguages:
    FILES = tuple(
        CaptionFile(language, label, f"/nowhere/{language}.vtt")
        for language, label in (
            ("de", "Deutsch"),
            ("en-GB", "English"),
            ("es", "Español"),
            ("fr", "Français"),
        )
    )

    def test_the_persons_own_language_comes_first_and_is_on(self) -> None:
        track = CaptionTrack(self.FILES, "fr", None)
        assert track.labels == ["Français", "Deutsch", "English", "Español"]
        assert track.language == "fr"

    def test_a_regional_language_is_the_persons_too(self) -> None:
        assert CaptionTrack(self.FILES, "en", None).language == "en-GB"

    @pytest.mark.parametrize(
        ("chosen", "language"), [("es", "es"), ("", ""), ("nl", "en-GB"), (None, "en-GB")]
    )
    def test_what_was_chosen_in_another_video_is_kept_where_it_can_be(
        self, chosen: str | None, language: str
    ) -> None:
        assert CaptionTrack(self.FILES, "en", chosen).language == language

    def test_the_key_goes_through_all_languages_and_off(self) -> None:
        track = CaptionTrack(self.FILES, "en", None)
        seen = []
        for _ in range(5):
            seen.append(track.language)
            track.index = track.next()
        assert seen == ["en-GB", "de", "es", "fr", ""]
        assert track.language == "en-GB"

    def test_without_captions_there_is_nothing_to_choose(self) -> None:
        track = CaptionTrack((), "en", "fr")
        assert (track.index, track.next(), track.text(0)) == (OFF, OFF, "")
