"""One's own data (GDPR articles 15, 16 and 20): what was sent, what the company holds, how they compare, a copy.

``sent``, ``receipts``, ``sent_json`` and ``receipt_file`` read the local store and are quick; they raise StoreUnreadable.
The others wait for the network and belong on a worker; they raise NotConnected, KeychainUnavailable, TokenRefused and what
a transport raises.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import closing
from typing import Any, get_args

import msgspec

from agent.consent.gate import ConsentGate
from agent.domain import errors, limits
from agent.domain.model import FeedbackSignal, InboxItem
from agent.domain.my_data_models import (
    Comparison,
    Copy,
    Corrected,
    DetailName,
    DetailValue,
    Held,
    KeptReceipt,
    SentItem,
)
from agent.domain.ports import Answer, Clock
from agent.enrolment.service import EnrolmentService
from agent.outbox.acknowledgements import AcknowledgementSender
from agent.outbox.sent_log import SentLog
from agent.privacy import html_export
from agent.privacy.sent_items import Sent, compare
from agent.protocol import codec
from agent.store.campaigns import CampaignStore
from agent.store.event_queue import EventQueue
from agent.store.sent_messages import KeptDocument, MessageStore
from agent.verification import receipts
from resources import i18n
from resources.i18n import _

JSON = dict[str, Any]


class MyData:
    """The person's own data, from this computer and from the server."""

    def __init__(
        self,
        connector: EnrolmentService,
        gate: ConsentGate,
        queue: EventQueue,
        acknowledgement_sender: AcknowledgementSender,
        sent_log: SentLog,
        messages: MessageStore,
        campaigns: CampaignStore,
        clock: Clock,
    ) -> None:
        self._connector = connector
        self._gate = gate
        self._queue = queue
        self._acknowledgement_sender = acknowledgement_sender
        self._sent_log = sent_log
        self._messages = messages
        self._campaigns = campaigns
        self._clock = clock

    def sent(self) -> list[SentItem]:
        """Every message about the person, with its exact bytes; newest first, what still waits before all."""
        self._campaigns.check()
        titles = {item.campaign.campaign_id: _title(item) for item in self._campaigns.kept()}
        queued = [
            event for signal in FeedbackSignal for event in self._queue.head(signal, limits.OUTBOX_MAX_EVENTS)
        ]
        known = self._messages
        owed, confirmed = self._gate.messages(), self._acknowledgement_sender.messages()
        return Sent(
            known.all(), known.parts(), reversed(queued), owed, confirmed, titles, known.documents()
        ).items()

    def receipts(self) -> list[KeptReceipt]:
        """The signed receipts, newest first."""
        self._campaigns.check()
        return [_kept(document) for document in self._messages.documents()]

    def sent_json(self) -> bytes:
        """All that was sent: each request that left, byte for byte, with its answer, and what waits."""
        return _pretty({"v": 1, "time": self._clock.now(), **self._sent()})

    def receipt_file(self, receipt_id: str, status: str = "") -> bytes:
        """A receipt as the file of ``docs/receipts.md``; the newest one where no ``status`` is named.

        Raises InvalidInput when there is no such receipt.
        """
        self._campaigns.check()
        for kept in self._messages.documents():
            if kept.receipt_id == receipt_id and status in ("", kept.status):
                return receipts.write_file(kept.document, self.keys())
        raise errors.InvalidInput(_("There is no receipt with this number here."))

    def keys(self) -> codec.KeySet | None:
        """The company's keys, pinned when this computer was connected; None while it is not."""
        enrolment = self._connector.enrolment()
        return enrolment.keys if enrolment else None

    def held(self) -> Held:
        """All that the company holds about the person, asked now."""
        return codec.decode_held(self._ask().body)

    def verify(self) -> Comparison:
        """Compare what the server holds now with what this computer sent."""
        held, now = self.held(), self._clock.now()
        ended = {item.campaign.campaign_id for item in self._campaigns.kept() if item.campaign.ends <= now}
        return compare(self.sent(), held, ended)

    def correct(self, changes: Mapping[DetailName, DetailValue]) -> tuple[Corrected, ...]:
        """Correct one's own details (GDPR article 16). The request is part of what was sent.

        Raises InvalidInput with the server's words when a value cannot be right, DiskFault.
        """
        unknown = set(changes) - set(get_args(DetailName))
        if unknown or not changes:
            names = ", ".join(get_args(DetailName))
            raise errors.InvalidInput(_("These details can be corrected: {names}.").format(names=names))
        body = codec.encode_correction(changes)
        try:
            with closing(self._connector.client()) as client:
                _number, answer = self._sent_log.send(client, codec.ME_PATH, body, method="PATCH")
        except errors.NotUnderstood as error:
            said = codec.decode_problem(error.answer).detail
            raise errors.InvalidInput(
                _("Your company's server does not accept this. It says: “{reason}”").format(
                    reason=said or error.detail
                )
            ) from error
        return codec.decode_corrected(answer.body)

    def copy(self) -> Copy:
        """A copy of everything, from the server and from this computer: for machines and for reading."""
        answer = self._ask()
        held, sent, kept = codec.decode_held(answer.body), self.sent(), self.receipts()
        whole = {
            "v": 1,
            "time": self._clock.now(),
            "company": msgspec.Raw(answer.body),
            "computer": {
                **self._sent(),
                "choices": self._gate.choices(),
                "announcements": [_state(item) for item in self._campaigns.kept()],
            },
        }
        return Copy(
            _pretty(whole), html_export.render(held, sent, kept, self._gate.choices(), self._clock.now())
        )

    def _ask(self) -> Answer:
        with closing(self._connector.client()) as client:
            return client.request("GET", codec.ME_PATH, max_bytes=limits.ME_MAX_BYTES)

    def _sent(self) -> JSON:
        messages = [
            {
                "number": message.message_id,
                "sent_at": message.sent_at,
                "method": message.method,
                "path": message.path,
                **_exact("body", message.body),
                "status": message.status,
                **_exact("answer", message.answer),
            }
            for message in self._messages.all()
        ]
        waiting = [_exact("body", item.body) for item in self.sent() if item.sent_at is None]
        return {"messages": messages, "waiting": waiting, "receipts": self._messages.documents()}


def _title(item: InboxItem) -> str:
    return item.campaign.variant(i18n.language()).title if item.campaign.variants else ""


def _state(item: InboxItem) -> JSON:
    return {"campaign_id": item.campaign.campaign_id, "title": _title(item), "state": item.state}


def _kept(kept: KeptDocument) -> KeptReceipt:
    try:
        erased = receipts.content(kept.document).erased
    except errors.DocumentRefused:
        erased = 0
    return KeptReceipt(
        kept.receipt_id,
        FeedbackSignal(kept.signal),
        kept.status,
        kept.received,
        kept.document,
        kept.genuine,
        erased,
    )


def _exact(name: str, content: bytes | None) -> JSON:
    """Bytes as text; as base64 under another name where they are no UTF-8, so that none is lost."""
    try:
        return {name: None if content is None else content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content or b"").decode()}


def _pretty(content: JSON) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
