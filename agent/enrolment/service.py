"""The connection to one company: enrolling, the device token, and letting go."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress

from msgspec.structs import replace

from agent.consent.gate import ConsentGate
from agent.consent.server_clock import ServerClock
from agent.domain import errors, limits
from agent.domain.ports import Clock
from agent.enrolment import code_exchange
from agent.enrolment.device_token import DeviceToken
from agent.protocol import codec
from agent.store.enrolment import Enrolment, EnrolmentStore, from_note, note_of
from agent.store.enrolment_note import EnrolmentNote, Stage
from agent.transport import send_all
from agent.transport.http_client import ApiClient, server_address
from agent.verification.verifier import Verifier, VerifyRequest
from resources.i18n import _

log = logging.getLogger(__name__)

PAUSED_UNTIL = "paused_until"


class NotForgotten(errors.DiskFault):
    """Disconnected, and not all that the company left here is deleted. ``heard``: whether the server knows."""

    def __init__(self, detail: str, *, heard: bool) -> None:
        super().__init__(detail)
        self.heard = heard

    @property
    def title(self) -> str:
        return _("Something is still on this computer")

    @property
    def message(self) -> str:
        text = _(
            "It is disconnected, and nothing is received or sent. Not all that your company left here is deleted yet: "
            "Tidings tries again by itself. If this lasts, the disk is full, read-only or failing: repair it, or use "
            "“tidings purge”."
        )
        if self.heard:
            return text
        return text + " " + _("The server could not be told: what you shared stays there.")


class EnrolmentService:
    """Knows the enrolment and the token.

    A token is shown to the server only that it came from: while a process that ended has left it open which that is, this
    computer counts as not connected.

    ``list_sent``: keeps what was sent to a path for “What was sent about me”.
    """

    def __init__(
        self,
        enrolments: EnrolmentStore,
        token: DeviceToken,
        verifier: Verifier,
        gate: ConsentGate,
        clock: Clock,
        server_clock: ServerClock,
        list_sent: Callable[[str, bytes], object],
    ) -> None:
        self._enrolments = enrolments
        self.token = token
        self._verifier = verifier
        self._gate = gate
        self._clock = clock
        self._server_clock = server_clock
        self._list_sent = list_sent
        self._lock = threading.RLock()
        self._reading = threading.RLock()
        """Held for local work only: whoever sees an enrolment finds the gate judging by its company."""
        self._enrolment: Enrolment | None = None
        self._unfinished = enrolments.unfinished()
        self.reload()

    def enrolment(self) -> Enrolment | None:
        """The company whose policy and notice the consent gate judges by."""
        with self._reading:
            return self._enrolment

    @property
    def is_leaving(self) -> bool:
        """Whether the person disconnected, and not all of that is done: in this process or an earlier one."""
        return self._unfinished is not None and self._unfinished.stage is Stage.LEAVING

    @property
    def left(self) -> NotForgotten | None:
        """What people must know while that has not ended; None where there is nothing."""
        note = self._unfinished
        return NotForgotten("not ended", heard=note.heard) if note is not None and self.is_leaving else None

    @property
    def is_lost(self) -> bool:
        """Whether it is lost to which company this computer was connected, and that matters."""
        return self._enrolment is None and self._unfinished is None and self._gate.is_lost()

    def reload(self) -> bool:
        """Read the enrolment again after a sync. Returns whether the company's policy or notice changed."""
        with self._reading:
            if self._unfinished is None:
                self._enrolment = self._enrolments.read()
                self._enrolments.keep_note(self._enrolment)
                if self._enrolment is not None:
                    self._server_clock.note(self._enrolment.freshness.server_time)
            return self._gate.use_company(self._enrolment.company if self._enrolment else None)

    def read_again(self) -> None:
        """The store was not readable until now."""
        self._unfinished = self._unfinished or self._enrolments.unfinished()
        self.reload()

    def client(self) -> ApiClient:
        """A way to the server. Raises NotConnected, KeychainUnavailable, TokenRefused when no token is left."""
        if self._unfinished is not None and not self.is_leaving:
            self._finish_connecting()
        enrolment = self._enrolment
        if enrolment is None:
            raise errors.NotConnected("no enrolment")
        return self._client(enrolment)

    def _client(self, enrolment: Enrolment) -> ApiClient:
        self.token.read(enrolment.server_url)
        if self.token.is_undecided:
            self._decide(enrolment.server_url)
        return ApiClient(enrolment.server_url, self.token.current, self._server_clock.heard)

    def _asking(self, server_url: str) -> ApiClient:
        return ApiClient(server_url, self.token.following(), self._server_clock.heard)

    def _decide(self, server_url: str) -> None:
        """Ask whether the server knows the newer one of two tokens: the older is of no use then, and must not be shown."""
        with self._lock, closing(self._asking(server_url)) as client:
            if not self.token.is_undecided:
                return
            try:
                client.request(
                    "GET", codec.FEED_PATH, headers={"If-None-Match": "*"}, max_bytes=limits.FEED_MAX_BYTES
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
        if self._unfinished is not None and not self.is_leaving:
            with suppress(errors.KeychainUnavailable):
                self._finish_connecting()
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
        retry_secret = self.token.retry_secret(url, code, keep=keep)
        heard = ServerClock(self._clock)
        with closing(ApiClient(url, heard=heard.heard)) as client:
            answer, sent = code_exchange.exchange(client, code, retry_secret)
        another = self._begin(url, answer, keep=keep)
        self._list_sent(codec.ENROLMENTS_PATH, sent)
        self._server_clock.follow(heard)
        self.token.retry_secrets.done()
        return another

    def _works(self) -> bool:
        """Whether the present connection is still good, as far as one can tell."""
        try:
            with closing(self.client()) as client:
                client.request("GET", codec.FEED_PATH, max_bytes=limits.FEED_MAX_BYTES)
        except (errors.TokenRefused, errors.KeychainUnavailable):
            return False
        except (errors.EnvironmentFault, errors.Refused) as error:
            log.info("The present connection could not be tried: %s", error.detail)
        return True

    def _begin(self, url: str, answer: codec.EnrolmentAnswer, *, keep: bool) -> bool:
        question = VerifyRequest(
            codec.COMPANY_DOCUMENT,
            answer.company_id,
            answer.keys,
            int(self._clock.now().timestamp()),
            (answer.company,),
        )
        (verdict,) = self._verifier.verify(question)
        if verdict.problem:
            raise errors.DocumentRefused(f"company document: {verdict.problem}")
        company = codec.decode_company(answer.company_id, bytes(verdict.content))
        enrolment = Enrolment(
            url,
            answer.company_id,
            answer.keys,
            answer.person,
            company,
            "",
            limits.POLL_INTERVAL_S,
            None,
            self._clock.now(),
        )
        note = replace(
            note_of(enrolment, Stage.CONNECTING),
            token_sha256=_hash(answer.device_token),
            counter=(verdict.counter, verdict.digest),
        )
        with self._lock:
            self._enrolments.plan(note)
            try:
                self.token.keep(answer.device_token, needed=keep)
                another = self._store(note)
            except errors.KeychainNeeded:
                self._unfinished = None
                self.reload()
                raise
            except errors.EnvironmentFault:
                self.token.delete(heard=False)
                self._unfinished = None
                self.reload()
                raise
        log.info("Connected to company %s.", answer.company_id)
        return another

    def _store(self, note: EnrolmentNote) -> bool:
        """The token is kept: let the store know whose it is. Returns whether that is another than before."""
        enrolment = from_note(note)
        another = self._enrolments.is_anothers(enrolment)
        if another and self._enrolments.read() is None:
            self._gate.forget_company()
        elif another:
            self._gate.forget()
        self._enrolments.begin(enrolment)
        self._enrolments.raise_counters({note.company_id: note.counter})
        self._server_clock.forget()
        self._unfinished = None
        self.reload()
        return another

    def _finish_connecting(self) -> None:
        """A process ended while it connected. If it had kept the token, go on; else nothing was begun.

        Raises KeychainUnavailable while that cannot be known.
        """
        with self._lock:
            note = self._unfinished
            if note is None:
                return
            token = ""
            with suppress(errors.TokenMissing):
                token = self.token.read("")
            if _hash(token) == note.token_sha256:
                log.info("The connection that was begun is made.")
                self._store(note)
                self.token.retry_secrets.forget()
            else:
                log.info("A connection that was begun has no token: it counts as never begun.")
                self._unfinished = None
                self.reload()

    def disconnect(self, *last_words: Callable[[ApiClient], object]) -> bool:
        """Revoke the token at the server if it can be reached, then delete it and all that came with it here.

        ``last_words``: what is owed to the server; said before the token is revoked. Returns whether the server heard all.
        Raises NotForgotten, after all that could be done was done.
        """
        enrolment = self._to_let_go()
        if enrolment is None:
            return self._let_go()
        note = self._unfinished or note_of(enrolment, Stage.LEAVING)
        if not (note.heard or (self.is_leaving and self.token.is_deleted)):
            self._plan_to_leave(note)
            note = replace(note, heard=self._tell(enrolment, last_words))
            if note.heard:
                self._plan_to_leave(note)
        self._delete(note.heard, enrolment.server_url)
        return note.heard

    def _tell(self, enrolment: Enrolment, last_words: Iterable[Callable[[ApiClient], object]]) -> bool:
        """Whether the server heard of the end, and of all that is owed to it."""
        revoked = []

        def revoke(client: ApiClient) -> None:
            client.request("DELETE", codec.DEVICE_PATH)
            revoked.append(client)

        try:
            with closing(self._client(enrolment)) as client:
                send_all.all_of(client, (*last_words, revoke))
        except (errors.EnvironmentFault, errors.Refused) as error:
            log.warning("The server was not told all before this computer disconnects: %s", error.detail)
        return bool(revoked) and not self._gate.owed()

    def _to_let_go(self) -> Enrolment | None:
        if self._unfinished is not None and not self.is_leaving:
            try:
                self._finish_connecting()
            except errors.KeychainUnavailable as error:
                log.warning("It cannot be told whose token is in the keychain: %s", error.detail)
                return None
        return from_note(self._unfinished) if self._unfinished is not None else self._enrolment

    def _plan_to_leave(self, note: EnrolmentNote) -> None:
        """From here on a later process ends what this one does not, and nothing else is asked or sent."""
        with self._reading:
            self._unfinished, self._enrolment = note, None
        try:
            self._enrolments.plan(note)
        except errors.DiskFault as error:
            log.warning("It is not noted that this computer disconnects: %s", error.detail)

    def _let_go(self) -> bool:
        """Where it is lost to which company this computer was connected, a token may be left, and nobody can be told."""
        left, was_connected = self.token.left, False
        with suppress(errors.TokenMissing):
            try:
                was_connected = bool(self.token.read(""))
            except errors.KeychainUnavailable:
                was_connected = self.token.was_kept
        heard = left.heard if left is not None else not was_connected
        self._delete(heard)
        return heard

    def _delete(self, heard: bool, old_account: str = "") -> None:
        self.token.delete(old_account, heard=heard)
        with self._lock:
            try:
                try:
                    self._gate.forget()
                finally:
                    self._enrolments.forget()
                    self._server_clock.forget()
                    self._unfinished, self._enrolment = None, None
                    self.reload()
            except errors.DiskFault as error:
                raise NotForgotten(error.detail, heard=heard) from error


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
