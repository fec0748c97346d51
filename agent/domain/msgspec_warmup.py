"""JSON as it is read: on several threads, and from whoever sends it."""

from __future__ import annotations

import json
from typing import Any, TypeVar, overload

import msgspec
from msgspec import Raw, Struct

T = TypeVar("T")


def resolve(*types: type[Struct]) -> None:
    """Read the annotations of types that will be decoded; called once, by the module that defines them.

    msgspec (0.22) otherwise does so when it first decodes a type, and two threads that do it at once crash the process.
    An import is the work of one thread.
    """
    for each in types:
        msgspec.json.Decoder(each)


class TooDeep(msgspec.DecodeError):
    """Nested deeper than anything of ours: whoever wrote it is somebody else, or means harm."""


@overload
def decode_json(text: bytes | str | Raw, type: type[T]) -> T: ...
@overload
def decode_json(text: bytes | str | Raw, type: object) -> Any: ...


def decode_json(text: bytes | str | Raw, type: object) -> Any:
    """Read JSON from outside this process. Raises msgspec.DecodeError for all that is wrong with it.

    msgspec itself raises RecursionError for what is nested deeply, also in fields that it skips, and UnicodeDecodeError.
    """
    try:
        return msgspec.json.decode(text, type=type)
    except RecursionError as error:
        raise TooDeep("nested too deeply") from error
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("not UTF-8") from error


@overload
def decode_message(text: bytes, type: type[T]) -> T: ...
@overload
def decode_message(text: bytes, type: object) -> Any: ...


def decode_message(text: bytes, type: object) -> Any:
    """Read JSON that another program wrote, of which two readers must not find two meanings (RFC 8259, section 4).

    Raises msgspec.DecodeError for all that `decode_json` refuses, and for an object that has a name twice.
    """
    value = decode_json(text, type)  # first: it bounds the depth
    try:
        json.loads(text.decode(), object_pairs_hook=_object)
    except RecursionError as error:
        raise TooDeep("nested too deeply") from error
    except ValueError as error:
        raise msgspec.DecodeError(str(error)) from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> None:
    if len(dict.fromkeys(name for name, _ in pairs)) != len(pairs):
        raise ValueError("an object has a name twice")
