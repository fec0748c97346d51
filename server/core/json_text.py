"""JSON from outside, read in one way everywhere: two readers of one text never find two meanings in it (RFC 8259)."""

import json
import math
from typing import Any

from pydantic_core import from_json

JSON = "application/json"


def is_json(content_type: str) -> bool:
    """Whether a `Content-Type` says JSON in UTF-8, which between programs it always is (RFC 8259, section 8.1)."""
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    named = [part.partition("=") for part in parameters]
    encodings = {value.strip().strip('"') for name, _, value in named if name.strip() == "charset"}
    return kind == JSON and encodings <= {"utf-8", "utf8"}


def read_json(text: bytes) -> Any:
    """The value of a text in UTF-8.

    Raises `ValueError`, which repeats nothing of the text, for all that readers take in different ways: another encoding,
    a name that is there twice in an object (section 4), a number without a value (section 6), half a character (8.2),
    and what is nested deeper than anything of ours.
    """
    value = from_json(text, allow_inf_nan=False)  # first: it bounds the depth
    json.loads(text.decode(), object_pairs_hook=_object, parse_float=_number)
    return value


def _object(pairs: list[tuple[str, Any]]) -> None:
    if len(dict.fromkeys(name for name, _ in pairs)) != len(pairs):
        raise ValueError("an object has a name twice")


def _number(text: str) -> None:
    if not math.isfinite(float(text)):
        raise ValueError("a number is out of range")
