"""What the process that draws may not do: speak to anybody, start programs, read a person's settings, take long or much.

It decodes pictures that somebody uploaded. The rules hold for good: the kernel takes them back for nobody, and they hold
in every thread that starts afterwards.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import resource
import signal
import struct
import sys
import threading
import time

PROCESSOR_S = 10
WALL_S = 30
"""Of a machine that has other work; what waits for nothing is ended by its processor time."""
GRACE_S = 2
"""After which the system ends what did not end itself."""
MEMORY_BYTES = 512 * 1024 * 1024
"""Of data (``RLIMIT_DATA``), with the stacks of threads. Four pictures of the largest kind take about 200 MB."""
FILE_BYTES = 64 * 1024 * 1024
WATCH_EVERY_S = 0.1
OVER_LIMIT = 4
"""The exit code."""
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "FONTCONFIG_FILE", "FONTCONFIG_PATH")

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD_WORD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # in struct seccomp_data (seccomp(2))
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 13, 0x80000000  # EACCES
_X32 = 0x40000000
_CALLS = {
    "x86_64": (0xC000003E, (425, 41, 53, 59, 322, 101)),
    "aarch64": (0xC00000B7, (425, 198, 199, 221, 281, 117)),
}
"""How the kernel numbers the architecture (linux/audit.h) and the calls that are refused
(asm/unistd.h): io_uring_setup, socket, socketpair, execve, execveat and ptrace."""


class NotConfined(Exception):
    """This system cannot keep the process apart, so it draws nothing."""


def forget_the_person() -> None:
    """Leave no variable by which Qt and its libraries find a desktop, a session bus or anybody's settings."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    os.environ.clear()
    os.environ |= kept | {
        "HOME": "/nonexistent",
        "QT_QPA_PLATFORM": "offscreen",
        "QT_LOGGING_RULES": "*.debug=false",
        "NO_AT_BRIDGE": "1",
    }


def limit(*, processor_s: float = PROCESSOR_S, wall_s: float = WALL_S) -> None:
    """Bound processor time, time, memory and files. Who is over one ends with ``OVER_LIMIT``, or by a signal."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_CPU, math.ceil(processor_s) + GRACE_S)
    _lower(resource.RLIMIT_DATA, MEMORY_BYTES)
    _lower(resource.RLIMIT_FSIZE, FILE_BYTES)
    signal.setitimer(signal.ITIMER_REAL, wall_s + GRACE_S)
    threading.Thread(target=_watch, args=(processor_s, wall_s), name="limits", daemon=True).start()


def _lower(what: int, most: int) -> None:
    """Never above what somebody set already."""
    _soft, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _watch(processor_s: float, wall_s: float) -> None:
    """Say in words what the system would end without any."""
    until = time.monotonic() + wall_s
    while time.process_time() < processor_s and time.monotonic() < until:
        time.sleep(WATCH_EVERY_S)
    os.write(2, b"tidings-render: this took too long, and was given up.\n")
    os._exit(OVER_LIMIT)


def cut_off() -> None:
    """No socket and no other program from here on. Call before a second thread is there.

    Raises:
        NotConfined: the system cannot promise it.
    """
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        raise NotConfined(f"no filter of system calls for {sys.platform} on {platform.machine()}")
    library = ctypes.CDLL(None, use_errno=True)
    rules = _rules(*_CALLS[platform.machine()])
    program = ctypes.create_string_buffer(rules)
    # struct sock_fprog: the number of rules, then where they are.
    filter_ = ctypes.create_string_buffer(struct.pack("@HP", len(rules) // 8, ctypes.addressof(program)))
    for words in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filter_), 0, 0),
    ):
        if library.prctl(*(ctypes.c_ulong(word) for word in words)):
            raise NotConfined(os.strerror(ctypes.get_errno()))


def _rules(architecture: int, refused: tuple[int, ...]) -> bytes:
    """In the language of classic BPF (linux/filter.h): calls of another architecture end the process."""
    rules = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_AT_LEAST, len(refused) + 1, 0, _X32),
    ]
    rules += [(_JUMP_IF_EQUAL, len(refused) - place, 0, call) for place, call in enumerate(refused)]
    rules += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("=HBBI", *rule) for rule in rules)
