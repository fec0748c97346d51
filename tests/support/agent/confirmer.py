"""A process that confirms announcements one by one and says of each when it is kept: `python -m … FOLDER TOKEN`.

It sends meanwhile, as an agent does, so that a kill meets it between the act, the message and the answer.
"""

import sys
import threading
from pathlib import Path

from agent.enrolment.device_token import keychain_account
from agent.system.dirs import Folders
from tests.support.agent.parts import MemoryKeychain, an_agent

PACE_S = 0.02
"""Between two, so that some are sent while others are made."""
ALL = "all"


def confirm(folder: Path, token: str) -> None:
    """All that ask and were not confirmed yet; then stays until it is killed."""
    keychain = MemoryKeychain()
    keychain.secrets[keychain_account(Folders.under(folder).data)] = token
    never = threading.Event()
    with an_agent(folder, keychain) as agent:
        agent.runtime.start()
        for item in agent.runtime.inbox():
            if item.state.acknowledged is None:
                agent.runtime.interactions.acknowledge(item.campaign.campaign_id)
                sys.stdout.write(f"{item.campaign.campaign_id}\n")
                sys.stdout.flush()
                never.wait(PACE_S)
        sys.stdout.write(f"{ALL}\n")
        sys.stdout.flush()
        never.wait()


if __name__ == "__main__":
    confirm(Path(sys.argv[1]), sys.argv[2])
