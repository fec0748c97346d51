"""H.264's messages beside the picture (ITU-T H.264, annex D.1): some cameras write places there, programs their settings."""

import re
from typing import Any

import av

_MESSAGES = 6
"""The type of a unit that holds messages (table 7-1)."""
_TYPE_BITS = 0x1F
_USER_DATA = frozenset({4, 5})
"""Payload types: by somebody who is registered (ITU-T T.35), and by anybody."""
_END = b"\x80"


def length_bytes(configuration: bytes | None) -> int:
    """How many bytes give the length of a unit (ISO/IEC 14496-15, section 5.3.3.1); 0 where that is not said."""
    if configuration is None or len(configuration) < 7 or configuration[0] != 1:
        return 0
    return (configuration[4] & 3) + 1


def without_user_data(packet: "av.Packet[Any]", prefix: int) -> "av.Packet[Any]":
    """The packet without what is no part of the picture. `prefix`: the length's bytes, as `length_bytes` tells."""
    sample = bytes(packet)
    cleaned = _cleaned(sample, prefix) if prefix else sample
    if cleaned == sample:
        return packet
    bare: av.Packet[Any] = av.Packet(cleaned)
    bare.stream, bare.time_base = packet.stream, packet.time_base
    bare.pts, bare.dts, bare.duration = packet.pts, packet.dts, packet.duration
    bare.is_keyframe = packet.is_keyframe
    return bare


def _cleaned(sample: bytes, prefix: int) -> bytes:
    """The same bytes where the sample cannot be taken apart, or holds nothing else."""
    kept, at = [], 0
    while at < len(sample):
        start = at + prefix
        end = start + int.from_bytes(sample[at:start], "big")
        if start >= len(sample) or end > len(sample):
            return sample
        unit = sample[start:end]
        if unit and unit[0] & _TYPE_BITS == _MESSAGES:
            unit = _without_user_messages(unit)
        if unit:
            kept.append(len(unit).to_bytes(prefix, "big") + unit)
        at = end
    return b"".join(kept) or sample


def _without_user_messages(unit: bytes) -> bytes:
    """Empty where no other message is left, or none can be read."""
    content = unit[1:].replace(b"\0\0\3", b"\0\0").rstrip(b"\0").removesuffix(_END)
    kept, at = [], 0
    while at < len(content):
        start = at
        kind, at = _number(content, at)
        size, at = _number(content, at)
        at += size
        if at > len(content):
            return b""
        if kind not in _USER_DATA:
            kept.append(content[start:at])
    if not kept:
        return b""
    return unit[:1] + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", b"".join(kept) + _END)


def _number(content: bytes, at: int) -> tuple[int, int]:
    """A number as a sum of bytes up to the first that is not 255, and where it ends (section 7.3.2.3.1)."""
    rest = content[at:]
    full = len(rest) - len(rest.lstrip(b"\xff"))
    last = content[at + full] if at + full < len(content) else 0
    return 255 * full + last, at + full + 1
