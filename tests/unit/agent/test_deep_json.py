"""JSON that is nested without end is one more thing that cannot be read, wherever JSON comes in."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from agent.domain import errors, preferences
from agent.ipc import calls
from agent.protocol import codec
from agent.settings import device_policy
from agent.system import subprocesses
from agent.system.keychain import ProcessKeychain
from agent.transport import proxies
from agent.verification import receipts, verifier
from agent.verification.verifier import ProcessVerifier, VerifyRequest
from tests.contract.golden_documents import (
    CAMPAIGN_EXP,
    CAMPAIGN_JWS,
    CAMPAIGN_SIGNER,
    COMPANY_ID,
    IAT,
    PUBLIC_KEYS,
    payload,
)
from tests.support.agent.first_start import not_open
from ui.player import messages

LEVELS = 20_000
DEEP = b"[" * LEVELS + b"]" * LEVELS
DEEP_OBJECTS = b'{"x":' * LEVELS + b"1" + b"}" * LEVELS
ROOT = Path(__file__).parents[3]

ANSWERS: dict[str, Callable[[bytes], object]] = {
    "enrolment": codec.decode_enrolment,
    "feed": codec.decode_feed,
    "results": codec.decode_results,
    "acknowledgement": codec.decode_acknowledgement,
    "receipt": codec.decode_receipt,
    "held": codec.decode_held,
    "corrected": codec.decode_corrected,
}
CONTENTS: dict[str, Callable[[bytes], object]] = {
    "envelope": codec.decode_envelope,
    "company": lambda content: codec.decode_company("northwind", content),
    "campaign": lambda content: codec.decode_campaign("c-one", 1, content),
    "receipt": lambda content: receipts.content(f"e30.{_base64(content)}.AA"),
    "header": lambda content: receipts.key_of(f"{_base64(content)}.e30.AA", None),
}
FILES: dict[str, Callable[[bytes], object]] = {"receipt": receipts.read_file, "keys": receipts.read_keys}
FORMS = (
    DEEP,
    DEEP_OBJECTS,
    b'{"type":' + DEEP + b"}",
    b'{"unknown":' + DEEP + b"}",
    b'{"content":' + DEEP + b"}",
)
DEEP_CONTENT = json.dumps(payload("c-x", {}, 5, CAMPAIGN_EXP)).encode().replace(b"{}", DEEP)
"""All that a document says, but for what is in it."""


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("content", FORMS, ids=range(len(FORMS)))
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_not_our_servers(name: str, content: bytes) -> None:
    with pytest.raises(errors.NotOurServer):
        ANSWERS[name](content)


def test_a_problem_document_is_not_our_servers() -> None:
    for unknown in (DEEP, DEEP_OBJECTS):
        with pytest.raises(errors.NotOurServer):
            codec.decode_problem(b'{"type":"about:blank","x":' + unknown + b"}")


@pytest.mark.parametrize("content", FORMS, ids=range(len(FORMS)))
@pytest.mark.parametrize("name", CONTENTS)
def test_the_content_of_a_document_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(errors.DocumentRefused):
        CONTENTS[name](content)


@pytest.mark.parametrize("content", FORMS, ids=range(len(FORMS)))
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_the_person_opens_is_said_to_be_no_such_file(name: str, content: bytes) -> None:
    with pytest.raises(errors.InvalidInput):
        FILES[name](content)


@pytest.mark.parametrize("content", FORMS, ids=range(len(FORMS)))
def test_a_document_with_such_a_header_or_payload_gets_a_verdict(content: bytes) -> None:
    keys = msgspec.convert(PUBLIC_KEYS, codec.KeySet)
    header = _base64(b'{"alg":"Ed25519","kid":"' + keys.keys[0].kid.encode() + b'","typ":"tidings-campaign"}')
    documents = (f"{_base64(content)}.e30.AA", f"{header}.{_base64(content)}.AA")
    question = VerifyRequest(codec.CAMPAIGN_DOCUMENT, COMPANY_ID, keys, 0, documents)
    assert all(verdict.problem for verdict in verifier.verify_documents(question))


@pytest.mark.parametrize("content", [*FORMS, DEEP_CONTENT], ids=range(len(FORMS) + 1))
def test_a_payload_that_the_companys_own_key_signed_is_one_verdict_and_the_others_get_theirs(
    content: bytes,
) -> None:
    keys = msgspec.convert(PUBLIC_KEYS, codec.KeySet)
    sound = next(iter(CAMPAIGN_JWS.values()))
    documents = (sound, CAMPAIGN_SIGNER.sign("tidings-campaign", content), sound)
    question = VerifyRequest(codec.CAMPAIGN_DOCUMENT, COMPANY_ID, keys, IAT, documents)
    problems = [bool(verdict.problem) for verdict in verifier.verify_documents(question)]
    assert problems == [False, True, False]


def test_a_helper_that_answers_so_is_a_fault_of_this_computer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "answer").write_bytes(DEEP)
    monkeypatch.setattr(subprocesses, "command", lambda *_: ["/bin/cat", str(tmp_path / "answer")])
    question = VerifyRequest(
        codec.CAMPAIGN_DOCUMENT, COMPANY_ID, msgspec.convert(PUBLIC_KEYS, codec.KeySet), 0, ("a.b.c",)
    )
    with pytest.raises(errors.KeychainUnavailable):
        ProcessKeychain().read("device")
    with pytest.raises(errors.EnvironmentFault):
        ProcessVerifier().verify(question)


@pytest.mark.expected_logs("proxy settings could not be read")
def test_such_proxy_settings_are_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "answer").write_bytes(DEEP)
    monkeypatch.setattr(subprocesses, "command", lambda *_: ["/bin/cat", str(tmp_path / "answer")])
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    proxies.forget()
    assert proxies.ways_to("https://news.example").origin == "unknown"
    proxies.forget()


@pytest.mark.expected_logs("A question that makes no sense")
def test_a_command_that_asks_so_is_answered() -> None:
    with pytest.raises(calls.Failed):
        calls.result(calls.answer(not_open, b'{"name":' + DEEP + b"}"))


def test_a_player_that_says_so_says_something_unknown() -> None:
    for content in FORMS:
        with pytest.raises(msgspec.DecodeError):
            messages.read_event(content)
        with pytest.raises(msgspec.DecodeError):
            messages.read_order(content)


def test_such_preferences_are_as_at_first() -> None:
    assert preferences.decode(DEEP.decode()) == preferences.DEFAULTS


@pytest.mark.parametrize("toml", [b"x = " + DEEP, b"[" + b"x." * LEVELS + b"x]"], ids=["value", "table"])
def test_such_a_policy_leaves_nothing(tmp_path: Path, toml: bytes) -> None:
    (tmp_path / "policy.toml").write_bytes(toml)
    assert device_policy.read(tmp_path / "policy.toml").fault is not None


def test_what_the_server_holds_is_taken_no_deeper_than_it_can_be_shown() -> None:
    golden = json.loads((ROOT / "tests" / "contract" / "golden" / "me-answer.json").read_text())["valid"][0][
        "body"
    ]
    for levels, good in ((2, True), (3, False), (600, False)):
        golden["other"] = {"table": [{"field": json.loads("[" * levels + "]" * levels)}]}
        body = json.dumps(golden).encode()
        if good:
            assert codec.decode_held(body)
        else:
            with pytest.raises(errors.NotOurServer):
                codec.decode_held(body)


def test_nobody_reads_json_in_another_way() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("agent", "ui")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text().splitlines()
        if re.search(r"json\.(decode|loads?)\(|Decoder\(", line)
    ]
    assert found == [
        "agent/domain/msgspec_warmup.py: msgspec.json.Decoder(each)",
        "agent/domain/msgspec_warmup.py: return msgspec.json.decode(text, type=type)",
        "agent/domain/msgspec_warmup.py: json.loads(text.decode(), object_pairs_hook=_object)",
    ]
