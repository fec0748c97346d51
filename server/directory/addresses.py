"""When two e-mail addresses are the same mailbox."""

import unicodedata

import idna


def canonical(address: str) -> str:
    """The spelling under which an address is stored and looked up: small letters, and the domain in its own letters.

    A domain has two spellings, in letters of any script and in ASCII (`xn--…`, RFC 5890 section 2.3.2); both name one
    mailbox. A domain that has no valid other spelling stays as it is.
    """
    lowered = unicodedata.normalize("NFC", address.strip()).lower()
    local, at, domain = lowered.rpartition("@")
    if not at or (domain.isascii() and "xn--" not in domain):
        return lowered
    try:
        return f"{local}@{idna.decode(idna.encode(domain, uts46=True))}"
    except idna.IDNAError:
        return lowered
