"""A checksum for each row, so that no row is sent or shown that is not what was written.

SQLite sees that its pages hang together, not that their content is right: a changed byte within a row passes
``PRAGMA integrity_check``.
"""

from __future__ import annotations

from hashlib import blake2b

SEAL_BYTES = 16

Value = str | int | float | bytes | None


def seal(*values: Value) -> bytes:
    """A digest of a row's values, their types and their order."""
    digest = blake2b(digest_size=SEAL_BYTES)
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        digest.update(f"{type(value).__name__} {len(content)} ".encode())
        digest.update(content)
    return digest.digest()
