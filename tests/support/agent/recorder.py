"""A process that records clicks as fast as it can and says of each when it is kept: `python -m … FOLDER URL`."""

import sys
from pathlib import Path

from agent.domain.model import FeedbackSignal
from tests.support.agent.parts import SettableClock, sending_parts


def record(folder: Path, url: str) -> None:
    """Until it is killed."""
    sending = sending_parts(folder, url, SettableClock())
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    number = 0
    while sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1"):
        number += 1
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    record(Path(sys.argv[1]), sys.argv[2])
