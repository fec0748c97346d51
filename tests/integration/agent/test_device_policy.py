"""The organisation's policy file: what it turns off, what it fixes, and what a bad one means."""

import os
from pathlib import Path

import pytest

from agent.cli import doctor
from agent.domain import errors
from agent.domain.model import Change, FeedbackSignal
from agent.domain.preferences import DEFAULTS, Corner
from agent.settings import device_policy
from agent.system.dirs import Folders
from tests.support.agent.parts import MemoryKeychain, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE
from tests.support.descriptors import none_left

GOOD = """
[signals]
seen = false
click = true
like = true

[preferences]
corner = "top_left"
quiet_hours = true
quiet_from = "18:30"

[server]
url = "https://news.northwind.example"
"""


def a_policy(folder: Path, text: str) -> Path:
    path = Folders.under(folder).policy
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_leaves_everything_to_the_person(tmp_path: Path) -> None:
    assert device_policy.read(tmp_path / "policy.toml") == device_policy.NO_POLICY


def test_a_file_turns_signals_off_fixes_preferences_and_names_the_server(tmp_path: Path) -> None:
    a_policy(tmp_path, GOOD)
    with an_agent(tmp_path) as agent:
        assert [c.signal for c in agent.runtime.choices() if not c.allowed_by_device] == [FeedbackSignal.SEEN]
        assert agent.runtime.suggested_server() == "https://news.northwind.example"
        kept = agent.runtime.preferences
        assert kept.locked() == {"corner", "quiet_hours", "quiet_from"}
        assert (kept.effective().corner, kept.effective().quiet_from) == (Corner.TOP_LEFT, "18:30")
        assert kept.own() == DEFAULTS
        with pytest.raises(errors.InvalidInput):
            kept.change({"corner": "bottom_left"})
        kept.change({"sound": True})
        assert kept.effective().sound
        assert agent.runtime.status().troubles == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[signals]",
        "[signals]\nseen = true\nclick = true",
        "[signals]\nseen = true\nclick = true\nlike = true\nlike = false",
        "[signals]\nseen = true\nclick = true\nlike = 1",
        '[signals]\nseen = true\nclick = true\nlike = "true"',
        "[signals]\nseen = true\nclick = true\nlike = true\nshare = true",
        "[signals]\nseen = true\nclick = true\nlike = true\n[preference]\nsound = true",
        '[signals]\nseen = true\nclick = true\nlike = true\n[preferences]\nquiet_from = "25:00"',
        "[signals]\nseen = true\nclick = true\nlike = true\n[preferences]\nloud = true",
        "[signals]\nseen = true\nclick = true\nlike = true\n[server]\nurl = 5",
        "signals = true",
        "a = " + "[" * 5_000,
        "#" * (device_policy.MAX_BYTES + 1),
    ],
)
def test_a_file_that_is_no_policy_turns_everything_off_and_says_why(tmp_path: Path, text: str) -> None:
    path = a_policy(tmp_path, text)
    with an_agent(tmp_path) as agent:
        assert not any(choice.allowed_by_device for choice in agent.runtime.choices())
        (trouble,) = agent.runtime.status().troubles
        assert trouble.code == "PolicyUnusable"
        assert str(path) in trouble.message
    found = [
        check for check in doctor.examine(agent.folders, secrets=MemoryKeychain()) if check.name == "policy"
    ]
    assert [check.verdict for check in found] == ["fault"]
    assert str(path) in found[0].result


def test_a_file_that_cannot_be_read_turns_everything_off_without_waiting_for_it(tmp_path: Path) -> None:
    pipe, link, folder, beneath = (tmp_path / name for name in ("pipe", "link", "folder", "file"))
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere")
    folder.mkdir()
    beneath.write_text("")
    latin = tmp_path / "latin"
    latin.write_bytes(b"# \xe9\n[signals]\nseen = true\nclick = true\nlike = true\n")
    for path in (pipe, link, folder, beneath / "policy.toml", latin):
        policy = device_policy.read(path)
        assert policy.signals == frozenset()
        assert policy.fault is not None


def test_one_read_that_fails_of_a_good_file_turns_everything_off_until_the_next_look_only(
    tmp_path: Path,
) -> None:
    path = a_policy(tmp_path, GOOD)
    file = device_policy.PolicyFile(path)
    path.write_text(GOOD.replace("click = true", "click = false"))
    with none_left():
        assert file.refresh()
    assert file.current().signals == frozenset()
    assert file.refresh()
    assert (file.current().signals, file.current().fault) == ({FeedbackSignal.LIKE}, None)


def test_a_policy_that_appears_while_the_agent_runs_holds_from_the_next_check(
    server: LoopbackServer, tmp_path: Path
) -> None:
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.choose(all_on())
        heard: list[Change] = []
        agent.runtime.subscribe(heard.append)
        path = a_policy(tmp_path, GOOD)
        agent.runtime.sync_once()
        assert {c.signal for c in agent.runtime.choices() if c.on} == {
            FeedbackSignal.CLICK,
            FeedbackSignal.LIKE,
        }
        assert {Change.CONSENT, Change.PREFERENCES} <= set(heard)
        path.unlink()
        agent.runtime.sync_once()
        assert all(choice.on for choice in agent.runtime.choices())
