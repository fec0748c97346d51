"""Whether the server's receipts prove what was asked: signature, company, and the very choice that was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from agent.domain import errors
from agent.domain.model import ConsentMessage
from agent.protocol import codec
from agent.store.enrolment import EnrolmentStore
from agent.verification import receipts
from agent.verification.verifier import Verifier, VerifyRequest, VerifyResult


class AnsweredConsent(Struct, frozen=True):
    """A message, the time that was told of it, and the receipt that came."""

    message: ConsentMessage
    told_time: datetime
    document: str


class CheckedReceipt(Struct, frozen=True):
    """One message and the receipt that answered it. ``problem`` is empty when it proves that the server did as it was told.

    ``ended``: it proves that the consent was withdrawn, mostly on another computer of the person.
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

    def check(self, answered: Sequence[AnsweredConsent]) -> list[CheckedReceipt]:
        """All with one question to the verifier. Raises NotConnected, EnvironmentFault when that cannot answer."""
        enrolment = self._enrolments.read()
        if enrolment is None:
            raise errors.NotConnected("receipts")
        question = VerifyRequest(
            codec.RECEIPT_DOCUMENT,
            enrolment.company_id,
            enrolment.keys,
            0,  # a receipt says what happened: that does not expire, whatever this computer's clock says
            tuple(each.document for each in answered),
        )
        verdicts = self._verifier.verify(question)
        return [_judge(each, verdict) for each, verdict in zip(answered, verdicts, strict=True)]


def _judge(answered: AnsweredConsent, verdict: VerifyResult) -> CheckedReceipt:
    message, document = answered.message, answered.document
    refused = CheckedReceipt(message, document, message.receipt_id, message.status, verdict.problem)
    if verdict.problem:
        return refused
    try:
        said = receipts.content(document)
    except errors.DocumentRefused as error:
        return CheckedReceipt(message, document, message.receipt_id, message.status, error.detail)
    ended = message.status == "given" and said.status == "withdrawn" and _ends(said, answered)
    right = said.signal is message.signal and said.receipt_id == verdict.subject
    if not ended:
        right = right and (said.receipt_id, said.status) == (message.receipt_id, message.status)
    if not right:
        problem = "it is about something else"
        return CheckedReceipt(message, document, message.receipt_id, message.status, problem)
    return CheckedReceipt(message, document, said.receipt_id, said.status, ended=ended)


def _ends(said: receipts.Content, answered: AnsweredConsent) -> bool:
    """Whether a withdrawal is of this consent, which it names or which a new server says that it ends.

    Older servers do not say so, and receipts name nobody: of theirs, one that is older than the consent ends nothing.
    """
    named = said.answers or said.receipt_id
    if named == answered.message.receipt_id:
        return True
    return not said.answers and said.time >= answered.told_time.replace(microsecond=0)
