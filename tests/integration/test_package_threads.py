"""The program's worker threads and its main thread decode the same types from the first moment on."""

import subprocess
import sys

PROBE = """
import sys
import msgspec
from msgspec import Struct
from agent.consent import rules as consent
from agent.consent import record_file as consent_file
from agent.domain import model
from agent.system import keychain as secrets
from agent.verification import verifier
from agent.protocol import codec as wire

resolved_now = []

def watch(frame, event, _argument):
    if event == "call" and frame.f_code.co_name == "get_class_annotations":
        resolved_now.append(frame.f_locals["obj"].__name__)

class Late(Struct):
    field: int

decoded = [model.Campaign, model.Company, model.Person, consent.Consent, secrets.KeychainReply, verifier.VerifyResult]
decoded += [
    each for each in vars(wire).values()
    if isinstance(each, type) and issubclass(each, Struct)
    and each.__module__ == "agent.protocol.codec" and each is not wire._Event
]
sys.setprofile(watch)
for each in [*decoded, Late]:
    msgspec.json.Decoder(each)
sys.setprofile(None)
print(*resolved_now)
"""


def test_types_that_two_threads_may_decode_at_once_are_resolved_when_the_program_starts() -> None:
    """Msgspec 0.22 crashes the process when two threads decode a type for the first time together."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["Late"], done.stdout + done.stderr
