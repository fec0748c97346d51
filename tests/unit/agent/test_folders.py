"""Where the agent keeps its files when the environment says nothing, or nothing that counts (XDG Base Directory)."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.domain import errors
from agent.system import dirs
from agent.system.dirs import Folders
from agent.system.folder_removal import Removal
from ui.desktop import autostart

NAMES = ("DATA_HOME", "CACHE_HOME", "STATE_HOME", "CONFIG_HOME", "CONFIG_DIRS", "RUNTIME_DIR")
NO_PATHS = ("", " ", "relative", "./here", "~/there", "../up")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home folder of this account; the environment says nothing, and the present folder takes note."""
    home, here = tmp_path / "account", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
    for name in ("HOME", "TIDINGS_HOME", *(f"XDG_{name}" for name in NAMES)):
        monkeypatch.delenv(name, raising=False)
    entry = pwd.struct_passwd(("ada", "x", os.getuid(), os.getgid(), "", str(home), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _number: entry)
    monkeypatch.chdir(here)
    return home


def places() -> list[Path]:
    """All that the agent may write to."""
    found = Folders.standard()
    return [
        *(found.data, found.cache, found.logs, found.runtime, *found.other_runtimes),
        *(dirs.config_folder(), autostart._own_entry()),
    ]


@pytest.mark.parametrize("home", [None, *NO_PATHS])
def test_a_home_that_is_none_is_that_of_the_account(
    account: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    if home is not None:
        monkeypatch.setenv("HOME", home)
    assert dirs.home_folder() == account
    assert Folders.standard().data == account / ".local/share/tidings"
    own = [each for each in places() if not each.is_relative_to("/run/user")]
    assert all(each.is_relative_to(account) for each in own)


@pytest.mark.parametrize("home", ["/", "/tmp/elsewhere"])
def test_an_absolute_home_counts_whatever_the_account_says(
    account: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    assert Folders.standard().data == Path(home) / ".local/share/tidings"
    assert dirs.config_folder() == Path(home) / ".config"


@pytest.mark.parametrize("value", NO_PATHS)
def test_a_path_that_is_not_absolute_is_ignored(
    account: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    without = places()
    for folder in ("relative", "here", " "):
        (Path.cwd() / folder / "tidings").mkdir(parents=True, mode=0o700)
    for name in NAMES:
        monkeypatch.setenv(f"XDG_{name}", value)
    assert places() == without
    assert dirs.session_folder() is None
    assert dirs.system_config_folders() == [Path("/etc/xdg")]


def test_of_several_folders_for_everybody_those_that_are_absolute_count(
    account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_DIRS", "one:/etc/one::/etc/two:./three")
    assert dirs.system_config_folders() == [Path("/etc/one"), Path("/etc/two")]


@pytest.mark.parametrize("home", [None, ""])
def test_without_any_home_it_is_a_sentence(
    account: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: str | None
) -> None:
    def nobody(_number: int) -> pwd.struct_passwd:
        raise KeyError("no such account")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(errors.NoHome):
        Folders.standard()
    assert main(["status"]) == 1
    assert "Set HOME to its whole path" in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("home", [path for path in NO_PATHS if path])
def test_a_folder_of_tidings_that_moves_with_the_present_one_is_refused(
    account: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: str
) -> None:
    monkeypatch.setenv("TIDINGS_HOME", home)
    with pytest.raises(errors.NoHome):
        Folders.standard()
    assert main(["status"]) == 1
    assert "TIDINGS_HOME is no whole path" in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("home", [None, "", "relative"])
def test_purge_never_takes_a_home_folder_for_one_of_its_own(
    account: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    if home is not None:
        monkeypatch.setenv("HOME", home)
    (account / "of the person").write_text("dear")
    link = account.parent / "data"
    link.symlink_to(account)
    removal = Removal()
    removal.of(link)
    assert (account / "of the person").read_text() == "dear"
    assert [why for _path, why in removal.left] == ["it holds your home folder"]
