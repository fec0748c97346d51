"""The import rules of ARCHITECTURE.md. They are written down as contracts in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = "from importlinter.cli import lint_imports_command as check; check()"
# A file that breaks a rule, and the name of the contract that must notice.
TRESPASSES = {
    "agent/domain/model.py": ("import agent.store.database", "Inside the agent, imports go one way"),
    "agent/consent/rules.py": (
        "from PySide6 import QtCore",
        "The agent needs no Qt, no window and no server",
    ),
    "agent/campaigns/feed_sync.py": ("import requests", "Only the HTTP client speaks HTTP"),
    "agent/campaigns/media_cache.py": ("import keyring", "Only the keychain module opens the keychain"),
    "agent/outbox/signals.py": ("import sqlite3", "Only the store opens the database"),
    "agent/background/poller.py": ("import apscheduler", "Only the scheduler module knows APScheduler"),
    "server/directory/models.py": ("import server.campaigns.models", "Inside the server, imports go one way"),
    "server/core/clock.py": ("import server.core.under_way", "Nobody imports around a circle"),
    "server/urls.py": ("import agent.domain.model", "Agent and server share a protocol, no code"),
    "resources/i18n.py": ("import agent.domain.model", "Resources know nobody"),
    "ui/widgets/buttons.py": (
        "import agent.protocol.codec",
        "Widgets get model values and nothing that acts",
    ),
    "ui/style/text_format.py": ("import ui.widgets.buttons", "Inside the windows, imports go one way"),
    "ui/popup/widgets/card.py": ("import server.core.clock", "Windows know nothing of the server"),
}


def check(folder: Path) -> str:
    """What the contracts say of the packages in a folder."""
    command = [sys.executable, "-c", CHECK, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def copy_of_the_code(folder: Path) -> None:
    for package in ("agent", "ui", "server", "resources"):
        for source in (ROOT / package).rglob("*.py"):
            target = folder / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())


def test_every_import_rule_holds() -> None:
    assert "0 broken" in check(ROOT)


def test_each_trespass_is_noticed_by_its_rule(tmp_path: Path) -> None:
    copy_of_the_code(tmp_path)
    for name, (line, _) in TRESPASSES.items():
        path = tmp_path / name
        path.write_text(path.read_text() + f"\n\ndef trespass():\n    {line}\n")
    verdicts = check(tmp_path).splitlines()
    for name, (line, contract) in TRESPASSES.items():
        broken = f"{contract} BROKEN"
        assert any(verdict.startswith(broken) for verdict in verdicts), f"{name}: {line}"


@pytest.mark.parametrize("module", ["agent.runtime", "agent.cli.commands"])
def test_the_agent_loads_without_qt_and_without_a_crypto_library(module: str) -> None:
    heavy = ("PySide6", "shiboken6", "cryptography", "joserfc", "keyring", "pydantic", "django")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
