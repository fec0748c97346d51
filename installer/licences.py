"""The licences of the packages in the frozen program: their names and texts, as their own metadata gives them."""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from pathlib import Path

PROJECT = "tidings"
ONLY_WHERE = re.compile(r";\s*(?P<marker>.+)$")
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def write(folder: Path) -> None:
    """Makes a folder with `index.txt` (package, version, licence) and one folder of licence texts a package."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = []
    for distribution in shipped():
        name = distribution.metadata["Name"]
        lines.append(f"{name} {distribution.version}: {licence_of(distribution)}")
        for text in _texts(distribution):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / text.name).write_bytes(text.read_bytes())
    heading = "Tidings contains these packages, each under its own licence:\n\n"
    (folder / "index.txt").write_text(heading + "\n".join(lines) + "\n", encoding="utf-8")


def shipped() -> list[metadata.Distribution]:
    """The agent's dependencies and theirs, as they are installed here."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [PROJECT]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # a dependency for another operating system
            continue
        waiting += [_normal(required) for required in _required(found[name])]
    del found[PROJECT]
    return [found[name] for name in sorted(found)]


def licence_of(distribution: metadata.Distribution) -> str:
    """Its licence in a few words; what its metadata says first."""
    fields = distribution.metadata.json
    named = str(fields.get("license_expression") or fields.get("license") or "")
    classifiers = distribution.metadata.get_all("Classifier") or []
    classified = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    return named.splitlines()[0] if named else ", ".join(classified) or "see its files"


def _required(distribution: metadata.Distribution) -> list[str]:
    names = []
    for line in distribution.requires or []:
        marker = ONLY_WHERE.search(line)
        name = NAME.match(line)
        if name and not (marker and "extra" in marker["marker"]):
            names.append(name.group())
    return names


def _normal(name: str) -> str:
    """A package's name as the packaging specification normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _texts(distribution: metadata.Distribution) -> list[Path]:
    """Its licence files."""
    files = [Path(str(distribution.locate_file(file))) for file in distribution.files or []]
    return [
        file
        for file in files
        if file.is_file()
        and (
            file.parent.name == "licenses"
            or re.match(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", file.name, re.I)
        )
        and ".dist-info" in str(file)
    ]
