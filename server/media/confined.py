"""Run a program over a file that somebody sent, with little of the machine: `python -I confined.py LIMITS PROGRAM …`.

It is a script of its own, on the standard library alone: it limits itself, and becomes the program. LIMITS is JSON, the
fields of `Limits`.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

CANNOT = 127
"""The exit code where the program cannot be confined, or is not there."""
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls of Landlock, the same on every architecture (landlock(7))."""
_ASK_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _LIST, _MAKE, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 8, 1 << 14
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights over files a version of Landlock knows; later ones know as many as the last here."""
_TCP, _SCOPES = 0b11, 0b11
"""To listen and to connect, from version 4 (Linux 6.7); signals and abstract sockets, from version 6 (Linux 6.12)."""
_PROGRAMS = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/sys/devices/system/cpu",
)


@dataclass(frozen=True)
class Limits:
    """What the program may have. `source`: the file that it may read; `folder`: where it may write."""

    parent: int
    source: str
    folder: str
    processor_s: int
    memory_bytes: int
    file_bytes: int


def main(words: list[str]) -> None:
    """Become the program. Raises `OSError` where it is not there."""
    limits, program = Limits(**json.loads(words[0])), words[1:]
    _end_with(limits.parent)
    _lower(limits)
    _shut_in(limits, program[0])
    os.execv(program[0], program)


def _end_with(parent: int) -> None:
    """Be ended by the system when the server is, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def _lower(limits: Limits) -> None:
    os.nice(19)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.processor_s),
        (resource.RLIMIT_DATA, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
    ):
        _soft, hard = resource.getrlimit(what)
        lowered = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (lowered, lowered))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # it goes before anything of the server


def landlock_version() -> int:
    """Of Landlock, as the kernel has it; below 1: none, as before Linux 5.13 or where it is switched off."""
    return int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE_RULESET, None, 0, _ASK_VERSION))


def _shut_in(limits: Limits, program: str) -> None:
    """Let it read its file and programs, and write into its folder, where the kernel can see to that (from 5.13).

    It makes no TCP connection and takes none from Linux 6.7 on, and reaches no abstract socket from 6.12 on. Other ways to
    speak, such as UDP, are not closed by Landlock.
    """
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = landlock_version()
    if version < 1:
        return
    handled = (1 << _RIGHTS.get(version, _RIGHTS[5])) - 1
    attributes = struct.pack("QQQ", handled, _TCP, _SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = call(_CREATE_RULESET, attributes, size, 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    beside = Path(program).parent
    for name in (*_PROGRAMS, str(beside), str(beside.parent / "lib")):
        _allow(call, rules, name, (_EXECUTE | _READ | _LIST) & handled)
    _allow(call, rules, "/dev/null", (_READ | _WRITE) & handled)
    _allow(call, rules, "/dev/urandom", _READ & handled)
    _allow(call, rules, limits.source, _READ)
    _allow(call, rules, limits.folder, (_READ | _LIST | _WRITE | _MAKE | _TRUNCATE) & handled)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if call(_RESTRICT_SELF, rules, 0):
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(rules)


def _allow(call: "ctypes._NamedFuncPointer", rules: int, name: str, rights: int) -> None:
    """What lies there, and below it. What is not there needs no right."""
    path = Path(name)
    if not path.exists():
        return
    if not path.is_dir():
        rights &= _EXECUTE | _WRITE | _READ | _TRUNCATE
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if call(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0):
            raise OSError(ctypes.get_errno(), f"landlock_add_rule: {name}")
    finally:
        os.close(place)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(CANNOT)
