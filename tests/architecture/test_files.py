"""Rules about the repository's own files."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from agent import __version__

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".ico", ".icns"}
# Written in pieces, so that this file passes its own test.
FORBIDDEN = {
    "a package registry's host": re.compile(
        r"\b(py" + r"pi\.org|python" + r"hosted\.org|registry\.npm" + r"js|deb\.deb" + r"ian\.org)"
    ),
    "a path of one machine": re.compile(
        r"(?<![\w.])/(work/(main|shared)|opt/(wheels|py" + r"pi)|home/\w+|Users/\w+)/"
    ),
}


def tracked() -> Iterator[Path]:
    """Every file of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            yield path


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path.suffix not in BINARY
        for match in FORBIDDEN[what].finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements.vendors.lock"])
def test_the_lock_has_a_hash_for_every_package_and_no_address(name: str) -> None:
    lock = (ROOT / name).read_text()
    packages = re.findall(r"^[a-z][\w.-]*==", lock, re.MULTILINE)
    assert packages
    entries = re.split(r"(?m)^(?=[a-z])", lock)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in lock


def test_the_index_of_decisions_names_each_with_its_title() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \|", (folder / "README.md").read_text(), re.MULTILINE)
    titles = {path.name: path.read_text().split("\n", 1)[0] for path in folder.glob("0*.md")}
    assert {name: f"# {number}. {title}" for number, title, name in listed} == titles


def test_the_version_is_said_in_one_place_and_read_from_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert ProjectMetadata(str(ROOT), PluginManager()).version == __version__
    said = [
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.suffix in {".py", ".toml", ".spec", ".yaml"} and not {"tests", "benchmarks"} & set(path.parts)
        if f'"{__version__}"' in path.read_text(encoding="utf-8")
    ]
    assert said == ["agent/__init__.py"]


def test_the_newest_version_of_the_changelog_is_the_codes() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(\S+)\](?: - (\d{4}-\d\d-\d\d))?$", changelog, re.MULTILINE)
    assert [name for name, _date in versions[:2]] == ["Unreleased", __version__]
    assert all(date for _name, date in versions[1:])
    assert len(re.findall(r"^## ", changelog, re.MULTILINE)) == len(versions)
    kinds = re.findall(r"^### (.+)$", changelog, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _glossary() -> list[list[str]]:
    """The rows of the first table: word, meaning, where, not."""
    text = (ROOT / "docs" / "glossary.md").read_text().split("## Still to rename")[0]
    return [re.split(r" ?\| ?", line)[1:-1] for line in text.splitlines() if line.startswith("| **")]


def test_the_glossary_is_in_the_order_of_the_alphabet() -> None:
    words = [row[0].strip("*") for row in _glossary()]
    assert words == sorted(words)
    assert len(set(words)) == len(words) > 50


def test_the_glossary_names_only_what_the_code_has() -> None:
    words: set[str] = set()
    for path in tracked():
        if path.suffix == ".py" and "tests" not in path.parts:
            words.update(re.findall(r"\w+", path.read_text()))
    places = [place for row in _glossary() for place in re.findall(r"`([^`]+)`", row[2])]
    assert [
        place
        for place in places
        if not ((ROOT / place).exists() if "/" in place else words.issuperset(place.split()))
    ] == []


def test_a_company_or_an_account_is_locked_without_its_key() -> None:
    """Entries of the log and mails lead to both: on PostgreSQL each would wait for a lock of the key, as an emergency may."""
    lock = re.compile(r"(?:Company|Account)\.objects\.select_for_update\((?!no_key=True)")
    found = {
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "server") and lock.search(path.read_text())
    }
    assert found == {"server/archives/closing.py"}, "which lets nothing be added any more"


def test_the_erasure_ledger_is_written_before_the_audit_log() -> None:
    """Both lock a row: two acts that took them in different orders would wait for each other."""
    found = []
    for path in tracked():
        if path.suffix != ".py" or not path.is_relative_to(ROOT / "server"):
            continue
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                calls = [
                    (node.lineno, ast.unparse(node.func))
                    for node in ast.walk(function)
                    if isinstance(node, ast.Call)
                ]
                recorded = min((line for line, name in calls if name == "log.record"), default=10**9)
                if any(name == "ledger.write" and line > recorded for line, name in calls):
                    found.append(f"{path.name}: {function.name}")
    assert found == []
