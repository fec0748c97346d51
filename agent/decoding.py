"""Types that are decoded on several threads."""

from __future__ import annotations

import msgspec
from msgspec import Struct


def resolve(*types: type[Struct]) -> None:
    """Read the annotations of types that will be decoded; called once, by the module that defines them.

    msgspec (0.22) otherwise does so when it first decodes a type, and two threads that do it at once crash the process.
    An import is the work of one thread.
    """
    for each in types:
        msgspec.json.Decoder(each)
