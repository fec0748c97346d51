"""Whatever somebody uploads is accepted or refused with a reason. Nothing else comes out of a check."""

import random
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resources.sample.drawing import gradient
from resources.sample.make_media import encode
from server.core.errors import Refused
from server.media.captions import check_captions
from server.media.checks import BadFile
from server.media.images import check_image
from server.media.video import check_video
from server.people_files.formats import recognise
from server.people_files.rows import read_people
from server.people_files.text_files import decode

pytestmark = pytest.mark.slow

SEEDS = st.integers(0, 2**32)
CAPTIONS = "WEBVTT\n\nNOTE x\n\n1\n00:00:01.000 --> 00:00:02.000 align:start\n<v Léa>Bonjour</v>\n".encode()
PEOPLE = 'email;first_name;site_addresses;groups\na@b.example;"Ann\n1";x|y;z\nc@d.example;Léa;;\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations")


@pytest.fixture(scope="module")
def video(folder: Path) -> bytes:
    frames = (gradient(64, 48, shift=number / 10) for number in range(10))
    return encode(folder / "video.mp4", frames, "libx264", {"preset": "ultrafast"}).read_bytes()


@pytest.fixture(scope="module")
def picture(folder: Path) -> bytes:
    path = folder / "picture.jpg"
    gradient(64, 48).save(path)
    return path.read_bytes()


def mutated(content: bytes, seed: int) -> bytes:
    """The content with some bytes changed, removed or added."""
    chance, changed = random.Random(seed), bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 20))):
        at = chance.randrange(len(changed) + 1)
        how = chance.randrange(4)
        if how == 0:
            changed[at : at + 1] = chance.randbytes(1)
        elif how == 1:
            del changed[at : at + chance.randrange(30)]
        elif how == 2:
            changed[at:at] = chance.randbytes(chance.randrange(10))
        else:
            changed[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(changed)


def judged(path: Path, content: bytes, check: Callable[[Path], object]) -> None:
    path.write_bytes(content)
    try:
        check(path)
    except BadFile as bad:
        refused = bad
    else:
        return
    assert refused.what
    assert refused.what_to_do


@settings(max_examples=150)
@example(927)
@example(2863)
@given(SEEDS)
def test_a_damaged_video_is_accepted_or_refused(folder: Path, video: bytes, seed: int) -> None:
    """For the examples FFmpeg asks for memory that no video needs, and gets none."""
    judged(folder / "v.mp4", mutated(video, seed), check_video)


@settings(max_examples=100)
@given(SEEDS)
def test_a_damaged_picture_is_accepted_or_refused(folder: Path, picture: bytes, seed: int) -> None:
    judged(folder / "p.jpg", mutated(picture, seed), check_image)


@settings(max_examples=100)
@given(SEEDS)
def test_damaged_captions_are_accepted_or_refused(folder: Path, seed: int) -> None:
    judged(folder / "c.vtt", mutated(CAPTIONS, seed), lambda path: check_captions(path, 8_000))


@given(SEEDS, st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_a_damaged_csv_file_is_read_or_refused(seed: int, encoding: str) -> None:
    try:
        reading = read_people(recognise(decode(mutated(PEOPLE.encode(encoding), seed)).text))
    except Refused:
        return
    assert all(mistake.what and mistake.what_to_do for mistake in reading.mistakes)


@given(st.text(), st.sampled_from([",", ";", "\t"]))
@example("two  spaces", ",")
@example("no-break\xa0 one", ",")
def test_a_text_in_a_cell_is_stored_as_it_stands_or_refused(cell: str, delimiter: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    content = f"email{delimiter}title\na@b.example{delimiter}{quoted}\n"
    try:
        reading = read_people(recognise(decode(content.encode()).text))
    except Refused:
        return
    for person in reading.people:
        title = str(person.fields["title"])
        assert title == re.sub("[ \xa0]{2,}", " ", unicodedata.normalize("NFC", cell)).strip()
        assert not any(unicodedata.category(character) == "Cc" for character in title)
    assert bool(reading.people) != bool(reading.mistakes)
