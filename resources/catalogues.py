"""`python3 -m tasks messages`: bring the texts of the code into the translation catalogues, to be translated there."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
MAPPING = (
    "[extractors]\ntemplates = resources.catalogues:of_template\n[python: **.py]\n[templates: **.html]\n"
)
CATALOGUES = {"tidings": ("resources/locale", "agent", "ui"), "django": ("server/locale", "server")}


def main() -> int:
    """Extract and update every catalogue. What is new has an empty translation then, which a test refuses."""
    (ROOT / "build").mkdir(exist_ok=True)
    mapping = ROOT / "build" / "texts.cfg"
    mapping.write_text(MAPPING, encoding="utf-8")
    for domain, (catalogue, *packages) in CATALOGUES.items():
        template = str(ROOT / "build" / f"{domain}.pot")
        _babel("extract", "-F", str(mapping), "--no-location", "--sort-output", "-o", template, *packages)
        update = ("-i", template, "-d", catalogue, "-D", domain)
        _babel("update", *update, "--no-fuzzy-matching", "--ignore-obsolete")
    return 0


def of_template(file: BinaryIO, keywords: Any, comments: Any, options: Any) -> Iterator[Any]:
    """The texts of a Django template, as Babel asks for them: Django turns it into what Python would be."""
    yield from extract_python(
        io.BytesIO(templatize(file.read().decode()).encode()), keywords, comments, options
    )


def _babel(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", "--quiet", *words], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
