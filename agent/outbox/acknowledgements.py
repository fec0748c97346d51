"""“I have read this”: a deliberate act by name, and none of the three signals (docs/protocol, "Acknowledgements").

It needs no consent and follows from nothing else. It is on disk when ``acknowledge`` returns, and is sent as often as needed
until the server has answered for it; the server counts one for a person and campaign.
"""

from __future__ import annotations

import logging
import uuid
from functools import partial

from agent.domain import errors
from agent.domain.ports import Clock, Transport
from agent.outbox.sent_log import SentLog
from agent.protocol import codec
from agent.store.acknowledgements import AcknowledgementStore, KeptAcknowledgement
from agent.store.campaigns import CampaignStore
from agent.transport import send_all
from resources.i18n import _

log = logging.getLogger(__name__)


class NotAccepted(errors.TidingsError):
    """The server refused one for good. The announcement asks again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self._reason = reason

    @property
    def title(self) -> str:
        return _("Your confirmation was not accepted")

    @property
    def message(self) -> str:
        return _(
            "Your company's server did not take that you have read an announcement. It says: “{reason}” "
            "You can confirm it again in the inbox."
        ).format(reason=self._reason)


class AcknowledgementSender:
    """Keeps “I have read this”, and sends it by name; no consent is asked, as the press is the person's deliberate act."""

    def __init__(
        self, store: AcknowledgementStore, campaigns: CampaignStore, sent_log: SentLog, clock: Clock
    ) -> None:
        self._store = store
        self._campaigns = campaigns
        self._sent_log = sent_log
        self._clock = clock
        self.fault: NotAccepted | None = None

    def acknowledge(self, campaign_id: str) -> bool:
        """Keep it, to be sent. Returns whether this is the first. Raises InvalidInput, DiskFault."""
        item = self._campaigns.get(campaign_id)
        if item is None or not item.campaign.acknowledge:
            raise errors.InvalidInput(_("This announcement no longer asks whether you have read it."))
        now = self._clock.now().replace(microsecond=0)
        self.fault = None
        return self._store.add(KeptAcknowledgement(str(uuid.uuid4()), campaign_id, now))

    def waiting(self) -> int:
        """How many the server has not answered for."""
        return self._store.count()

    def messages(self) -> list[tuple[str, bytes]]:
        """What waits to be sent: campaign and exact bytes, oldest first."""
        return [(each.campaign_id, _encoded(each)) for each in self._store.waiting()]

    def send(self, transport: Transport) -> None:
        """Send what waits. Raises as the transport does, and DiskFault; nothing is lost then."""
        send_all.all_of(transport, [partial(self._send, each) for each in self._store.waiting()])

    def _send(self, each: KeptAcknowledgement, transport: Transport) -> None:
        body = _encoded(each)
        try:
            _number, answer = self._sent_log.send(transport, codec.ACKNOWLEDGEMENTS_PATH, body)
        except errors.NotUnderstood as error:
            self._refused(each, codec.decode_problem(error.answer).detail or error.detail)
            return
        said = codec.decode_acknowledgement(answer.body)
        if said.event_id != each.event_id:
            raise errors.NotOurServer("an answer for another acknowledgement than was sent")
        if said.status == "refused":
            self._refused(each, said.reason)
        else:
            self._store.answered(each, accepted=True)

    def _refused(self, each: KeptAcknowledgement, reason: str) -> None:
        log.warning("The server refused an acknowledgement for good: %s", reason)
        self._store.answered(each, accepted=False)
        self.fault = NotAccepted(reason)


def _encoded(each: KeptAcknowledgement) -> bytes:
    return codec.encode_acknowledgement(each.event_id, each.campaign_id, each.time)
