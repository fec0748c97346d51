"""Long lists on stdout, of which no more than a row is held. Not a command itself."""

import json
from collections.abc import Iterable, Mapping

ROWS_AT_ONCE = 500
"""That are fetched from the database."""


def print_json(rows: Iterable[Mapping[str, object]]) -> None:
    """Print the rows as one JSON list."""
    opening = "["
    for row in rows:
        text = json.dumps(row, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        print(f"{opening}\n  {text}", end="")
        opening = ","
    print("[]" if opening == "[" else "\n]")
