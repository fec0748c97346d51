"""Every screen looks as it was last accepted (`make gallery ARGS=--accept`): light and dark, English and French."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from tests.support.ui import references
from tests.support.ui.gallery_screens import SCREENS

ROOT = Path(__file__).resolve().parents[3]
DIFFERENCES = ROOT / "build" / "differences"
RENEW = "If it is meant to look so: make gallery ARGS='--accept {name}', and look at what changed."
DRAWING_TIMEOUT_S = 1_200
SCHEMES_AND_LANGUAGES = [f"{scheme}-{language}" for scheme in ("light", "dark") for language in ("en", "fr")]
ACCENT = "#0F766E"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every screen as it is now: small, and in full size in the folder `whole`."""
    folder = tmp_path_factory.mktemp("screens") / "now"
    command = [sys.executable, "-m", "tests.support.ui.gallery", "--small", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=DRAWING_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_looks_as_accepted(name: str, drawn: Path) -> None:
    found = []
    for variant in SCHEMES_AND_LANGUAGES:
        file = f"{name}-{variant}.png"
        assert (references.FOLDER / file).exists(), f"{file} was never accepted. {RENEW.format(name=name)}"
        difference = references.difference(drawn / file, references.FOLDER / file)
        if difference.too_much:
            DIFFERENCES.mkdir(parents=True, exist_ok=True)
            difference.picture.save(DIFFERENCES / file)
            found.append(f"{file}: {difference.share:.2%} differ, see {DIFFERENCES.relative_to(ROOT) / file}")
    assert not found, "\n".join([*found, RENEW.format(name=name)])


def test_a_button_of_another_colour_is_noticed(drawn: Path, tmp_path: Path) -> None:
    with Image.open(drawn / "whole" / "connect-light-en.png") as image:
        changed = image.convert("RGB")
    other_than_accent = ImageChops.difference(changed, Image.new("RGB", changed.size, ACCENT)).convert("L")
    changed.paste("#1E5AC8", mask=other_than_accent.point([255] + [0] * 255))
    assert noticed(changed, "connect-light-en.png", drawn, tmp_path)


def test_a_block_that_moved_by_a_few_pixels_is_noticed(drawn: Path, tmp_path: Path) -> None:
    with Image.open(drawn / "whole" / "inbox-light-en.png") as image:
        changed = image.convert("RGB")
    block = changed.crop((60, 160, 360, 260))
    changed.paste(block, (60, 166))
    assert noticed(changed, "inbox-light-en.png", drawn, tmp_path)


def test_nothing_is_kept_of_screens_that_are_no_more_and_all_stays_small() -> None:
    wanted = {f"{name}-{variant}.png" for name in SCREENS for variant in SCHEMES_AND_LANGUAGES}
    assert {path.name for path in references.FOLDER.glob("*.png")} == wanted
    assert references.total_bytes() < references.MOST_BYTES


def noticed(changed: Image.Image, name: str, drawn: Path, folder: Path) -> bool:
    changed.save(folder / name)
    return references.difference(
        references.write_small(folder / name, folder / "small"), drawn / name
    ).too_much
