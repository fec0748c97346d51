"""Documents verified in the real helper process, which ends with its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from agent.domain import errors, limits
from agent.protocol import codec
from agent.system import subprocesses
from agent.verification.verifier import ProcessVerifier, VerifyRequest, digest
from tests.contract.golden_documents import COMPANY_ID, PUBLIC_KEYS, payload, signed
from tests.support.agent.company_in_memory import FAR, running
from tests.support.waiting import PATIENCE_S

KEYS = msgspec.json.decode(json.dumps(PUBLIC_KEYS).encode(), type=codec.KeySet)


def a_document(campaign_id: str, counter: int, company: str = COMPANY_ID) -> str:
    document = payload(campaign_id, running(f"{campaign_id} {counter}"), counter, FAR) | {"iss": company}
    return signed("tidings-campaign", document)


def verified(*documents: str, **counters: tuple[int, str]) -> list[str]:
    """What is wrong with each document; empty for a good one."""
    question = VerifyRequest(
        codec.CAMPAIGN_DOCUMENT,
        COMPANY_ID,
        KEYS,
        1_800_000_000,
        documents,
        {name.replace("_", "-"): value for name, value in counters.items()},
    )
    return [verdict.problem for verdict in ProcessVerifier().verify(question)]


def test_each_document_is_judged_by_itself_in_order() -> None:
    good, foreign = a_document("c-one", 5), a_document("c-two", 6, "southwind")
    assert verified(good, foreign, "no document", good[:-4]) == [
        "",
        "of another company",
        "not a signed document: DecodeError",
        verified(good[:-4])[0],
    ]


def test_a_counter_never_goes_back_not_even_within_one_feed() -> None:
    other = signed("tidings-campaign", payload("c-one", running("Another text"), 8, FAR))
    problems = verified(a_document("c-one", 8), a_document("c-one", 7), other)
    assert problems[0] == ""
    assert "went back" in problems[1]
    assert "second document" in problems[2]


def test_a_known_document_may_come_again_and_a_second_one_with_its_counter_may_not() -> None:
    known = a_document("c-one", 8)
    assert verified(known, c_one=(8, digest(known))) == [""]
    assert "second document" in verified(known, c_one=(8, "another"))[0]


def test_many_documents_take_one_process() -> None:
    assert verified(*[a_document(f"c-{number}", number + 1) for number in range(200)]) == [""] * 200


def test_no_documents_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocesses, "command", lambda *_: ["/nowhere/tidings"])
    assert verified() == []


@pytest.mark.parametrize(
    "program", ["exit 1", "kill -9 $$", "exec tail -f /dev/null", "echo nonsense", "true"]
)
def test_a_helper_that_fails_is_a_fault_and_no_document_passes(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(limits, "VERIFY_TIMEOUT_S", 0.5)
    monkeypatch.setattr(subprocesses, "command", lambda *_: ["/bin/sh", "-c", program])
    with pytest.raises(errors.EnvironmentFault):
        verified(a_document("c-one", 1))


def test_the_resident_process_never_loads_a_crypto_library_or_a_keychains_client(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from agent.system.dirs import Folders; from agent.runtime import Runtime\n"
        "runtime = Runtime.open(Folders.under(Path(sys.argv[1]))); runtime.start(); runtime.stop()\n"
        "heavy = {'cryptography', 'joserfc', 'keyring', 'secretstorage', 'jeepney', 'charset_normalizer', 'PySide6'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stdout.strip() == "[]"
