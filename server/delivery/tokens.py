"""Invitation codes and device tokens: made here, kept only as hashes."""

import hashlib
import secrets

from django.utils.crypto import salted_hmac

# Crockford's base 32: no I, L, O or U, which are misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
MISREAD = str.maketrans("ILO", "110", "- ")
TOKEN_PREFIX = "tdt_"
TOKEN_BYTES = 32
LONGEST_TOKEN = 128


def new_code() -> str:
    """A code of 60 random bits, as it is shown: `KX7P-9QMD-2HTV`."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def code_hash(code: str) -> str:
    """Under the server's secret key, so that a copy of the database alone does not reveal codes by trial.

    Case, hyphens and spaces do not count, and letters that look like digits are read as those.
    """
    plain = code.upper().translate(MISREAD)
    return salted_hmac("tidings.invitation", plain, algorithm="sha256").hexdigest()


def new_token() -> str:
    """A device token of 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """SHA-256 in hex. A token has so many random bits that neither salt nor stretching is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
