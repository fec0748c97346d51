"""Google's partial answers: a `fields` mask such as `nextPageToken,users(id,name/givenName)`, truly applied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, "Fields | None"]
"""Names that exist, with those below them; None where anything may be below."""
Mask = dict[str, "Mask"]
"""Names that are wanted, with those below them; an empty one wants all that is below."""


class UnknownFieldError(Exception):
    """A mask names what does not exist, or is none."""


def parsed(text: str, fields: Fields) -> Mask:
    """A mask, checked against the fields that exist.

    Raises:
        UnknownFieldError: it is wrong.
    """
    words = re.findall(r"[\w*]+|[(),/]", text)
    if "".join(words) != re.sub(r"\s", "", text) or not words:
        raise UnknownFieldError(text)
    words.append("")
    mask = _list(words, fields)
    if words != [""]:
        raise UnknownFieldError(text)
    return mask


def applied(mask: Mask, content: Any) -> Any:
    """What a mask leaves."""
    if not mask or "*" in mask:
        return content
    if isinstance(content, list):
        return [applied(mask, item) for item in content]
    if not isinstance(content, dict):
        return content
    return {key: applied(mask[key], value) for key, value in content.items() if key in mask}


def _list(words: list[str], fields: Fields | None) -> Mask:
    mask: Mask = {}
    while True:
        _one(words, fields, mask)
        if words[0] != ",":
            return mask
        del words[0]


def _one(words: list[str], fields: Fields | None, mask: Mask) -> None:
    name = words.pop(0)
    if name in ("", "(", ")", ",", "/") or (fields is not None and name != "*" and name not in fields):
        raise UnknownFieldError(name)
    below = None if fields is None or name == "*" else fields[name]
    wanted = mask.setdefault(name, {})
    if words[0] == "/":
        del words[0]
        _one(words, below, wanted)
    elif words[0] == "(":
        del words[0]
        wanted.update(_list(words, below))
        if words.pop(0) != ")":
            raise UnknownFieldError(name)
