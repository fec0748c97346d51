"""Makes the sample company's video and pictures: `python -m resources.sample.make_media FOLDER [--broken]`.

They are drawn, not stored: the repository holds no binary file. Only PyAV and Pillow are needed, and the same
versions of them give the same bytes. With `--broken` it also makes files that publishing must refuse.
"""

import argparse
import array
import math
import os
import shutil
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image

from resources.sample.drawing import gradient
from resources.sample.pictures import HEIGHT, WIDTH, open_days_picture, video_frame

VIDEO_SECONDS = 8
FRAMES_PER_SECOND = 25
POSTER_SECONDS = 6.6
SAMPLE_RATE = 44_100
_CAPTIONS = Path(__file__).parent / "captions"


def make_media(folder: Path) -> list[Path]:
    """Write the video with its poster and captions and the open-days picture into the folder.

    Returns the files. Raises OSError when the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lyon-studio.mp4"
    frames = (video_frame(number / FRAMES_PER_SECOND) for number in range(VIDEO_SECONDS * FRAMES_PER_SECOND))
    encode(
        path, frames, video_codec="libx264", options={"crf": "27", "preset": "veryfast", "tune": "animation"}
    )
    poster = folder / "lyon-studio.jpg"
    video_frame(POSTER_SECONDS).save(poster, quality=82, optimize=True)
    picture = folder / "open-days.png"
    open_days_picture().save(picture, optimize=True)
    captions = [
        Path(shutil.copyfile(source, folder / source.name)) for source in sorted(_CAPTIONS.glob("*.vtt"))
    ]
    return [path, poster, picture, *captions]


def make_broken(folder: Path) -> list[Path]:
    """Write small files that must be refused: another codec or container, cut short, or no video at all."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SVT_LOG", "-1")  # The AV1 encoder knows no other way to be quiet.
    made = [
        encode(folder / "av1.mp4", _short(), "libsvtav1", {"preset": "12", "svtav1-params": "lp=1"}),
        encode(folder / "vp9.mp4", _short(), "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        encode(
            folder / "hevc.mp4", _short(), "libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}
        ),
        encode(folder / "matroska.mkv", _short(), "libx264", {"preset": "ultrafast"}),
        encode(
            folder / "ten-bit.mp4", _short(), "libx264", {"preset": "ultrafast"}, pixel_format="yuv420p10le"
        ),
        encode(
            folder / "full-chroma.mp4", _short(), "libx264", {"preset": "ultrafast"}, pixel_format="yuv444p"
        ),
        encode(
            folder / "mp3-sound.mp4", _short(), "libx264", {"preset": "ultrafast"}, audio_codec="libmp3lame"
        ),
        encode(folder / "quicktime.mov", _short(), "libx264", {"preset": "ultrafast"}),
    ]
    good = encode(folder / "short.mp4", _short(), "libx264", {"preset": "ultrafast"}).read_bytes()
    contents = {
        "truncated.mp4": good[: len(good) * 2 // 3],
        "playlist.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        "polyglot.mp4": good + b"PK\x03\x04 an archive that hides behind a video",
        "text.mp4": b"This is no video.\n",
        "empty.mp4": b"",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [*made, folder / "short.mp4", *(folder / name for name in contents)]


def encode(
    path: Path,
    frames: Iterator[Image.Image],
    video_codec: str,
    options: dict[str, str],
    audio_codec: str = "aac",
    pixel_format: str = "yuv420p",
) -> Path:
    """Write the frames and a soft chord of the same length. The file's ending names the container."""
    container_options = {"movflags": "+faststart"} if path.suffix in {".mp4", ".mov"} else {}
    with av.open(str(path), "w", options={"fflags": "+bitexact", **container_options}) as container:
        video = container.add_stream(video_codec, rate=FRAMES_PER_SECOND, options=options)
        assert isinstance(video, VideoStream)
        video.pix_fmt = pixel_format
        video.codec_context.flags |= av.codec.context.Flags.bitexact
        video.codec_context.thread_count = 1
        audio = container.add_stream(audio_codec, rate=SAMPLE_RATE, layout="mono", bit_rate=64_000)
        assert isinstance(audio, AudioStream)
        audio.codec_context.flags |= av.codec.context.Flags.bitexact
        count = 0
        for image in frames:
            if count == 0:
                video.width, video.height = image.size
            picture = av.VideoFrame.from_bytes(image.convert("RGBA").tobytes(), *image.size)
            picture.pts, picture.time_base = count, Fraction(1, FRAMES_PER_SECOND)
            container.mux(video.encode(picture))
            count += 1
        container.mux(video.encode(None))
        for sound in _chord(count / FRAMES_PER_SECOND):
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return path


def _chord(seconds: float) -> Iterator[av.AudioFrame]:
    """Three soft notes that swell and fade, in frames of 1,024 samples."""
    total = round(seconds * SAMPLE_RATE)
    notes = ((261.63, 0.0), (329.63, seconds / 8), (392.0, seconds / 4))
    for start in range(0, total, 1024):
        samples = array.array("f", bytes(4 * min(1024, total - start)))
        for index in range(len(samples)):
            now = (start + index) / SAMPLE_RATE
            swell = math.sin(math.pi * now / seconds)
            tone = sum(math.sin(math.tau * pitch * now) for pitch, begin in notes if now >= begin)
            samples[index] = 0.06 * swell * tone
        frame = av.AudioFrame(format="fltp", layout="mono", samples=len(samples))
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame


def _short() -> Iterator[Image.Image]:
    """One second of a small moving gradient."""
    for number in range(FRAMES_PER_SECOND):
        yield gradient(WIDTH // 4, HEIGHT // 4 + 1, shift=number / FRAMES_PER_SECOND)


def main() -> int:
    """Make the files and name them on standard output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--broken", action="store_true", help="make files that must be refused as well")
    arguments = parser.parse_args()
    made = make_media(arguments.folder)
    if arguments.broken:
        made += make_broken(arguments.folder)
    for path in made:
        print(f"{path}  {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
