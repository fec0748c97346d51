"""The connection to one company: enrolling, the device token, and letting go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing, suppress

from agent import enrolling, errors, policy, sending, wire
from agent.api_client import ApiClient, server_address
from agent.consent_gate import ConsentGate
from agent.device_token import DeviceToken
from agent.ports import Clock
from agent.store.enrolment import Enrolment, EnrolmentStore
from agent.verifier import Question, Verifier
from resources.i18n import _

log = logging.getLogger(__name__)

PAUSED_UNTIL = "paused_until"


class Connector:
    """Knows the enrolment and the token."""

    def __init__(
        self,
        enrolments: EnrolmentStore,
        token: DeviceToken,
        verifier: Verifier,
        gate: ConsentGate,
        clock: Clock,
    ) -> None:
        self._enrolments = enrolments
        self.token = token
        self._verifier = verifier
        self._gate = gate
        self._clock = clock
        self._lock = threading.RLock()
        self._enrolment = enrolments.read()
        gate.use_company(self._enrolment.company if self._enrolment else None)

    def enrolment(self) -> Enrolment | None:
        return self._enrolment

    def reload(self) -> bool:
        """Read the enrolment again after a sync. Returns whether the company's policy or notice changed."""
        self._enrolment = self._enrolments.read()
        return self._gate.use_company(self._enrolment.company if self._enrolment else None)

    def client(self) -> ApiClient:
        """A way to the server. Raises NotConnected, KeychainUnavailable, TokenRefused when no token is left."""
        enrolment = self._enrolment
        if enrolment is None:
            raise errors.NotConnected("no enrolment")
        self.token.read(enrolment.server_url)
        if self.token.is_undecided:
            self._decide(enrolment.server_url)
        return ApiClient(enrolment.server_url, self.token.current)

    def _decide(self, server_url: str) -> None:
        """Ask whether the server knows the newer one of two tokens: the older is of no use then, and must not be shown."""
        with self._lock, closing(ApiClient(server_url, self.token.following())) as client:
            if not self.token.is_undecided:
                return
            try:
                client.request(
                    "GET", wire.FEED_PATH, headers={"If-None-Match": "*"}, max_bytes=policy.FEED_MAX_BYTES
                )
            except errors.TokenReused:
                raise
            except errors.TokenRefused:
                self.token.decide(server_knows_next=False)
            else:
                self.token.decide(server_knows_next=True)

    def enrol(self, address: str, code: str, *, keep: bool) -> bool:
        """Exchange a code for a token and pin the company's keys. Nothing is stored unless all of it is right.

        ``keep``: use the code only if the keychain can keep the token (else KeychainNeeded). Whatever fails, the same
        code can be tried again for ten minutes. Returns whether this is another person or company than before, whose
        data was deleted.
        """
        url = server_address(address)
        code = "".join(code.split()).replace("-", "").upper()
        if not code.isalnum() or not 8 <= len(code) <= 40:
            raise errors.InvalidInput(_("Enter the code of your invitation, for example KX7P-9QMD-2HTV"))
        if self._enrolment is not None and self._works():
            raise errors.InvalidInput(
                _("This computer is already connected to {company}. Disconnect it first.").format(
                    company=self._enrolment.company.name
                )
            )
        retry_secret = self.token.retry_secrets.of(url, code, keep=keep)
        with closing(ApiClient(url)) as client:
            answer = enrolling.exchange(client, code, retry_secret)
        another = self._begin(url, answer, keep=keep)
        self.token.retry_secrets.done()
        return another

    def _works(self) -> bool:
        """Whether the present connection is still good, as far as one can tell."""
        try:
            with closing(self.client()) as client:
                client.request("GET", wire.FEED_PATH, max_bytes=policy.FEED_MAX_BYTES)
        except (errors.TokenRefused, errors.KeychainUnavailable):
            return False
        except (errors.EnvironmentFault, errors.Refused) as error:
            log.info("The present connection could not be tried: %s", error.detail)
        return True

    def _begin(self, url: str, answer: wire.EnrolmentAnswer, *, keep: bool) -> bool:
        question = Question(
            wire.COMPANY_DOCUMENT,
            answer.company_id,
            answer.keys,
            int(self._clock.now().timestamp()),
            (answer.company,),
        )
        (verdict,) = self._verifier.verify(question)
        if verdict.problem:
            raise errors.DocumentRefused(f"company document: {verdict.problem}")
        company = wire.decode_company(answer.company_id, bytes(verdict.content))
        enrolment = Enrolment(
            url,
            answer.company_id,
            answer.keys,
            answer.person,
            company,
            "",
            policy.POLL_INTERVAL_S,
            None,
            self._clock.now(),
        )
        with self._lock:
            self.token.keep(answer.device_token, needed=keep)
            try:
                if another := self._enrolments.is_anothers(enrolment):
                    self._gate.forget()
                self._enrolments.begin(enrolment)
                self._enrolments.raise_counters({verdict.subject: (verdict.counter, verdict.digest)})
            except errors.EnvironmentFault:
                self.token.delete()
                raise
            self.reload()
        log.info("Connected to company %s.", answer.company_id)
        return another

    def disconnect(self, *last_words: Callable[[ApiClient], object]) -> bool:
        """Revoke the token at the server if it can be reached, then delete it and all that came with it here.

        ``last_words``: what is owed to the server; said before the token is revoked. Returns whether the server heard all.
        """
        enrolment, heard = self._enrolment, True
        if enrolment is None:
            return self._let_go()
        try:
            with closing(self.client()) as client:
                sending.all_of(client, (*last_words, _revoke))
        except (errors.EnvironmentFault, errors.Refused) as error:
            log.warning("The server was not told that this computer disconnects: %s", error.detail)
            heard = False
        self.token.delete(enrolment.server_url)
        with self._lock:
            self._enrolments.forget()
            self._gate.forget()
            self.reload()
        return heard

    def _let_go(self) -> bool:
        """Where it is lost to which company this computer was connected, a token may be left, and nobody can be told."""
        was_connected = False
        with suppress(errors.TokenMissing, errors.KeychainUnavailable):
            was_connected = bool(self.token.read(""))
        self.token.delete()
        with self._lock:
            self._enrolments.forget()
            self._gate.forget()
            self.reload()
        return not was_connected


def _revoke(client: ApiClient) -> None:
    client.request("DELETE", wire.DEVICE_PATH)
