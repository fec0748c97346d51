"""What is hashed how, where the protocol names a digest."""

import hashlib
import json


def notice_digest(text: dict[str, str]) -> str:
    """SHA-256, in hex, of a notice's texts as canonical JSON (RFC 8785): sorted keys, no spaces, UTF-8."""
    canonical = json.dumps(text, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
