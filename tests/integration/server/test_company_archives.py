"""An archive that is not as it was written, or has no place here, changes nothing."""

import base64
import contextlib
import hashlib
import json
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.archives.archive import opened
from server.archives.exporting import export_company
from server.core.errors import Refused
from server.directory.models import Company
from server.recovery.arrival import bring_in
from tests.support.contents import everything_under
from tests.support.server.campaign_server import ServerHome

Files = dict[str, bytes]
Change = Callable[[Files], None]
BOMB = bytes(50_000_000)


@pytest.fixture(scope="module")
def archive(whole_company: ServerHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled company."""
    path = tmp_path_factory.mktemp("archive") / "northwind.zip"
    with whole_company.opened():
        export_company(Company.objects.get(), path)
    return path


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """In Europe, without a company."""
    home = ServerHome(tmp_path_factory.mktemp("empty") / "server")
    home.take_tables()
    home.succeed("init", "--region", "eu")
    return home


@pytest.fixture
def target(empty_server: ServerHome) -> Iterator[ServerHome]:
    with empty_server.opened():
        yield empty_server
        assert not Company.objects.exists(), "nothing may have been imported"


def _read(archive: Path) -> tuple[dict[str, Any], Files]:
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    return json.loads(files.pop("manifest.json")), files


def _repacked(archive: Path, target: Path, change: Change, *, honest: bool = True, **manifest: Any) -> Path:
    """The archive with its files changed; `honest`: with a manifest that fits them."""
    told, files = _read(archive)
    change(files)
    if honest:
        told["files"] = {
            name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            written.writestr(name, content)
        written.writestr("manifest.json", json.dumps(told | manifest))
    return target


def _edit(name: str, old: bytes, new: bytes) -> Change:
    def change(files: Files) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return change


def _add(name: str, content: bytes) -> Change:
    return lambda files: files.update({name: content})


PEOPLE, DEVICES, COMPANY = (
    f"rows/{name}.jsonl" for name in ("directory.person", "delivery.device", "directory.company")
)


def _last_line_lost(files: Files) -> None:
    files[PEOPLE] = files[PEOPLE].rstrip(b"\n")


def _person_twice(files: Files) -> None:
    files[PEOPLE] += files[PEOPLE].splitlines(keepends=True)[-1]


def _other_keys(files: Files) -> None:
    files["keys/campaign.jwk.json"] = files["keys/receipt.jwk.json"]


def _other_receipt_key(files: Files) -> None:
    """Without anything that was signed with the right one."""
    files["keys/receipt.jwk.json"] = files["keys/campaign.jwk.json"]
    for name in ("signals.consent", "signals.signal"):
        files[f"rows/{name}.jsonl"] = b""


def _second_company(files: Files) -> None:
    row = json.loads(files[COMPANY]) | {"id": "southwind", "region": "us"}
    files[COMPANY] += json.dumps(row).encode() + b"\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_edit(PEOPLE, b'"email"', b'"e-mail"'), "unknown field e-mail"),
        (_edit(PEOPLE, b'"company":"northwind"', b'"company":"southwind"'), "directory.person"),
        (_edit(DEVICES, b'"platform":"linux"', b'"platform":"toaster"'), "none of its choices"),
        (_edit(DEVICES, b'"enrolled_at":"20', b'"enrolled_at":"99999'), "delivery.device"),
        (_edit(COMPANY, b'"region":"eu"', b'"region":"us"'), "not the one that the manifest names"),
        (_edit(COMPANY, b'"minimum":5', b'"minimum":null'), "minimum is empty"),
        (_add(PEOPLE, b"[]\n"), "no object"),
        (_add(PEOPLE, b"[" * 100_000 + b"\n"), "directory.person"),
        (_second_company, "not the one that the manifest names"),
        (_edit(COMPANY, b'"signals":["seen","click","like"]', b'"signals":5'), "directory.company: signals"),
        (_edit(PEOPLE, b'"first_name":"', b'"first_name":"\\ud800'), "directory.person"),
        (_edit(PEOPLE, b'"email":', b'"email":"x","email":'), "a name twice"),
        (_add(f"media/{'0' * 64}", b"another"), "not what the manifest says"),
        (_last_line_lost, "ends within a line"),
        (_person_twice, "does not fit together"),
        (_other_keys, "not those of its company"),
        (_other_receipt_key, "receipt_key: the receipt key is another one"),
        (_add("rows/future.thing.jsonl", b"{}\n"), "newer version"),
        (_add("../../etc/passwd", b"root"), "manifest.json"),
        (_add("media/../../x", b"x"), "manifest.json"),
        (_add("/etc/passwd", b"root"), "manifest.json"),
        (_add(f"media/{hashlib.sha256(BOMB).hexdigest()}", BOMB), "packed too tightly"),
    ],
)
def test_an_archive_with_wrong_contents_is_refused(
    archive: Path, target: ServerHome, tmp_path: Path, change: Change, said: str
) -> None:
    bad = _repacked(archive, tmp_path / "bad.zip", change)
    before = everything_under(target.folder / "keys") | everything_under(target.folder / "media")
    with pytest.raises(Refused) as refused:
        bring_in(bad)
    assert said in f"{refused.value.title} {refused.value.message}"
    assert everything_under(target.folder / "keys") | everything_under(target.folder / "media") == before
    assert not list(target.folder.glob(".import-*"))


@pytest.mark.parametrize(
    "change",
    [_add("rows/directory.group.jsonl", b""), _add("readme.txt", b"hello"), lambda files: files.pop(PEOPLE)],
)
def test_an_archive_that_is_not_what_its_manifest_says_is_refused(
    archive: Path, target: ServerHome, tmp_path: Path, change: Change
) -> None:
    with pytest.raises(Refused, match="damaged"):
        bring_in(_repacked(archive, tmp_path / "bad.zip", change, honest=False))


def test_a_list_of_files_that_would_fill_the_memory_is_not_read(
    archive: Path, target: ServerHome, tmp_path: Path
) -> None:
    """Half a million empty files: 50 MB on the disk, and more than 500 MB as Python keeps their names."""
    bad = tmp_path / "bad.zip"
    name = b"x" * 40
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 9, len(name), *[0] * 6) + name
    count = 500_000
    long = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(entry) * count, 0)
    place = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(entry) * count, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    bad.write_bytes(entry * count + long + place + end)
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match="too many files"):
            bring_in(bad)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_long_rows_are_read_a_few_at_a_time(archive: Path, target: ServerHome, tmp_path: Path) -> None:
    """Lines of five megabytes each, all of them wrong: the first is refused before the others are read."""
    chance = random.Random(5)
    hexed = chance.randbytes(60_000).hex()

    def lengthen(files: Files) -> None:
        row = json.loads(files[PEOPLE].splitlines()[0])
        long = row | {"first_name": hexed * 40}
        files[PEOPLE] = 16 * (json.dumps(long).encode() + b"\n")

    tracemalloc.start()
    try:
        bad = _repacked(archive, tmp_path / "bad.zip", lengthen)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with pytest.raises(Refused, match="first_name"):
            bring_in(bad)
        assert tracemalloc.get_traced_memory()[1] - before < 45_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_is_packed_in_another_way_is_refused(
    archive: Path, target: ServerHome, tmp_path: Path, method: int
) -> None:
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive) as ours, zipfile.ZipFile(bad, "w", method) as theirs:
        for name in ours.namelist():
            theirs.writestr(name, ours.read(name))
    with pytest.raises(Refused, match="damaged"):
        bring_in(bad)


def test_no_changed_byte_in_the_list_of_files_breaks_the_program(
    archive: Path, target: ServerHome, tmp_path: Path
) -> None:
    chance, content, bad = random.Random(3), archive.read_bytes(), tmp_path / "bad.zip"
    listed = content.find(b"PK\x01\x02")
    for _number in range(300):
        changed = bytearray(content)
        for place in chance.sample(range(listed, len(content)), 3):
            changed[place] = chance.randrange(256)
        bad.write_bytes(changed)
        with contextlib.suppress(Refused), opened(bad) as reader:
            reader.check()


def test_no_changed_byte_and_no_cut_tail_is_accepted(
    archive: Path, target: ServerHome, tmp_path: Path
) -> None:
    content, bad = archive.read_bytes(), tmp_path / "bad.zip"
    with zipfile.ZipFile(archive) as opened:
        places = [
            # The local header is 30 bytes, the name and its extra field of 20; then the data.
            entry.header_offset + 30 + len(entry.filename) + 20 + entry.compress_size // 2
            for entry in opened.infolist()
            if entry.compress_size > 10
        ]
    for place in places:
        bad.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(Refused):
            bring_in(bad)
    for kept in (0, 1, len(content) // 2, len(content) - 1):
        bad.write_bytes(content[:kept])
        with pytest.raises(Refused):
            bring_in(bad)


def test_a_company_of_another_region_has_no_place_here(
    archive: Path, target: ServerHome, tmp_path: Path
) -> None:
    american = _edit(COMPANY, b'"region":"eu"', b'"region":"us"')
    before = everything_under(target.folder).keys()
    with pytest.raises(Refused, match="This server is in the European Union"):
        bring_in(_repacked(archive, tmp_path / "us.zip", american, region="us"))
    new = everything_under(target.folder).keys() - before
    assert {name for name in new if not name.startswith("tidings.sqlite3-")} == set()


def test_a_document_with_a_deep_header_is_one_more_that_does_not_fit(
    archive: Path, empty_server: ServerHome, tmp_path: Path
) -> None:
    def deepen(files: Files) -> None:
        row = json.loads(files[COMPANY])
        header = base64.urlsafe_b64encode(b"[" * 60_000 + b"]" * 60_000).decode().rstrip("=")
        row["document"] = f"{header}.e30.AA"
        files[COMPANY] = json.dumps(row).encode() + b"\n"

    with empty_server.opened(), pytest.raises(Refused, match="not those of its company"):
        bring_in(_repacked(archive, tmp_path / "deep.zip", deepen))
    with empty_server.opened():
        assert not Company.objects.exists()


def test_a_company_that_is_here_is_not_overwritten(archive: Path, empty_server: ServerHome) -> None:
    with empty_server.opened():
        bring_in(archive)
        try:
            before = everything_under(empty_server.folder / "keys")
            with pytest.raises(Refused, match="on this server already"):
                bring_in(archive)
            assert everything_under(empty_server.folder / "keys") == before
            assert Company.objects.count() == 1
        finally:
            from server.archives.closing import close_company

            close_company(Company.objects.get())


def test_an_older_archive_takes_the_defaults_of_what_it_lacks(
    archive: Path, empty_server: ServerHome, tmp_path: Path
) -> None:
    def age(files: Files) -> None:
        rows = [json.loads(line) for line in files[COMPANY].splitlines()]
        for row in rows:
            del row["directory_fields"]
        files[COMPANY] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    with empty_server.opened():
        from server.archives.closing import close_company

        company = bring_in(_repacked(archive, tmp_path / "old.zip", age)).company
        assert company.directory_fields == ["email"]
        close_company(company)
