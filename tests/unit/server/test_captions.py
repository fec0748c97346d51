"""Captions as programs write them: what the server takes, the player shows; a refusal names the line and the cause."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.campaigns.models import Media
from server.media.captions import check_captions
from server.media.checks import BadFile
from server.media.webvtt import Cue, written
from tests.support.odd_videos import advised
from ui.player.captions import Captions

VIDEO_MS = 60_000


def captions(folder: Path, content: str | bytes, name: str = "c.vtt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def taken(folder: Path, content: str | bytes) -> str:
    """What travels."""
    return check_captions(captions(folder, content), VIDEO_MS).content.decode()


def shown(folder: Path, content: str | bytes, *moments_ms: int) -> list[str]:
    """What the player shows at these moments of what the server has taken."""
    published = captions(folder, taken(folder, content), "published.vtt")
    player = Captions(published)
    return [player.text(moment) for moment in moments_ms]


ZOOM = """WEBVTT

1
00:00:01.230 --> 00:00:01.980
Léa Roux: Yes.

2
00:00:02.100 --> 00:00:04.000
Ann Example: Come in.
"""
TEAMS = """WEBVTT

4c1f3c2e-7a0b-4b7e-9d53-000000000001/12-0
00:00:01.230 --> 00:00:01.980
<v Roux, Léa>Yes.</v>

4c1f3c2e-7a0b-4b7e-9d53-000000000001/15-1
00:00:02.100 --> 00:00:04.000
<v Ann Example>Come
in.</v>
"""
YOUTUBE = """WEBVTT
Kind: captions
Language: en

00:00:01.230 --> 00:00:01.980 align:start position:0%
\x20
Yes<00:00:01.500><c>.</c>

00:00:01.980 --> 00:00:01.990 align:start position:0%
Yes.
\x20

00:00:02.100 --> 00:00:04.000 align:start position:0%
Yes.
Come<00:00:02.719><c> in.</c>
"""
PREMIERE = (
    "\ufeffWEBVTT\r\n\r\n00:00:01.230 --> 00:00:01.980 line:90% position:50%,center size:80%\r\nYes.\r\n\r\n"
    + ("00:00:02.100 --> 00:00:04.000 line:90%\r\n<i>Come in.</i>\r\n")
)
REV = "WEBVTT FILE\n\n1\n00:00:01.230 --> 00:00:01.980 D:vertical A:start L:87%\nYes.\n\n2\n" + (
    "00:00:02.100 --> 00:00:04.000 region:fred T:80% align:middle\nCome in.\n"
)
WHISPER = "WEBVTT\n\n00:01.230 --> 00:01.980\nYes.\n\n00:02.100 --> 00:04.000\nCome in.\n\n"
STREAMED = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n" + WHISPER.removeprefix("WEBVTT\n\n")
OLD_MAC = WHISPER.replace("\n", "\r")
STYLED = """WEBVTT - a talk

STYLE
::cue(.loud) { color: red; background: url(https://canary.example/x.png) }

REGION
id:fred
width:40%

NOTE canary: who wrote this

NOTE
a second canary

with a third canary

1
00:00:01.230 --> 00:00:01.980
<c.loud.yellow>Yes.</c>

NOTE canary --> remark

2
00:00:02.100 --> 00:00:04.000
<lang en><b>Come</b> <u>in.</u></lang>
"""
CROWDED = "WEBVTT\n1\n00:00:01.230-->00:00:01.980\nYes.\n00:00:02.100 --> 00:00:04.000\nCome in."
SPREAD = ZOOM.replace("\n", "\n\n")


def test_a_number_of_thousands_of_digits_is_one_unknown_character_or_a_wrong_time(tmp_path: Path) -> None:
    many = "9" * 5000
    content = f"WEBVTT\n\n00:01.000 --> 00:02.000\na&#{many};b&#x{many};c&#233;\n"
    assert shown(tmp_path, content, 1_500) == ["a\ufffdb\ufffdcé"]
    with pytest.raises(BadFile):
        taken(tmp_path, f"WEBVTT\n\n{many}:00:01.000 --> {many}:00:02.000\na\n")


@pytest.mark.parametrize(
    "content",
    [ZOOM, TEAMS, YOUTUBE, PREMIERE, REV, WHISPER, STREAMED, OLD_MAC, STYLED, CROWDED, SPREAD],
    ids=[
        "zoom",
        "teams",
        "youtube",
        "premiere",
        "rev",
        "whisper",
        "streamed",
        "old-mac",
        "styled",
        "crowded",
        "spread",
    ],
)
def test_captions_of_many_programs_are_taken_and_shown(tmp_path: Path, content: str) -> None:
    first, between, second, after = shown(tmp_path, content, 1_500, 2_050, 3_000, 4_000)
    assert first.removeprefix("Léa Roux: ") == "Yes."
    assert between == after == ""
    assert second.removeprefix("Ann Example: ").replace("\n", " ").removeprefix("Yes. ") == "Come in."


def test_captions_lose_styles_and_remarks(tmp_path: Path) -> None:
    file = check_captions(captions(tmp_path, STYLED), VIDEO_MS)
    assert file.type == Media.Type.VTT
    assert "canary" not in file.content.decode()


def test_a_caption_may_take_less_than_a_second(tmp_path: Path) -> None:
    assert shown(tmp_path, "WEBVTT\n\n00:01.000 --> 00:01.001\nOh\n", 999, 1_000, 1_001) == ["", "Oh", ""]


def test_a_caption_whose_end_is_its_start_is_shown_for_a_second(tmp_path: Path) -> None:
    assert shown(tmp_path, "WEBVTT\n\n00:01.000 --> 00:01.000\nOh\n", 1_000, 1_999, 2_000) == ["Oh", "Oh", ""]


def test_settings_that_are_not_known_are_left_out_and_others_stay(tmp_path: Path) -> None:
    settings = (
        "line:-1 align:middle position:10%,line-left size:200 vertical:rl region:r foo:bar align:left L:1"
    )
    text = taken(tmp_path, f"WEBVTT\n\n00:01.000 --> 00:02.000 {settings}\nHi\n")
    assert "00:00:02.000 line:-1 position:10%,line-left vertical:rl align:left\n" in text


def test_a_long_caption_stays_under_many_short_ones(tmp_path: Path) -> None:
    short = "".join(f"00:{at:02}.000 --> 00:{at:02}.900\nshort {at}\n\n" for at in range(1, 30))
    content = f"WEBVTT\n\n00:00.000 --> 00:40.000\nA sign on the wall\n\n{short}"
    assert shown(tmp_path, content, 25_500, 35_000) == ["A sign on the wall\nshort 25", "A sign on the wall"]


def test_captions_that_overlap_are_shown_together_in_their_order(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:01.000 --> 00:05.000\nb\n\n00:01.000 --> 00:05.000\na\n\n00:00.500 --> 00:03.000\nfirst\n"
    assert shown(tmp_path, content, 2_000, 4_000) == ["first\nb\na", "b\na"]


def test_all_that_are_due_at_once_are_shown_or_the_file_is_refused(tmp_path: Path) -> None:
    cues = [f"00:01.000 --> 00:05.000\nvoice {number}\n" for number in range(13)]
    words = "\n".join(f"voice {number}" for number in range(12))
    assert shown(tmp_path, "WEBVTT\n\n" + "\n".join(cues[:12]), 2_000) == [words]
    with pytest.raises(BadFile, match="more than 12 captions at once in line 39"):
        taken(tmp_path, "WEBVTT\n\n" + "\n".join(cues))


def test_characters_that_stand_for_others_are_shown(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:01.000 --> 00:02.000\nTom &amp; Léa &lt;b&gt; 1 &lt; 2&nbsp;&#233; I <3 it, 4 < 5<br>AT&T\n"
    assert shown(tmp_path, content, 1_500) == ["Tom & Léa <b> 1 < 2\xa0é I <3 it, 4 < 5\nAT&T"]


@pytest.mark.parametrize(
    "between", [*map(chr, range(1, 32)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"]
)
def test_no_character_that_cannot_be_seen_joins_the_words_around_it(tmp_path: Path, between: str) -> None:
    (text,) = shown(tmp_path, f"WEBVTT\n\n00:01.000 --> 00:04.000\nCome{between}in.\n", 2_000)
    assert text.split() == ["Come", "in."]
    assert text in ("Come in.", "Come\nin.")


@pytest.mark.parametrize("between", ["\v", "\f", "\x85", "\u2028", "\u2029", "\n", "\r"])
def test_what_ends_a_line_in_unicode_ends_one_of_a_caption(tmp_path: Path, between: str) -> None:
    (text,) = shown(tmp_path, f"WEBVTT\n\n00:01.000 --> 00:04.000\nCome{between}in.\n", 2_000)
    assert text == "Come\nin."


def test_words_after_an_empty_line_stay_with_their_caption(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n\nTwo\n\nNOTE canary\n\ncanary\n\n00:03.000 --> 00:04.000\nThree\n"
    assert shown(tmp_path, content, 1_500, 3_500) == ["One\nTwo", "Three"]
    assert "canary" not in taken(tmp_path, content)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20).filter(
    lambda text: text == text.strip() and bool(text.strip())
)
CUES = st.lists(
    st.tuples(st.integers(0, 50_000), st.integers(1, 9_000), st.lists(WORDS, min_size=1, max_size=3)),
    min_size=1,
    max_size=8,
    unique_by=lambda cue: cue[0],
)


@given(CUES)
def test_what_the_server_takes_the_player_shows(tmp_path_factory: pytest.TempPathFactory, cues: list) -> None:  # type: ignore[type-arg]
    file = written(
        Cue(1, start, start + length, "align:start", "\n".join(lines)) for start, length, lines in cues
    )
    folder = tmp_path_factory.mktemp("c")
    starts = [start for start, _length, _lines in cues]
    for (_start, _length, lines), text in zip(cues, shown(folder, file, *starts), strict=True):
        assert ("\n" + text + "\n").endswith("\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("WEBVTT\n\n00:00:01.000 -> 00:00:02.000\nHi\n", "line 3"),
        ("WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nHi\n", "line 3 that cannot be read: 00:00:01,000"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\n2\n00:61.000 --> 00:62.000\nHi\n", "line 7"),
        ("WEBVTT\r\n\r\n1\r\n00:01.000 --> soon\r\nHi\r\n", "line 4"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nfrom A --> to B\n", "line 4"),
        ("WEBVTT\n\n00:00:59.000 --> 00:01:00.000\nx\n\n00:01:09.000 --> 00:01:10.000\nLate\n", "line 6"),
        ("WEBVTT\n\n\n00:00:02.000 --> 00:00:01.000\nBackwards\n", "line 4 that ends before it begins"),
        ("WEBVTT\n", "no caption"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<c></c>\n", "no caption"),
        ("WEBVTTX\n\n00:01.000 --> 00:02.000\nHi\n", "line 1"),
        ("\nWEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "line 1"),
        ("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\né\n".encode("cp1252"), "not in UTF-8 (line 4)"),
        ("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\né\n".encode("utf-16"), "UTF-16"),
        ("WEBVTT\n\n" + "NOTE x\n\n" * 200_000, "more than 1 MB"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n" + "&" * 400_000, "more than 1 MB"),
        (b"", "empty"),
    ],
)
def test_captions_that_cannot_be_shown_are_refused_with_line_and_cause(
    tmp_path: Path, content: str | bytes, what: str
) -> None:
    with pytest.raises(BadFile) as refused:
        check_captions(captions(tmp_path, content), VIDEO_MS)
    assert "c.vtt" in refused.value.what
    assert what in refused.value.what
    assert refused.value.what_to_do


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", ["c.vtt", "-it's a: c.vtt"])
def test_subrip_captions_are_refused_with_the_command_that_converts_them(tmp_path: Path, name: str) -> None:
    path = captions(
        tmp_path,
        "1\r\n00:00:01,000 --> 00:00:01,800\r\nYes.\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nNo.\r\n",
        name,
    )
    with pytest.raises(BadFile, match="SubRip") as refused:
        check_captions(path, VIDEO_MS)
    converted = advised(refused.value.what_to_do, tmp_path)
    assert shown(tmp_path, converted.read_bytes(), 1_500, 2_500) == ["Yes.", "No."]
