"""Whether the server's receipts prove what was asked: signature, company, and the very choice that was told."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from agent.domain import errors
from agent.domain.model import ConsentMessage
from agent.protocol import codec
from agent.store.enrolment import EnrolmentStore
from agent.verification import receipts
from agent.verification.verifier import Verifier, VerifyRequest, VerifyResult


class CheckedReceipt(Struct, frozen=True):
    """One message and the receipt that answered it. ``problem`` is empty when it proves that the server did as it was told.

    ``ended``: it proves that the consent was withdrawn already, on another computer of the person.
    """

    message: ConsentMessage
    document: str
    receipt_id: str
    status: str
    problem: str = ""
    ended: bool = False


class ReceiptChecker:
    """Checks with the key that was pinned when this computer was connected."""

    def __init__(self, enrolments: EnrolmentStore, verifier: Verifier) -> None:
        self._enrolments = enrolments
        self._verifier = verifier

    def check(self, answered: Sequence[tuple[ConsentMessage, str]]) -> list[CheckedReceipt]:
        """All with one question to the verifier. Raises NotConnected, EnvironmentFault when that cannot answer."""
        enrolment = self._enrolments.read()
        if enrolment is None:
            raise errors.NotConnected("receipts")
        question = VerifyRequest(
            codec.RECEIPT_DOCUMENT,
            enrolment.company_id,
            enrolment.keys,
            0,  # a receipt says what happened: that does not expire, whatever this computer's clock says
            tuple(document for _, document in answered),
        )
        verdicts = self._verifier.verify(question)
        return [_judge(*each, verdict) for each, verdict in zip(answered, verdicts, strict=True)]


def _judge(message: ConsentMessage, document: str, verdict: VerifyResult) -> CheckedReceipt:
    refused = CheckedReceipt(message, document, message.receipt_id, message.status, verdict.problem)
    if verdict.problem:
        return refused
    try:
        said = receipts.content(document)
    except errors.DocumentRefused as error:
        return CheckedReceipt(message, document, message.receipt_id, message.status, error.detail)
    ended = message.status == "given" and said.status == "withdrawn"
    right = said.signal is message.signal and said.receipt_id == verdict.subject
    if not ended:
        right = right and (said.receipt_id, said.status) == (message.receipt_id, message.status)
    if not right:
        problem = "it is about something else"
        return CheckedReceipt(message, document, message.receipt_id, message.status, problem)
    return CheckedReceipt(message, document, said.receipt_id, said.status, ended=ended)
