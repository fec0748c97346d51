"""A process whose agents poll, one after the other, while its main thread beats as that of the windows does.

`python -m … DEADLINE_S TRIES FOLDER…`. Says for each folder, as a line of JSON, how long the main thread was held up at most
and by how much the memory grew at most.
"""

import json
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from agent.domain import errors, limits
from agent.enrolment.device_token import keychain_account
from agent.runtime import Runtime
from agent.system.dirs import Folders
from agent.verification.verifier import ProcessVerifier
from tests.support.agent.company_in_memory import TOKEN
from tests.support.agent.parts import MemoryKeychain

BEAT_S = 0.001
AT_MOST_S = 0.05
_SCHEDULE = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
LOOKS = 3
"""A stall that is the program's own comes each time. One that another program on this computer causes does not."""


def stall_s(runtime: Runtime) -> float:
    """The longest time that a poll held up this thread.

    That is at most the time between two beats in which it did not wait for a processor, and at most what the other threads
    of this process worked meanwhile: a computer that is busy with other programs makes beats late, but no stall.
    """
    worker = threading.Thread(target=_poll, args=(runtime,))
    worker.start()
    longest, before, others = 0.0, _lived_s(), _others_s()
    while worker.is_alive():
        time.sleep(BEAT_S)
        now, worked = _lived_s(), _others_s()
        longest = max(longest, min(now - before - BEAT_S, worked - others))
        before, others = now, worked
    return longest


def _lived_s() -> float:
    """The time, less what this thread waited for a processor (the second figure of proc_pid_schedstat)."""
    waited_ns = int(
        os.pread(_SCHEDULE, 100, 0).split()[1]
    )  # one call, since each may cost a wait for the interpreter
    return time.monotonic() - waited_ns / 1e9


def _others_s() -> float:
    return time.process_time() - time.thread_time()


def _poll(runtime: Runtime) -> None:
    with suppress(errors.EnvironmentFault, errors.Refused):
        runtime.sync_once()


class Growth:
    """How much more memory than at first was in use at once (proc_pid_status(5): VmHWM; 5 in clear_refs resets it)."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self._first = self._kib("VmRSS")

    def mib(self) -> float:
        """So far."""
        return (self._kib("VmHWM") - self._first) / 1024

    def _kib(self, name: str) -> int:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return int(status[name].split()[0])


def main(deadline_s: float, tries: int, folders: list[Path]) -> None:
    """Look at each agent."""
    logging.disable()
    limits.REQUEST_DEADLINE_S = deadline_s  # type: ignore[assignment]
    for folder in folders:
        keychain, place = MemoryKeychain(), Folders.under(folder)
        keychain.secrets[keychain_account(place.data)] = TOKEN
        runtime = Runtime.open(place, secrets=keychain, verifier=ProcessVerifier())
        growth, longest = Growth(), 0.0
        for _ in range(tries):
            looks = (stall_s(runtime) for _ in range(LOOKS))
            longest = max(longest, next((look for look in looks if look < AT_MOST_S), AT_MOST_S))
        runtime.stop()
        sys.stdout.write(json.dumps({"stall_ms": longest * 1000, "grown_mib": growth.mib()}) + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), [Path(word) for word in sys.argv[3:]])
