"""`tidings-render` as a process: what it draws, what it refuses, and what it is kept from."""

import io
import json
import resource
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.ui.render_requests import COMMAND, ROOT, Media, campaign, picture, render, request

SHADOW = 28
WIDTH = 404 + 2 * SHADOW
ONE_PICTURE_S, FOUR_PICTURES_S = 1.5, 3.0


@pytest.fixture
def media(tmp_path: Path) -> Media:
    folder = tmp_path / "media"
    folder.mkdir()
    return Media(folder)


def drawn(asked: dict[str, Any], folder: Path) -> list[Image.Image]:
    """The pictures, in their order."""
    folder.mkdir(exist_ok=True)
    done = render(asked, str(folder))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return [
        Image.open(io.BytesIO((folder / f"{number}.png").read_bytes()))
        for number in range(1, len(asked["pictures"]) + 1)
    ]


def brightness(image: Image.Image) -> int:
    """Of the card, just beside its text."""
    red, green, blue, alpha = image.getpixel((SHADOW + 6, image.height - SHADOW - 6))  # type: ignore[misc]
    assert alpha == 255
    return max(red, green, blue)


def test_one_call_draws_a_popup_in_every_look(media: Media, tmp_path: Path) -> None:
    image = media.picture("studio", 1280, 720, "#cc2200")
    looks = [picture(), picture(scheme="dark"), picture(language="fr"), picture("popup", "ar", "light", 200)]
    asked = request(campaign(image=image), looks, media.paths())
    light, dark, french, large = drawn(asked, tmp_path / "drawn")
    assert light.width == dark.width == french.width == WIDTH
    assert large.width == 606 + 2 * SHADOW
    assert (brightness(light), brightness(dark)) == (0xFF, 0x23)
    assert light.getpixel((WIDTH // 2, SHADOW + 60)) == (0xCC, 0x22, 0x00, 0xFF)
    assert light.getpixel((0, 0))[3] < 10  # type: ignore[index]
    assert light.tobytes() != french.tobytes()


def test_each_window_that_shows_a_campaign_is_drawn(media: Media, tmp_path: Path) -> None:
    asked = request(
        campaign(video=media.video()),
        [picture(window) for window in ("popup", "inbox", "player")],
        media.paths(),
    )
    popup, inbox, player = drawn(asked, tmp_path / "drawn")
    assert popup.width == WIDTH
    assert inbox.size == (1120, 660)
    assert player.width > WIDTH
    urgent = request(campaign("emergency", acknowledge=True), [picture("emergency")])
    assert drawn(urgent, tmp_path / "urgent")[0].size == (1366, 768)


def test_the_same_request_gives_the_same_bytes(media: Media) -> None:
    image = media.picture("studio", 640, 360, "#cc2200")
    by_path = request(campaign(image=image), [picture()], media.paths())
    first, again = render(by_path), render(by_path)
    content = b64encode((media.folder / image["sha256"]).read_bytes()).decode()
    by_bytes = render(by_path | {"media": {image["sha256"]: {"content": content}}})
    assert first.returncode == 0
    assert Image.open(io.BytesIO(first.stdout)).format == "PNG"
    assert first.stdout == again.stdout == by_bytes.stdout


def test_a_text_in_a_language_without_windows_is_drawn_in_english_ones(tmp_path: Path) -> None:
    content = campaign()
    both = drawn(request(content, [picture(language="ar"), picture()]), tmp_path / "both")
    only_arabic = content | {"variants": {"ar": content["variants"]["ar"]}, "default_language": "ar"}
    alone = drawn(request(only_arabic, [picture(language="en")]), tmp_path / "alone")
    assert alone[0].tobytes() == both[0].tobytes() != both[1].tobytes()


def _with(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(asked: dict[str, Any]) -> None:
        *folders, last = path.split(".")
        for name in folders:
            asked = asked[name]
        asked[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_with("v", 2), "rendering.md"),
        (_with("extra", 1), "extra"),
        (_with("company.name", ""), "company.name"),
        (_with("campaign.urgency", "loud"), "urgency"),
        (_with("campaign.variants", {}), "text in its own language"),
        (_with("pictures", []), "pictures"),
        (_with("pictures", [picture()] * 2), "need a folder"),
        (_with("pictures", [picture() | {"text_scale": 300}]), "text_scale"),
        (_with("pictures", [picture("emergency")]), "has no window “emergency”"),
        (_with("pictures", [picture("player")]), "has no window “player”"),
        (_with("campaign.urgency", "silent"), "has no window “popup”"),
        (_with("media", {"a" * 64: {"path": "/dev/zero"}}), "not that of a file"),
        (_with("media", {"a" * 64: {"path": "/nowhere/at/all"}}), "cannot be read"),
        (_with("media", {"a" * 64: {}}), "either a path or its content"),
    ],
)
def test_what_no_screen_shows_is_refused_in_words(
    change: Callable[[dict[str, Any]], None], said: str
) -> None:
    asked = request(campaign(), [picture()])
    change(asked)
    done = render(asked)
    assert done.returncode == 2
    assert done.stdout == b""
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b'{"v": 1, "v": 1}', b"\xff\xfe"])
def test_what_is_no_request_is_refused_in_words(text: bytes) -> None:
    done = render(text)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"tidings-render: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_file_that_is_not_the_one_of_the_campaign_is_not_drawn(media: Media) -> None:
    image = media.picture("studio", 640, 360, "#cc2200")
    other = media.picture("other", 640, 360, "#cc2201")
    paths = media.paths() | {image["sha256"]: media.paths()[other["sha256"]]}
    done = render(request(campaign(image=image), [picture()], paths))
    assert done.returncode == 2
    assert "is not the one that the campaign names" in done.stderr.decode()


# What it is kept from

AFTER_IT_IS_CUT_OFF = """
import errno, socket, subprocess, threading
from ui.preview import confinement
confinement.cut_off()
def refused(call):
    try:
        call()
    except OSError as error:
        return error.errno == errno.EACCES
    return False
calls = [lambda family=family: socket.socket(family) for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)]
calls += [socket.socketpair, lambda: subprocess.run(["/bin/true"])]
found = [refused(call) for call in calls]
thread = threading.Thread(target=lambda: found.append(refused(calls[0])))
thread.start()
thread.join()
print(found)
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120
    )


def test_neither_a_socket_nor_a_program_can_be_had_once_it_is_cut_off() -> None:
    assert python(AFTER_IT_IS_CUT_OFF).stdout.strip() == str([True] * 6)


def test_no_connection_is_made_and_no_file_of_the_person_is_looked_at(media: Media, tmp_path: Path) -> None:
    home, trace = tmp_path / "home", tmp_path / "trace"
    (home / ".config" / "fontconfig").mkdir(parents=True)
    (home / ".config" / "fontconfig" / "fonts.conf").write_text("<fontconfig/>")
    bus = f"unix:path={home / 'bus'}"
    asked = request(campaign(video=media.video()), [picture()], media.paths())
    done = render(
        asked,
        command=("strace", "-f", "-qq", "-e", "trace=%network,%file,%process", "-o", str(trace), *COMMAND),
        HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"), XDG_RUNTIME_DIR=str(home),
        DBUS_SESSION_BUS_ADDRESS=bus, DISPLAY=":77", WAYLAND_DISPLAY="wayland-0", QT_QPA_PLATFORMTHEME="gtk3",
        QT_STYLE_OVERRIDE="windows", QT_SCALE_FACTOR="2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Image.open(io.BytesIO(done.stdout)).width == WIDTH
    lines = trace.read_text(errors="replace").splitlines()
    begun = next(number for number, line in enumerate(lines) if "libQt6Gui" in line)
    asked_for = [
        line for line in lines if any(f" {call}(" in line for call in ("socket", "connect", "socketpair"))
    ]
    assert [line for line in asked_for if " = -1 " not in line] == []
    assert [line for line in lines[begun:] if str(home) in line] == []


def test_too_much_memory_is_refused() -> None:
    done = python("from ui.preview import confinement as c; c.limit(); bytearray(c.MEMORY_BYTES)")
    assert "MemoryError" in done.stderr


def test_too_long_is_ended_in_words() -> None:
    done = python("from ui.preview import confinement; confinement.limit(processor_s=0.5)\nwhile True: pass")
    assert done.returncode == 4
    assert "took too long" in done.stderr
    waits = python(
        "from ui.preview import confinement; confinement.limit(wall_s=0.5)\nimport time; time.sleep(60)"
    )
    assert waits.returncode == 4


def test_what_cannot_be_interrupted_is_ended_by_the_system() -> None:
    held = "import re; re.match('(a+)+$', 'a' * 60 + 'b')"
    code = f"from ui.preview import confinement; confinement.limit(processor_s=0.5)\n{held}"
    assert python(code).returncode < 0


def test_a_computer_without_qt_is_told_from_a_bad_request(tmp_path: Path) -> None:
    package = tmp_path / "PySide6"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('libEGL.so.1: cannot open shared object file')")
    done = render(request(campaign(), [picture()]), PYTHONPATH=str(tmp_path))
    assert done.returncode == 3
    assert "libEGL.so.1" in done.stderr.decode()


def test_the_command_explains_itself() -> None:
    done = render(b"", "--help")
    assert done.returncode == 0
    assert b"exit codes" in done.stdout


def processor_s(asked: dict[str, Any], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    drawn(asked, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_one_picture_and_four_take_no_longer_than_a_page_can_wait(media: Media, tmp_path: Path) -> None:
    content = campaign(image=media.picture("studio", 1920, 1080, "#cc2200"))
    looks = [
        picture(language=language, scheme=scheme) for language in ("en", "fr") for scheme in ("light", "dark")
    ]
    one = processor_s(request(content, looks[:1], media.paths()), tmp_path / "one")
    four = processor_s(request(content, looks, media.paths()), tmp_path / "four")
    print(json.dumps({"one": one, "four": four}))
    assert one < ONE_PICTURE_S
    assert four < FOUR_PICTURES_S
