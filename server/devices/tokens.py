"""Invitation codes and device tokens: made here, kept only as hashes."""

import hashlib
import secrets

from django.utils.crypto import salted_hmac

# Crockford's base 32: no I, L, O or U, which are misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
MISREAD = str.maketrans("ILO", "110", "- ")
# U is not in the alphabet, so its place tells the region and no code from before there were regions is mistaken for one.
REGION_MARK = "U"
REGION_PLACES = ("us", "eu")
TOKEN_PREFIX = "tdt_"
TOKEN_BYTES = 32
LONGEST_TOKEN = 128


def new_code(region: str) -> str:
    """A code of 55 random bits that tells the region of its server, as it is shown: `KU7P-9QMD-2HTV`."""
    code = [secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)]
    code[REGION_PLACES.index(region)] = REGION_MARK
    return "-".join("".join(code[start : start + 4]) for start in range(0, CODE_LENGTH, 4))


def code_region(code: str) -> str | None:
    """The region that a code tells; None for one from before codes told it."""
    plain = _plain(code)
    places = zip(REGION_PLACES, plain, strict=False)
    return next((region for region, letter in places if letter == REGION_MARK), None)


def code_hash(code: str) -> str:
    """Under the server's secret key, so that a copy of the database alone does not reveal codes by trial."""
    return salted_hmac("tidings.invitation", _plain(code), algorithm="sha256").hexdigest()


def _plain(code: str) -> str:
    """Case, hyphens and spaces do not count, and letters that look like digits are read as those."""
    return code.upper().translate(MISREAD)


def new_token() -> str:
    """A device token of 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def feed_subject(hash_of_token: str) -> str:
    """How signed documents name the computer with this token, as the agent makes it of the token: nobody else can."""
    return hashlib.sha256(b"tidings feed " + hash_of_token.encode()).hexdigest()


def token_hash(token: str) -> str:
    """SHA-256 in hex. A token has so many random bits that neither salt nor stretching is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
