"""What may be published: videos that every computer plays, pictures without a camera's notes, captions that fit."""

import io
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image, ImageCms

from resources.sample.drawing import gradient
from resources.sample.make_media import VIDEO_SECONDS, encode, make_broken
from server.campaigns.models import Media
from server.media.checks import BadFile
from server.media.images import MAX_SIDE, check_image
from server.media.video import check_video
from tests.support.server.sample import sample_media

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def samples() -> Path:
    return sample_media()


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    make_broken(folder)
    return folder


def refusal(check: Callable[[Path], object], path: Path) -> BadFile:
    with pytest.raises(BadFile) as refused:
        check(path)
    assert path.name in refused.value.what
    return refused.value


def test_the_sample_video_is_accepted_and_described(samples: Path) -> None:
    video = check_video(samples / "lyon-studio.mp4")
    assert video.file.type == Media.Type.MP4
    assert (video.file.width, video.file.height) == (960, 540)
    assert video.file.duration_ms == VIDEO_SECONDS * 1000
    with Image.open(io.BytesIO(video.poster.content)) as poster:
        assert (poster.format, poster.size) == ("JPEG", (960, 540))
        colours = poster.convert("RGB").getcolors(1 << 24) or []
        assert len(colours) > 1_000, "the poster shows nothing"


def test_the_sample_media_are_small(samples: Path) -> None:
    assert sum(file.stat().st_size for file in samples.iterdir()) < 1_000_000


@pytest.mark.parametrize(
    ("name", "what", "what_to_do"),
    [
        ("av1.mp4", "AV1", "ffmpeg -i av1.mp4"),
        ("vp9.mp4", "VP9", "ffmpeg -i vp9.mp4"),
        ("hevc.mp4", "HEVC", "ffmpeg -i hevc.mp4"),
        ("matroska.mkv", "Matroska", "ffmpeg -i matroska.mkv"),
        ("quicktime.mov", "QuickTime", "ffmpeg -i quicktime.mov"),
        ("ten-bit.mp4", "yuv420p10le", "-pix_fmt yuv420p"),
        ("full-chroma.mp4", "yuv444p", "-pix_fmt yuv420p"),
        ("mp3-sound.mp4", "mp3", "-c:a aac"),
        ("truncated.mp4", "cut short", "again"),
        ("polyglot.mp4", "besides the video", "ffmpeg"),
        ("playlist.mp4", "playlist", "the video itself"),
        ("text.mp4", "no MP4", "MP4"),
        ("empty.mp4", "empty", "again"),
    ],
)
def test_a_video_that_some_computer_cannot_play_is_refused_with_what_to_do(
    broken: Path, name: str, what: str, what_to_do: str
) -> None:
    refused = refusal(check_video, broken / name)
    assert what in refused.what
    assert what_to_do in refused.what_to_do


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", ["av1.mp4", "matroska.mkv", "ten-bit.mp4", "mp3-sound.mp4", "polyglot.mp4"])
def test_the_advised_command_makes_a_video_that_is_accepted(broken: Path, tmp_path: Path, name: str) -> None:
    source = shutil.copy(broken / name, tmp_path)
    command = shlex.split(refusal(check_video, Path(source)).what_to_do.partition(": ")[2])
    subprocess.run([*command, "-loglevel", "error"], cwd=tmp_path, check=True, timeout=60)
    assert check_video(tmp_path / command[-1]).file.width == 240


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_video_that_is_too_large_can_be_made_smaller_with_the_advised_command(tmp_path: Path) -> None:
    large = encode(
        tmp_path / "large.mp4", (gradient(2560, 1440) for _ in range(5)), "libx264", {"preset": "ultrafast"}
    )
    refused = refusal(check_video, large)
    assert "2560 × 1440" in refused.what
    command = shlex.split(refused.what_to_do.partition(": ")[2])
    subprocess.run([*command, "-loglevel", "error"], cwd=tmp_path, check=True, timeout=60)
    assert check_video(tmp_path / command[-1]).file.width == 1920


def test_a_video_that_is_too_long_is_refused(tmp_path: Path) -> None:
    image = gradient(32, 32)
    long = tmp_path / "long.mp4"
    with av.open(str(long), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(700):
            frame = av.VideoFrame.from_bytes(image.convert("RGBA").tobytes(), 32, 32)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    refused = refusal(check_video, long)
    assert "700 seconds" in refused.what
    assert "600" in refused.what_to_do


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_video_whose_end_is_missing_inside_is_refused(samples: Path, tmp_path: Path, kept: float) -> None:
    content = (samples / "lyon-studio.mp4").read_bytes()
    start = int(len(content) * kept)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content[:start] + bytes(len(content) - start))
    assert "damaged" in refusal(check_video, damaged).what


@pytest.mark.parametrize("kept", [0.001, 0.1, 0.5, 0.999])
def test_a_video_that_was_cut_short_is_refused(samples: Path, tmp_path: Path, kept: float) -> None:
    content = (samples / "lyon-studio.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: int(len(content) * kept)])
    refusal(check_video, cut)


def test_places_and_names_in_a_video_stay_behind(samples: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.mp4"
    with av.open(str(samples / "lyon-studio.mp4")) as source, av.open(str(told), "w") as target:
        target.metadata.update({"location": "+45.7640+004.8357/", "artist": "Canary Owner"})
        copies = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    assert b"Canary Owner" in told.read_bytes()
    published = check_video(told).file.content
    assert b"Canary" not in published
    assert b"45.76" not in published


def test_a_published_video_starts_before_it_has_arrived_whole(samples: Path) -> None:
    content = check_video(samples / "lyon-studio.mp4").file.content
    assert content.index(b"moov") < content.index(b"mdat")


def test_the_same_video_is_published_under_the_same_hash(samples: Path) -> None:
    path = samples / "lyon-studio.mp4"
    assert check_video(path).file.content == check_video(path).file.content


def test_a_video_without_sound_is_accepted(tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    image = gradient(64, 64).convert("RGBA").tobytes()
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(25):
            container.mux(stream.encode(av.VideoFrame.from_bytes(image, 64, 64)))
        container.mux(stream.encode(None))
    assert check_video(silent).file.duration_ms == 1000


def photograph(path: Path, **options: object) -> Path:
    """A photograph with a place, a name and an orientation on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x013B] = "Canary Owner"
    exif.get_ifd(0x8825)[2] = (45.0, 45.0, 50.0)
    gradient(400, 300).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [("p.jpg", Media.Type.JPEG), ("p.png", Media.Type.PNG), ("p.webp", Media.Type.WEBP)],
)
def test_a_picture_is_upright_and_tells_nothing_of_place_or_owner(
    tmp_path: Path, name: str, kind: Media.Type
) -> None:
    path = photograph(tmp_path / name)
    assert b"Canary" in path.read_bytes()
    image = check_image(path)
    assert (image.type, image.width, image.height) == (kind, 300, 400)
    assert b"Canary" not in image.content
    with Image.open(io.BytesIO(image.content)) as published:
        assert not published.getexif()
        assert published.size == (300, 400)


def test_a_picture_with_a_colour_profile_of_its_own_is_turned_into_srgb(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    rgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    gradient(40, 30).save(path, icc_profile=rgb.tobytes())
    with Image.open(io.BytesIO(check_image(path).content)) as published:
        assert "icc_profile" not in published.info
    gradient(40, 30).save(path, icc_profile=profile.tobytes())  # a profile that does not fit
    assert check_image(path).width == 40


def test_transparency_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.new("RGBA", (20, 20), (0, 128, 0, 100)).save(path)
    with Image.open(io.BytesIO(check_image(path).content)) as published:
        assert published.getpixel((5, 5)) == (0, 128, 0, 100)


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    gradient(4000, 3000).save(path)
    image = check_image(path)
    assert (image.width, image.height) == (MAX_SIDE, 1440)


def animation(path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def bomb(path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(path)


def large(path: Path) -> None:
    Image.new("1", (10_000, 10_000)).save(path)


def cut(path: Path) -> None:
    whole = photograph(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("name", "make", "what"),
    [
        ("animated.webp", animation, "animation"),
        ("animated.png", animation, "animation"),
        ("bomb.png", bomb, "40 million"),
        ("large.png", large, "40 million"),
        ("cut.jpg", cut, "damaged"),
        ("cut.png", cut, "damaged"),
        ("vector.svg", lambda path: path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>"), "no PNG"),
        ("moving.gif", lambda path: Image.new("P", (8, 8)).save(path), "no PNG"),
        ("disguised.png", lambda path: Image.new("P", (8, 8)).save(path, "GIF"), "no PNG"),
        ("empty.png", lambda path: path.touch(), "empty"),
    ],
)
def test_a_picture_that_cannot_be_published_is_refused_with_what_to_do(
    tmp_path: Path, name: str, make: Callable[[Path], object], what: str
) -> None:
    path = tmp_path / name
    make(path)
    refused = refusal(check_image, path)
    assert what in refused.what
    assert refused.what_to_do
