"""Every screen in a language that is 40 % longer than English and stands in brackets: nothing is cut, all is translated."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pseudo import pseudo, words_without_brackets

ROOT = Path(__file__).resolve().parents[3]


def test_a_text_that_no_catalogue_said_is_found() -> None:
    assert words_without_brackets(f"{pseudo('Open')} · Save · {pseudo('Close {name}')}") == ["Save"]


@pytest.mark.parametrize("text_scale", ["1", "2"])
def test_no_screen_cuts_a_text_or_leaves_one_untranslated(text_scale: str) -> None:
    command = [sys.executable, "-m", "tests.support.pseudo", text_scale]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
