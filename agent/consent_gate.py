"""The consent gate: what the person chose, held in memory, closed there before anything is written or sent."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from agent import consent as rules
from agent import errors
from agent.consent import Consent, ConsentMessage
from agent.consent_file import ConsentFile
from agent.model import Company, ConsentState, Signal, SignalChoice
from agent.ports import Clock


class ConsentGate:
    """Thread-safe. ``device`` are the signals that this computer's policy leaves to the person."""

    def __init__(
        self, file: ConsentFile, clock: Clock, device: frozenset[Signal] = frozenset(Signal)
    ) -> None:
        self._file = file
        self._clock = clock
        self._device = device
        self._lock = threading.RLock()
        self._company: Company | None = None
        self._consents = file.read()

    def use_company(self, company: Company | None) -> bool:
        """Judge by this company's policy and notice. Returns whether that changed or expired anything."""
        with self._lock:
            changed = company != self._company
            self._company = company
            if company is None:
                return changed
            for consent in list(self._consents.values()):
                expired = rules.expire(consent, notice_version=company.notice.version)
                if expired is not consent:
                    self._put(expired)
                    changed = True
            return changed

    def receipt(self, signal: Signal) -> str | None:
        """The receipt under which this signal may be made and sent now, or None: then it may not."""
        with self._lock:
            company, consent = self._company, self._consents[signal]
            if company is None:
                return None
            allowed = rules.allowed(
                consent, company=company.signals, device=self._device, notice_version=company.notice.version
            )
            return consent.receipt_id if allowed else None

    @contextmanager
    def holding(self, signal: Signal) -> Iterator[str | None]:
        """``receipt``, and within the block nobody closes the gate: what is made there is made under that receipt."""
        with self._lock:
            yield self.receipt(signal)

    def ended(self) -> frozenset[Signal]:
        """The signals for which no consent is in force, whatever the reason but policy."""
        with self._lock:
            return frozenset(s for s in Signal if self._consents[s].state is not ConsentState.GIVEN)

    def choices(self) -> tuple[SignalChoice, ...]:
        with self._lock:
            allowed_by_company = self._company.signals if self._company else frozenset[Signal]()
            return tuple(
                rules.choice(self._consents[signal], company=allowed_by_company, device=self._device)
                for signal in Signal
            )

    def must_ask(self) -> bool:
        with self._lock:
            return self._company is not None and rules.must_ask(
                self._consents.values(), notice_version=self._company.notice.version, now=self._clock.now()
            )

    def choose(self, choices: Mapping[Signal, bool], language: str) -> None:
        """The person's deliberate act. Raises NotConnected; DiskFault when it could not be recorded: what was turned off
        is off all the same, and what was turned on is not on."""
        with self._lock:
            if self._company is None:
                raise errors.NotConnected("choosing")
            version, now = self._company.notice.version, self._clock.now()
            old = dict(self._consents)
            for signal, given in choices.items():
                if given:
                    receipt_id = str(uuid.uuid4())
                    new = rules.give(
                        old[signal], receipt_id=receipt_id, notice_version=version, now=now, language=language
                    )
                else:
                    new = rules.refuse(old[signal], notice_version=version, now=now, language=language)
                self._consents[signal] = new
            self._record(choices, old)

    def _record(self, choices: Mapping[Signal, bool], old: Mapping[Signal, Consent]) -> None:
        """Write each choice down, also when another could not be."""
        fault: errors.DiskFault | None = None
        for signal, given in choices.items():
            try:
                self._file.write(self._consents[signal])
            except errors.DiskFault as error:
                fault = error
                if given:
                    self._consents[signal] = old[signal]
        if fault is not None:
            raise fault

    def defer(self) -> None:
        with self._lock:
            if self._company is None:
                return
            version, now = self._company.notice.version, self._clock.now()
            for consent in list(self._consents.values()):
                deferred = rules.defer(consent, notice_version=version, now=now)
                if deferred is not consent:
                    self._put(deferred)

    def next_message(self) -> ConsentMessage | None:
        """The next consent message that the server has not acknowledged."""
        with self._lock:
            messages = (rules.next_message(self._consents[signal]) for signal in Signal)
            return next((message for message in messages if message is not None), None)

    def settled(self, signal: Signal) -> bool:
        """Whether the server knows of this signal's receipt: only then do its events make sense to it."""
        with self._lock:
            return rules.next_message(self._consents[signal]) is None

    def announced(self, message: ConsentMessage) -> None:
        """The server acknowledged this message."""
        with self._lock:
            self._put(rules.announce(self._consents[message.signal], message))

    def messages(self) -> list[ConsentMessage]:
        """The next message of each signal that the server has not acknowledged, withdrawals first."""
        with self._lock:
            found = (rules.next_message(self._consents[signal]) for signal in Signal)
            return sorted(filter(None, found), key=lambda message: message.status != "withdrawn")

    def owed(self) -> int:
        """How many consent messages the server has not acknowledged."""
        with self._lock:
            return sum(rules.next_message(consent) is not None for consent in self._consents.values())

    def notice_changed(self, message: ConsentMessage) -> None:
        """The server knows a newer notice than we: nothing is shared until the person has chosen again."""
        with self._lock:
            consent = self._consents[message.signal]
            if consent.receipt_id == message.receipt_id:
                self._put(rules.expire(consent, notice_version=-1))

    def forget(self) -> None:
        """Disconnected: every record is fresh again."""
        with self._lock:
            self._company = None
            old, self._consents = self._consents, {signal: Consent(signal) for signal in Signal}
            self._record(dict.fromkeys(Signal, False), old)

    def _put(self, consent: Consent) -> None:
        self._consents[consent.signal] = consent
        self._file.write(consent)
