"""Values of a file within what is told about them."""


def excerpt(text: str) -> str:
    """The value, short and harmless enough to be shown on a terminal."""
    shown = "".join(character if character.isprintable() else "·" for character in text)
    return shown if len(shown) <= 40 else shown[:39] + "…"
