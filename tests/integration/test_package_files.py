"""What the package brings besides the program: manual page, menu and autostart entries, licences, and what stays out."""

import argparse
import configparser
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from agent import __version__
from agent.__main__ import build_parser
from installer import contents, licences
from installer.linux import deb
from ui.desktop import autostart

LINUX = Path(deb.__file__).parent


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every command and option, those of the commands too."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield name
                yield from options_of(command)


def test_the_manual_page_names_every_command_and_option() -> None:
    page = deb.manual(datetime(2026, 11, 23, tzinfo=UTC)).replace("\\-", "-")
    missing = [
        word for word in options_of(build_parser()) if not re.search(rf"(?<![\w-]){re.escape(word)}\b", page)
    ]
    assert missing == []


def test_the_manual_page_carries_version_and_date() -> None:
    page = deb.manual(datetime(2026, 11, 23, tzinfo=UTC))
    assert f'"2026-11-23" "Tidings {__version__}"' in page
    assert "@" not in page


@pytest.fixture(params=["tidings.desktop", "tidings-autostart.desktop"])
def entry(request: pytest.FixtureRequest) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(LINUX / request.param, encoding="utf-8")
    return parser["Desktop Entry"]


def test_a_desktop_entry_is_in_english_and_french_and_starts_the_program(
    entry: configparser.SectionProxy,
) -> None:
    assert entry["Comment"] != entry["Comment[fr]"]
    assert entry["Exec"].split()[0] == entry["TryExec"] == "tidings"
    assert entry["Icon"] == "tidings"


def test_the_start_at_login_that_the_package_brings_is_the_one_that_the_agent_switches() -> None:
    package = yaml.safe_load((LINUX / "nfpm.yaml").read_text())
    targets = [each["dst"] for each in package["contents"]]
    assert f"/etc/xdg/autostart/{autostart.ENTRY}" in targets


def test_every_package_that_is_shipped_says_its_licence() -> None:
    shipped = licences.shipped()
    names = {each.metadata["Name"].lower() for each in shipped}
    assert {"pyside6_essentials", "keyring", "requests", "cryptography"} <= names
    assert not {"django", "pytest", "tidings"} & names
    assert [each.metadata["Name"] for each in shipped if licences.licence_of(each) == "see its files"] == []


QT = "PySide6/Qt"
WHEEL = "/venv/site-packages"


@pytest.mark.parametrize(
    ("destination", "source", "stays"),
    [
        (f"{QT}/lib/libQt6Core.so.6", f"{WHEEL}/{QT}/lib/libQt6Core.so.6", True),
        (f"{QT}/lib/libQt6Pdf.so.6", f"{WHEEL}/{QT}/lib/libQt6Pdf.so.6", False),
        (f"{QT}/plugins/platforms/libqxcb.so", f"{WHEEL}/{QT}/plugins/platforms/libqxcb.so", True),
        (f"{QT}/plugins/imageformats/libqpdf.so", f"{WHEEL}/{QT}/plugins/imageformats/libqpdf.so", False),
        (f"{QT}/plugins/sqldrivers/libqsqlite.so", f"{WHEEL}/{QT}/plugins/sqldrivers/libqsqlite.so", False),
        ("libpython3.11.so.1.0", "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", True),
        ("libssl.so.3", "/lib/x86_64-linux-gnu/libssl.so.3", False),
    ],
)
def test_the_program_brings_its_python_and_qt_and_leaves_the_rest_to_the_system(
    destination: str, source: str, stays: bool
) -> None:
    assert bool(contents.wanted([(destination, source, "BINARY")])) is stays


def test_a_link_to_a_library_that_stays_out_stays_out_too() -> None:
    pdf = (f"{QT}/lib/libQt6Pdf.so.6", f"{WHEEL}/{QT}/lib/libQt6Pdf.so.6", "BINARY")
    core = (f"{QT}/lib/libQt6Core.so.6", f"{WHEEL}/{QT}/lib/libQt6Core.so.6", "BINARY")
    links = [(name, f"{QT}/lib/{name}", "SYMLINK") for name in ("libQt6Pdf.so.6", "libQt6Core.so.6")]
    assert contents.wanted([pdf, core, *links]) == [core, links[1]]
