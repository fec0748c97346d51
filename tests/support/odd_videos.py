"""Videos as cameras, editors and recorders write them, made small with ffmpeg."""

import shlex
import subprocess
from pathlib import Path

PICTURE = "-f lavfi -i testsrc2=size=160x90:rate=25:duration={seconds}"
SOUND = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration={seconds}"
H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
AAC = "-c:a aac -b:a 64k"
CANARY = "Canary Owner"


def ffmpeg(arguments: str, folder: Path) -> None:
    """Run ffmpeg in a folder. Raises CalledProcessError."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", *shlex.split(arguments)],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )


def advised(what_to_do: str, folder: Path) -> Path:
    """Run the command that a refusal advises, as a shell does. Its result."""
    command = what_to_do.partition(": ")[2]
    assert command.startswith("ffmpeg "), what_to_do
    subprocess.run(
        command + " -nostdin -y -v error",
        shell=True,
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder / shlex.split(command)[-1]


def finds_damage(video: Path) -> bool:
    """Whether ffmpeg itself finds something wrong."""
    command = ["ffmpeg", "-v", "error", "-xerror", "-nostdin", "-i", str(video), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    return bool(done.returncode or done.stderr)


def sounding(folder: Path, name: str, *, options: str = "", picture_s: float = 2, sound_s: float = 2) -> Path:
    """A video with sound, of ``picture_s`` and ``sound_s`` seconds."""
    inputs = f"{PICTURE.format(seconds=picture_s)} {SOUND.format(seconds=sound_s)}"
    ffmpeg(f"{inputs} {H264} {AAC} {options} {name}", folder)
    return folder / name


def silent(folder: Path, name: str, *, source: str = "", options: str = "", codec: str = H264) -> Path:
    """A video without sound."""
    ffmpeg(f"{source or PICTURE.format(seconds=2)} {codec} {options} {shlex.quote(f'file:{name}')}", folder)
    return folder / name


def bright(folder: Path, name: str, transfer: str, codec: str = H264, primaries: str = "bt2020") -> Path:
    """A grey video of high dynamic range: 58 % of the signal of PQ is the white of a page, about 200 cd/m²."""
    colours = f"-color_primaries {primaries} -color_trc {transfer} -colorspace bt2020nc"
    source = "-f lavfi -i color=c=0x949494:size=160x90:rate=25:duration=1"
    return silent(folder, name, source=source, codec=codec, options=colours)


def slides(folder: Path, name: str) -> Path:
    """Four pictures of five seconds, under a sound of twenty."""
    source = "-f lavfi -i testsrc2=size=160x90:rate=1/5:duration=20"
    ffmpeg(f"{source} {SOUND.format(seconds=20)} {H264} {AAC} {name}", folder)
    return folder / name


def uneven(folder: Path, name: str) -> Path:
    """A video whose pictures stay for different times."""
    keep = "select='not(mod(n\\,7))+not(mod(n\\,5))'"
    ffmpeg(f'{PICTURE.format(seconds=4)} -vf "{keep}" -vsync vfr {H264} {name}', folder)
    return folder / name


def turned(folder: Path, name: str, degrees: int) -> Path:
    """A video from a phone that was held upright."""
    whole = silent(folder, f"lying-{name}")
    ffmpeg(f"-i {whole.name} -c copy -metadata:s:v:0 rotate={degrees} {name}", folder)
    return folder / name


def telling(folder: Path, name: str) -> Path:
    """A video with a place, names, chapters, a cover, a time code and a track of texts, each with the canary."""
    (folder / "notes.txt").write_text(
        f";FFMETADATA1\ntitle={CANARY}\nartist={CANARY}\nlocation=+45.7640+004.8357/\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle={CANARY}\n"
    )
    (folder / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{CANARY} 45.7640\n")
    whole = sounding(folder, f"plain-{name}")
    ffmpeg(f"-f lavfi -i color=red:size=64x64 -frames:v 1 cover-{name}.png", folder)
    ffmpeg(
        f"-i {whole.name} -i notes.txt -i words.srt -i cover-{name}.png -map 0:v -map 0:a -map 2 -map 3 "
        f"-map_metadata 1 -c copy -c:s mov_text -disposition:v:1 attached_pic -timecode 01:02:03:04 "
        f"-metadata:s:v:0 handler_name='{CANARY}' -metadata:s:a:0 handler_name='{CANARY}' "
        f"-metadata:s:a:0 title='{CANARY}' -movflags +use_metadata_tags {name}",
        folder,
    )
    return folder / name


def edited(folder: Path, name: str, duration: int, begin: int, *, sound: bool = False) -> Path:
    """A video whose picture has one edit: that long (in 1/1,000 s) from ``begin`` on (in ticks; -1: nothing is shown)."""
    make = sounding if sound else silent
    video = make(folder, name, options="-bf 3 -preset medium")
    content = bytearray(video.read_bytes())
    at = content.index(b"elst") + 8
    assert content[at : at + 4] == (1).to_bytes(4, "big")
    content[at + 4 : at + 12] = duration.to_bytes(4, "big") + (begin % 2**32).to_bytes(4, "big")
    video.write_bytes(content)
    return video


def trimmed(folder: Path, name: str, options: str = "-c copy") -> Path:
    """A video whose beginning was cut away without encoding: it is in the file, and an edit list hides it."""
    whole = sounding(folder, f"whole-{name}", options="-g 250", picture_s=4, sound_s=4)
    ffmpeg(f"-ss 1.3 -i {whole.name} {options} {name}", folder)
    return folder / name
