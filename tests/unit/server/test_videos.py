"""Videos as people have them are published, or refused with what is unusual and a command that helps."""

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image, ImageStat

from server.media.checks import BadFile
from server.media.video import check_video
from tests.support import odd_videos
from tests.support.odd_videos import CANARY, advised, finds_damage, silent, sounding, trimmed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]

Make = Callable[[Path], Path]
OPEN_GROUPS = "-x264-params open-gop=1:bframes=3:b-adapt=0:keyint=12:min-keyint=12:scenecut=0 -preset medium"
LAST_FRAME_OF_NO_LENGTH = "-bsf:v 'setts=pts=PTS:dts=DTS:duration=0'"

AT_A_THIRD = "-vf 'select=gte(t\\,2/3)' -frames:v 1"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: sounding(folder, "f.mp4", sound_s=14), id="the sound is longer"),
        pytest.param(lambda folder: sounding(folder, "f.mp4", picture_s=14), id="the picture is longer"),
        pytest.param(lambda folder: odd_videos.slides(folder, "f.mp4"), id="slides"),
        pytest.param(
            lambda folder: sounding(folder, "f.mp4", options="-frames:v 1", sound_s=9), id="one picture"
        ),
        pytest.param(lambda folder: odd_videos.uneven(folder, "f.mp4"), id="uneven"),
        pytest.param(lambda folder: silent(folder, "f.mp4", options=OPEN_GROUPS), id="open groups"),
        pytest.param(
            lambda folder: silent(folder, "f.mp4", options="-bf 3 -preset medium"), id="pictures out of order"
        ),
        pytest.param(
            lambda folder: silent(folder, "f.mp4", options=LAST_FRAME_OF_NO_LENGTH),
            id="a last picture of no length",
        ),
        pytest.param(
            lambda folder: sounding(folder, "f.mp4", options="-output_ts_offset 3"), id="it begins late"
        ),
        pytest.param(
            lambda folder: silent(
                folder, "f.mp4", source="-f lavfi -i testsrc2=size=160x90:rate=60.1:duration=1"
            ),
            id="a camera's sixty",
        ),
        pytest.param(lambda folder: odd_videos.telling(folder, "f.mp4"), id="further tracks"),
    ],
)
def test_a_video_that_ffmpeg_plays_without_a_fault_is_published(tmp_path: Path, make: Make) -> None:
    source = make(tmp_path)
    assert not finds_damage(source)
    video = check_video(source)
    with Image.open(io.BytesIO(video.poster.content)) as poster:
        assert poster.size == (160, 90)
    with av.open(str(source)) as container:
        assert video.file.duration_ms == pytest.approx((container.duration or 0) / 1000, abs=120)
    published = tmp_path / "published.mp4"
    published.write_bytes(video.file.content)
    assert not finds_damage(published)
    assert pictures_in(published) == pictures_in(source)


def pictures_in(source: Path) -> int:
    with av.open(str(source)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_video_of_a_phone_that_was_turned_is_upright(tmp_path: Path, degrees: int) -> None:
    source = odd_videos.turned(tmp_path, "f.mp4", degrees)
    video = check_video(source)
    odd_videos.ffmpeg(f"-i f.mp4 {AT_A_THIRD} upright.png", tmp_path)
    with (
        Image.open(tmp_path / "upright.png") as upright,
        Image.open(io.BytesIO(video.poster.content)) as poster,
    ):
        assert upright.size == poster.size == (video.file.width, video.file.height)
        assert corner(poster) == pytest.approx(corner(upright), abs=60)
    published = tmp_path / "published.mp4"
    published.write_bytes(video.file.content)
    odd_videos.ffmpeg(f"-i published.mp4 {AT_A_THIRD} again.png", tmp_path)
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "upright.png").read_bytes()


def corner(picture: Image.Image) -> list[float]:
    """The mean of each colour in the first eighth of the picture; testsrc2 has another one in each corner."""
    part = picture.convert("RGB").crop((0, 0, picture.width // 8, picture.height // 8))
    return ImageStat.Stat(part).mean


def test_nothing_that_was_written_beside_picture_and_sound_travels(tmp_path: Path) -> None:
    source = odd_videos.telling(tmp_path, "f.mp4")
    content = source.read_bytes()
    assert content.count(CANARY.encode()) >= 4
    video = check_video(source)
    assert CANARY.encode() not in video.file.content
    assert b"45.76" not in video.file.content
    with av.open(io.BytesIO(video.file.content)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert not container.chapters()


MARK = "086f3693-b7b3-4f2c-9653-21492feee5b8"


@pytest.mark.parametrize("options", ["", OPEN_GROUPS])
def test_what_a_camera_writes_between_the_pictures_does_not_travel(tmp_path: Path, options: str) -> None:
    notes = f"-bsf:v 'h264_metadata=sei_user_data={MARK}+{CANARY}'"
    source = silent(tmp_path, "f.mp4", options=f"{options} {notes}")
    assert CANARY.encode() in source.read_bytes()
    published = tmp_path / "published.mp4"
    published.write_bytes(check_video(source).file.content)
    assert CANARY.encode() not in published.read_bytes()
    assert b"x264" not in published.read_bytes()
    assert not finds_damage(published)
    assert pixels_of(published) == pixels_of(source)


def pixels_of(source: Path) -> list[bytes]:
    with av.open(str(source)) as container:
        return [bytes(frame.planes[0]) for frame in container.decode(video=0)]


def odd(folder: Path) -> Path:
    source = "-f lavfi -i testsrc2=size=161x91:rate=25:duration=1"
    return silent(folder, "f.mp4", source=source, options="-pix_fmt yuv444p")


def test_what_an_edit_list_hides_does_not_travel(tmp_path: Path) -> None:
    source = trimmed(tmp_path, "f.mp4")
    with pytest.raises(BadFile, match="edit list") as refused:
        check_video(source)
    video = check_video(advised(refused.value.what_to_do, tmp_path))
    assert video.file.duration_ms == pytest.approx(2_700, abs=120)


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize(
    ("duration", "begin"), [(2_000, -1), (0, -1), (0, 0), (0, 1_024), (1_000, 10**8)], ids=str
)
def test_an_edit_list_that_hides_all_is_named_and_the_command_shows_all(
    tmp_path: Path, duration: int, begin: int, sound: bool
) -> None:
    """FFmpeg sees no picture in these."""
    source = odd_videos.edited(tmp_path, "f.mp4", duration, begin, sound=sound)
    with av.open(str(source)) as container:
        assert list(container.decode(video=0)) == []
    with pytest.raises(BadFile, match="shows no picture: its edit list hides all") as refused:
        check_video(source)
    video = check_video(advised(refused.value.what_to_do, tmp_path))
    assert video.file.duration_ms == pytest.approx(2_000, abs=120)


def test_an_edit_list_that_only_delays_is_taken(tmp_path: Path) -> None:
    video = check_video(odd_videos.edited(tmp_path, "f.mp4", 2_000, 1_024))
    assert video.file.duration_ms == pytest.approx(2_000, abs=120)


def test_sound_that_an_edit_list_hides_stays_behind(tmp_path: Path) -> None:
    whole = sounding(tmp_path, "whole.mp4", options="-g 1", picture_s=4, sound_s=4)
    odd_videos.ffmpeg(f"-i {whole.name} -an -c copy picture.mp4", tmp_path)
    odd_videos.ffmpeg("-ss 2.02 -i whole.mp4 -vn -c copy sound.m4a", tmp_path)
    odd_videos.ffmpeg("-i picture.mp4 -i sound.m4a -c copy f.mp4", tmp_path)
    video = check_video(tmp_path / "f.mp4")
    with av.open(io.BytesIO(video.file.content), options={"ignore_editlist": "1"}) as container:
        seconds = sum(packet.size > 0 for packet in container.demux(audio=0)) * 1024 / 48_000
    assert seconds == pytest.approx(2, abs=0.15)


def wide(folder: Path, name: str, options: str = "") -> Path:
    source = "-f lavfi -i testsrc2=size=160x120:rate=25:duration=1"
    return silent(folder, name, source=source, options=f"-vf setsar=4/3 {options}")


def large_and_fast(folder: Path, name: str) -> Path:
    source = "-f lavfi -i testsrc2=size=2200x1001:rate=100:duration=0.05"
    return silent(folder, name, source=source, options="-pix_fmt yuv444p -vf setsar=3/2")


@pytest.mark.parametrize(
    ("make", "what", "size"),
    [
        (lambda folder: trimmed(folder, "f.mp4"), "edit list", (160, 90)),
        (lambda folder: wide(folder, "f.mp4"), "not square", (212, 120)),
        (odd, "yuv444p", (160, 90)),
        (
            lambda folder: silent(
                folder, "f.mp4", source="-f lavfi -i testsrc2=size=160x90:rate=120:duration=1"
            ),
            "60 pictures a second",
            (160, 90),
        ),
        (
            lambda folder: silent(folder, "f.mp4", options="-movflags +frag_keyframe+empty_moov"),
            "fragments",
            (160, 90),
        ),
        (
            lambda folder: sounding(folder, "f.mp4", options="-map 0:v -map 1:a -map 1:a"),
            "2 sound tracks",
            (160, 90),
        ),
        (lambda folder: silent(folder, "f.mp4", codec="-c:v mpeg4"), "MPEG-4 Part 2", (160, 90)),
        (lambda folder: silent(folder, 'a video\'s "name": $1.mkv'), "Matroska", (160, 90)),
        (lambda folder: silent(folder, "./-f.mov"), "QuickTime", (160, 90)),
        (lambda folder: large_and_fast(folder, "f.mp4"), "yuv444p", (1920, 582)),
        (lambda folder: large_and_fast(folder, "f.mkv"), "Matroska", (1920, 582)),
        (
            lambda folder: wide(folder, "f.mp4", "-movflags +frag_keyframe+empty_moov"),
            "not square",
            (212, 120),
        ),
    ],
)
def test_a_refusal_names_what_is_unusual_and_one_command_that_helps(
    tmp_path: Path, make: Make, what: str, size: tuple[int, int]
) -> None:
    source = make_in(tmp_path, make)
    with pytest.raises(BadFile) as refused:
        check_video(source)
    assert what in refused.value.what
    video = check_video(advised(refused.value.what_to_do, tmp_path))
    assert (video.file.width, video.file.height) == pytest.approx(size, abs=2)


HEVC_10 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none"
H264_10 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le"


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67", "bt2020-10"])
@pytest.mark.parametrize(
    ("name", "codec", "what"),
    [
        ("f.mp4", odd_videos.H264, "HDR"),
        ("f.mp4", H264_10, "yuv420p10le"),
        ("f.mp4", HEVC_10, "HEVC"),
        ("f.mov", HEVC_10, "QuickTime"),
        ("f.mkv", HEVC_10, "Matroska"),
    ],
)
def test_a_video_of_high_dynamic_range_is_refused_with_one_command_that_brings_its_colours_to_screens(
    tmp_path: Path, name: str, codec: str, what: str, transfer: str
) -> None:
    source = odd_videos.bright(tmp_path, name, transfer, codec)
    with pytest.raises(BadFile) as refused:
        check_video(source)
    assert what in refused.value.what
    assert ("tonemap" in refused.value.what_to_do) == (transfer != "bt2020-10")
    result = advised(refused.value.what_to_do, tmp_path)
    video = check_video(result)
    with av.open(io.BytesIO(video.file.content)) as opened:
        context = opened.streams.video[0].codec_context
        assert (context.color_trc, context.color_primaries, context.colorspace) == (1, 1, 1)
    if transfer == "smpte2084":
        (brightness, *_) = ImageStat.Stat(Image.open(io.BytesIO(video.poster.content)).convert("L")).mean
        assert brightness > 165, "the white of a page is a grey no longer"


def make_in(folder: Path, make: Make) -> Path:
    return make(folder)


def test_damage_is_what_ffmpeg_finds_too(tmp_path: Path) -> None:
    whole = silent(tmp_path, "whole.mp4", options="-movflags +faststart").read_bytes()
    start = whole.index(b"mdat") + 4
    damaged = tmp_path / "f.mp4"
    for at in (0.2, 0.5, 0.95):
        place = start + round((len(whole) - start) * at)
        damaged.write_bytes(whole[:place] + bytes(len(whole) - place))
        assert finds_damage(damaged)
        with pytest.raises(BadFile, match="damaged"):
            check_video(damaged)


LIMITED = """
import resource, sys
from pathlib import Path
import tests.support.server.django_ready
from tests.support.memory import peak_mb
from server.media.checks import BadFile
from server.media.video import check_video
from server.core.errors import EnvironmentFault
room = int(sys.argv[2])
if room:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
try:
    check_video(Path(sys.argv[1]))
except (BadFile, EnvironmentFault) as refused:
    print(type(refused).__name__, refused)
else:
    print("published", peak_mb())
"""


def in_a_child(source: Path, room_bytes: int = 0) -> str:
    """What the check says in a process of its own: "published" and its peak in MB, or the refusal."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(source), str(room_bytes)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def one_key_frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    source = "-f lavfi -i color=teal:size=1920x1080:rate=30:duration=5"
    return silent(folder, "f.mp4", source=source, options="-g 100000 -sc_threshold 0")


def test_memory_does_not_grow_with_the_distance_of_key_frames(one_key_frame: Path) -> None:
    said = in_a_child(one_key_frame)
    assert said.startswith("published")
    assert int(said.split()[1]) < 250, "150 frames of 1920 × 1080 take 465 MB"


def test_too_little_memory_is_never_called_damage(one_key_frame: Path) -> None:
    said = {in_a_child(one_key_frame, megabytes << 20).split()[0] for megabytes in (4, 24)}
    assert said == {"EnvironmentFault"}
