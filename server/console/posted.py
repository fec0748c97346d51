"""Numbers that addresses and forms carry: anybody can send anything in their place."""

LARGEST = 2**63 - 1
"""What both databases hold."""


def number(text: str) -> int:
    """The number that the text is; 0 for what is none, or is larger than a column holds."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return 0
    found = int(text)
    return found if found <= LARGEST else 0
