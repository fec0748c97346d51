"""`python3 -m tasks messages`: bring the texts of the code into the translation catalogues, to be translated there."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = {"tidings": ("resources/locale", "agent", "ui"), "django": ("server/locale", "server")}


def main() -> int:
    """Extract and update every catalogue. What is new has an empty translation then, which a test refuses."""
    (ROOT / "build").mkdir(exist_ok=True)
    for domain, (catalogue, *packages) in CATALOGUES.items():
        template = str(ROOT / "build" / f"{domain}.pot")
        _babel("extract", "--no-location", "--sort-output", "-o", template, *packages)
        update = ("-i", template, "-d", catalogue, "-D", domain)
        _babel("update", *update, "--no-fuzzy-matching", "--ignore-obsolete")
    return 0


def _babel(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", "--quiet", *words], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
