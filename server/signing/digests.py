"""What is hashed how, where the protocol names a digest."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Canonical JSON (RFC 8785): sorted keys, no spaces. For texts, whole numbers and ASCII keys; no fractions."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def notice_digest(text: dict[str, str]) -> str:
    """SHA-256, in hex, of a notice's texts as canonical JSON in UTF-8."""
    return hashlib.sha256(canonical_json(text).encode()).hexdigest()
