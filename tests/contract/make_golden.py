"""Write the golden messages: `python -m tests.contract.make_golden`. The same input gives the same bytes."""

import json
import sys
from pathlib import Path

from tests.contract import golden_documents, golden_messages, golden_own_data, golden_refusals

FOLDER = Path(__file__).parent / "golden"


def golden_files() -> dict[str, str]:
    """Every golden file's text, by file name."""
    keys = {
        "warning": "For tests only. Anybody has these private keys.",
        "public": golden_documents.PUBLIC_KEYS,
        "private": {
            "campaign": golden_documents.CAMPAIGN_KEY.as_dict(private=True),
            "receipt": golden_documents.RECEIPT_KEY.as_dict(private=True),
        },
    }
    contents = {
        "test-only-keys": keys,
        **golden_refusals.document_files(),
        **golden_messages.message_files(),
        **golden_own_data.own_data_files(),
    }
    return {
        f"{name}.json": json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        for name, content in contents.items()
    }


def main() -> int:
    """Write all files, and remove those that are no longer made."""
    FOLDER.mkdir(exist_ok=True)
    files = golden_files()
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(files)} files in {FOLDER}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
