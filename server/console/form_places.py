"""Where a key of a campaign file is in the form of a draft, and what the form calls that place."""

from server.console import words
from server.console.templatetags.console import language_word

CONTROLS = {
    "": "title",
    "links": "label1",
    "image.alt": "image-alt",
    "image.file": "image-file",
    "video.file": "video-file",
    "video.poster": "video-file",
    "video.alt": "video-alt",
}
"""The id of the control of a key, where it is another."""


def place_words(key: str) -> str:
    """What the form calls the place."""
    language, control = parts_of(key)
    name = control.rstrip("0123456789")
    number = control.removeprefix(name)
    name = str(words.PLACES.get(name, name))
    told = f"{name} {number}" if number not in ("", "1") else name
    return f"{told} ({language_word(language)})" if language else told


def parts_of(key: str) -> tuple[str, str]:
    """The variant, empty where it is in none, and the id of the control."""
    first, _dot, rest = key.partition(".")
    if first != "variants":
        return "", first
    language, _dot, rest = rest.partition(".")
    if rest.startswith("links["):
        number, _bracket, column = rest.removeprefix("links[").partition("].")
        rest = f"{column if column in ('label', 'url') else 'label'}{number}"
    if rest.startswith("video.captions["):
        number, _bracket, column = rest.removeprefix("video.captions[").partition("].")
        rest = f"captions-{column if column in ('language', 'label') else 'language'}{number}"
    return language, CONTROLS.get(rest, rest)
