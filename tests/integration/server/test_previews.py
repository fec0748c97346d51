"""True pictures of a draft: drawn by the agent's program, one at a time, kept, and missed without harm."""

import fcntl
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import override_settings
from PIL import Image

from server.directory.models import Company
from server.previews import renderer
from server.previews.pictures import Look, pictures, windows_of
from server.previews.renderer import Limits, Unavailable
from tests.support.server import django_ready  # noqa: F401
from tests.support.ui.render_requests import ROOT, Media, campaign

REAL = [sys.executable, "-m", "ui.preview"]
LIMITS = Limits(wait_s=120, draw_s=120)
POPUP = Look("popup", "en")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with override_settings(
        PREVIEW_FOLDER=tmp_path / "previews", MEDIA_FOLDER=tmp_path / "media", RENDER_COMMAND=REAL
    ):
        caches["previews"].clear()
        yield tmp_path


@pytest.fixture
def company() -> Company:
    return Company(id="northwind", name="Northwind", accent="#0F766E")


def program(folder: Path, *lines: str) -> list[str]:
    """A program in place of the real one; it is given a folder as $1."""
    path = folder / "program"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o700)
    return [str(path)]


def counting(folder: Path) -> list[str]:
    """The real one, each start of which is a line in a file."""
    return program(folder, f'echo start >> "{folder}/starts"', f'exec "{sys.executable}" -m ui.preview "$@"')


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text().splitlines())


def test_a_draft_is_drawn_by_the_agents_own_program(folder: Path, company: Company) -> None:
    media = Media(folder / "drafts")
    media.folder.mkdir()
    image = media.picture("studio", 1280, 720, "#cc2200")
    files = {image["sha256"]: media.folder / image["sha256"]}
    light, dark = pictures(
        company, campaign(image=image), files, [POPUP, Look("popup", "fr", "dark")], limits=LIMITS
    )
    drawn = Image.open(io.BytesIO(light))
    assert drawn.getpixel((drawn.width // 2, 90)) == (0xCC, 0x22, 0x00, 0xFF)
    assert light != dark


def test_the_logo_of_the_company_is_in_the_picture(folder: Path, company: Company) -> None:
    media = Media(folder / "media" / "northwind")
    media.folder.mkdir(parents=True)
    logo = media.picture("logo", 96, 96, "#3366cc")
    sub = media.folder / logo["sha256"][:2]
    sub.mkdir()
    (media.folder / logo["sha256"]).rename(sub / logo["sha256"])
    company.logo = {key: logo[key] for key in logo if key != "alt"}
    drawn = Image.open(io.BytesIO(pictures(company, campaign(), {}, [POPUP], limits=LIMITS)[0]))
    assert (0x33, 0x66, 0xCC, 0xFF) in {drawn.getpixel((x, 51)) for x in range(28, 80)}


def test_what_was_drawn_is_not_drawn_again_until_something_of_it_changes(
    folder: Path, company: Company
) -> None:
    with override_settings(RENDER_COMMAND=counting(folder)):
        first = pictures(company, campaign(), {}, [POPUP], limits=LIMITS)
        again = pictures(company, campaign(), {}, [POPUP], limits=LIMITS)
        both = pictures(company, campaign(), {}, [Look("inbox", "en"), POPUP], limits=LIMITS)
        assert first == again == both[1:]
        assert starts(folder) == 2
        assert pictures(company, campaign(body="Another text"), {}, [POPUP], limits=LIMITS) != first
        company.accent = "#AA0000"
        assert pictures(company, campaign(), {}, [POPUP], limits=LIMITS) != first
        assert starts(folder) == 4


def test_no_picture_stays_on_the_disk(folder: Path, company: Company) -> None:
    pictures(company, campaign(), {}, [POPUP], limits=LIMITS)
    assert [path.name for path in (folder / "previews").iterdir()] == ["lock"]
    assert (folder / "previews").stat().st_mode & 0o077 == 0


def test_who_comes_while_many_wait_is_told_at_once(folder: Path, company: Company) -> None:
    with ExitStack() as waiting:
        for _ in range(renderer.MOST_WAITING):
            waiting.enter_context(renderer.place())
        with pytest.raises(Unavailable, match="Other pictures are being drawn"):
            pictures(company, campaign(), {}, [POPUP], limits=LIMITS)
    assert pictures(company, campaign(), {}, [POPUP], limits=LIMITS)


def test_one_process_draws_at_a_time(folder: Path, company: Company) -> None:
    here, overlap = folder / "here", folder / "overlap"
    command = program(
        folder,
        f'mkdir "{here}" || touch "{overlap}"',
        "cat > /dev/null",
        'echo png > "$1/1.png"',
        f'rmdir "{here}"',
    )
    drawn: list[list[bytes]] = []

    def draw(number: int) -> None:
        drawn.append(pictures(company, campaign(body=str(number)), {}, [POPUP], limits=LIMITS))

    with override_settings(RENDER_COMMAND=command):
        threads = [threading.Thread(target=draw, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert drawn == [[b"png\n"]] * 6
    assert not overlap.exists()


def test_who_would_wait_too_long_is_told(folder: Path, company: Company) -> None:
    (folder / "previews").mkdir()
    with (folder / "previews" / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="Other pictures are being drawn"):
            pictures(company, campaign(), {}, [POPUP], limits=Limits(wait_s=0.1, draw_s=60))


@pytest.mark.expected_logs("tidings-render: ")
def test_a_program_that_does_not_end_is_ended(folder: Path, company: Company) -> None:
    command = program(folder, f'echo $$ > "{folder}/pid"', "exec sleep 600")
    with (
        override_settings(RENDER_COMMAND=command),
        pytest.raises(Unavailable, match="took too long"),
    ):
        pictures(company, campaign(), {}, [POPUP], limits=Limits(wait_s=60, draw_s=5))
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)
    assert [path.name for path in (folder / "previews").iterdir()] == ["lock"]


@pytest.mark.expected_logs("tidings-render: ", "Pictures were given up")
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["exit 3"], "cannot draw the program's own windows"),
        (["exit 4"], "took too long"),
        (["kill -9 $$"], "took too long"),
        (["exit 1"], "could not be drawn"),
        (["exit 0"], "could not be drawn"),
    ],
)
def test_each_failure_has_its_words_and_leaves_nothing(
    folder: Path, company: Company, lines: list[str], said: str
) -> None:
    with override_settings(RENDER_COMMAND=program(folder, *lines)), pytest.raises(Unavailable, match=said):
        pictures(company, campaign(), {}, [POPUP], limits=LIMITS)
    assert [path.name for path in (folder / "previews").iterdir()] == ["lock"]


@pytest.mark.expected_logs("tidings-render: ")
def test_a_server_without_the_program_says_so(folder: Path, company: Company) -> None:
    with (
        override_settings(RENDER_COMMAND=[str(folder / "nowhere")]),
        pytest.raises(Unavailable, match="cannot draw the program's own windows"),
    ):
        pictures(company, campaign(), {}, [POPUP], limits=LIMITS)


def test_the_program_learns_nothing_of_the_servers_environment(
    folder: Path, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/name")
    with override_settings(RENDER_COMMAND=program(folder, 'env > "$1/1.png"')):
        seen = pictures(company, campaign(), {}, [POPUP], limits=LIMITS)[0].decode()
    assert "PATH=" in seen
    assert "secret" not in seen


def test_the_server_and_its_console_start_without_qt(tmp_path: Path) -> None:
    package = tmp_path / "without" / "PySide6"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('no Qt')")
    code = "import django; django.setup(); import server.urls, server.console.urls, server.previews.pictures, sys\n"
    code += "print([name for name in sys.modules if name.split('.')[0] in ('ui', 'agent')])"
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path / 'without'}:{ROOT}",
        "TIDINGS_SERVER_DATA": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "server.console.settings",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == "[]", done.stderr


VIDEO = {"sha256": "b" * 64}


@pytest.mark.parametrize(
    ("urgency", "media", "windows"),
    [
        ("normal", {}, ("popup", "inbox")),
        ("urgent", {"video": VIDEO}, ("popup", "inbox", "player")),
        ("silent", {}, ("inbox",)),
        ("emergency", {}, ("emergency", "inbox")),
    ],
)
def test_only_windows_that_show_it_are_offered(
    urgency: str, media: dict[str, Any], windows: tuple[str, ...]
) -> None:
    assert windows_of(campaign(urgency, **media), "de") == windows
