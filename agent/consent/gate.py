"""The consent gate: what the person chose, held in memory, closed there before anything is written or sent.

The record on the disk is looked at again each time: another process over the same data may have turned something off, on
a second computer with the same home too.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from msgspec.structs import replace

from agent.consent import choice_errors, rules
from agent.consent.record_file import ConsentFile
from agent.consent.rules import Consent
from agent.consent.server_clock import ServerClock
from agent.domain import errors
from agent.domain.model import Company, ConsentMessage, ConsentState, FeedbackSignal, SignalChoice
from agent.domain.ports import Clock

log = logging.getLogger(__name__)


class ConsentGate:
    """What is allowed now, in memory and on record. Thread-safe.

    Args:
        device: the signals that this computer's policy leaves to the person.
        is_ours: whether no other agent acts for this data now; else nothing is made or sent here.
        server_clock: by what consents and withdrawals are dated; at first nobody knows it.
    """

    def __init__(
        self,
        file: ConsentFile,
        clock: Clock,
        device: frozenset[FeedbackSignal] = frozenset(FeedbackSignal),
        is_ours: Callable[[], bool] = lambda: True,
        server_clock: ServerClock | None = None,
    ) -> None:
        self._file = file
        self._clock = clock
        self._device = device
        self._is_ours = is_ours
        self._server_clock = server_clock or ServerClock(clock)
        self._acts: dict[tuple[str, str], float] = {}
        """When what is not told yet was chosen in this process, by receipt and status."""
        self._answered: list[ConsentMessage] = []
        """What the server has acknowledged with a receipt that no disk has yet: after a restart it is told again."""
        self._lock = threading.RLock()
        self._company: Company | None = None
        self._consents = file.read()
        self._doubted: set[FeedbackSignal] = set()
        self._unreadable = False
        self._changed_elsewhere = False
        self._fault: errors.DiskFault | None = (
            choice_errors.NothingIsRecorded("consent record") if file.behind else None
        )

    def use_company(self, company: Company | None) -> bool:
        """Judge by this company's policy and notice. Returns whether that changed or expired anything."""
        with self._lock:
            changed = company != self._company
            told = self._company is None or company is None or _told(company) == _told(self._company)
            self._company = company
            if company is None:
                return changed
            version = company.notice.version if told else -1
            for signal in FeedbackSignal:
                changed |= self._leave_to_others(signal, company.company_id)
                changed |= self._change(signal, lambda consent: rules.expire(consent, notice_version=version))
            return self._settle_doubts(company) or changed

    def _leave_to_others(self, signal: FeedbackSignal, company_id: str) -> bool:
        """Drop what was chosen for another company, of which it was lost that this computer was connected to it."""
        before = self._consents[signal].company
        changed = self._change(signal, lambda consent: rules.for_company(consent, company_id))
        if changed and before:
            log.warning("What was chosen for %s is not told to %s.", before, company_id)
        return changed and bool(before)

    def _settle_doubts(self, company: Company) -> bool:
        """The server dropped what was under a consent: neither its policy nor its notice says why, so a withdrawal does."""
        ended = [
            signal
            for signal in self._doubted
            if signal in company.signals and self._consents[signal].state is ConsentState.GIVEN
        ]
        self._doubted.clear()
        for signal in ended:
            self._end_elsewhere(signal)
        return bool(ended)

    def use_device(self, signals: frozenset[FeedbackSignal]) -> None:
        """Leave only these signals to the person from now on."""
        with self._lock:
            self._device = signals

    def receipt(self, signal: FeedbackSignal) -> str | None:
        """The receipt under which this signal may be made and sent now, or None: then it may not."""
        with self._lock:
            self.look_again()
            company, consent = self._company, self._consents[signal]
            if company is None or signal in self._doubted or self._unreadable or not self._is_ours():
                return None
            allowed = rules.allowed(
                consent, company=company.signals, device=self._device, notice_version=company.notice.version
            )
            return consent.receipt_id if allowed else None

    def look_again(self) -> None:
        """Take over what another process turned off in the record. While it cannot be read, everything is closed."""
        with self._lock:
            if self._file.unread:
                self._consents = self._file.read()
                self._unreadable = self._file.unread
                if not self._unreadable and self._company is not None:
                    for signal in FeedbackSignal:
                        self._leave_to_others(signal, self._company.company_id)
                return
            try:
                written = self._file.changed()
            except errors.DiskFault as error:
                if not self._unreadable:
                    log.info("Closed for now: %s", error.detail)
                self._unreadable = True
                return
            self._unreadable = False
            for signal, record in written.items():
                here = self._consents[signal]
                new = rules.written_elsewhere(here, record)
                if new.state is not here.state:
                    log.info(
                        "The record of %s was changed by another process: %s.", signal.value, new.state.value
                    )
                    self._changed_elsewhere = True
                self._consents[signal] = new

    def changed_elsewhere(self) -> bool:
        """Whether another process turned something off since this was asked last."""
        with self._lock:
            changed, self._changed_elsewhere = self._changed_elsewhere, False
            return changed

    @contextmanager
    def holding(self, signal: FeedbackSignal) -> Iterator[str | None]:
        """``receipt``, and within the block nobody closes the gate: what is made there is made under that receipt."""
        with self._lock:
            yield self.receipt(signal)

    def ended(self) -> frozenset[FeedbackSignal]:
        """The signals for which no consent is in force, whatever the reason but policy. None while nobody knows."""
        with self._lock:
            if self._file.unread:
                return frozenset()
            return frozenset(s for s in FeedbackSignal if self._consents[s].state is not ConsentState.GIVEN)

    def choices(self) -> tuple[SignalChoice, ...]:
        """What the switches show, one for each signal."""
        with self._lock:
            self.look_again()
            allowed_by_company = self._company.signals if self._company else frozenset[FeedbackSignal]()
            return tuple(
                rules.choice(self._as_it_is(signal), company=allowed_by_company, device=self._device)
                for signal in FeedbackSignal
            )

    def _as_it_is(self, signal: FeedbackSignal) -> Consent:
        """A consent that the server may not know any more is shown as what it then is: withdrawn."""
        consent = self._consents[signal]
        if signal in self._doubted:
            return rules.ended_elsewhere(consent, receipt_id=consent.receipt_id, now=self._clock.now())
        return consent

    def must_ask(self) -> bool:
        """Whether the person is to be asked now; not while the record cannot be read."""
        with self._lock:
            return (
                self._company is not None
                and not self._file.unread
                and rules.must_ask(
                    self._consents.values(),
                    notice_version=self._company.notice.version,
                    now=self._clock.now(),
                )
            )

    def last_chosen(self) -> Mapping[FeedbackSignal, datetime | None]:
        """When each was chosen last, as the record says; without those of which nobody knows. Waits for nobody."""
        return self._file.last_chosen()

    def choose(
        self,
        choices: Mapping[FeedbackSignal, bool],
        language: str,
        is_wanted: Callable[[], bool] = lambda: True,
        since: Mapping[FeedbackSignal, datetime | None] | None = None,
        shown: Company | None = None,
    ) -> None:
        """The person's deliberate act.

        What is off takes effect in any case. What is on does only if ``is_wanted`` until it is on the disk: who gave up may
        have chosen otherwise since. Nor does it where it was turned off after ``since``: the `last_chosen` of when somebody
        asked for it; None where nothing can have come between. Nor does it where the company says something else by now than
        in what was ``shown`` when the person chose; None where nothing is shown.

        Raises NotConnected; NoticeChanged where that is so; NotRecorded when it could not be written. What was turned off is
        off all the same, and what was turned on is not on.

        What was given is taken back also where nobody knows to which company: the withdrawal is owed then.
        """
        with self._lock:
            self.look_again()
            if self._is_outdated(shown) and any(choices.values()):
                self.choose({signal: False for signal, given in choices.items() if not given}, language)
                raise errors.NoticeChanged("it changed between what was shown and the choice")
            choices = self._still_wanted(choices, is_wanted, since)
            if not choices:
                return
            if self.is_lost() and not any(choices.values()):
                choices = {signal: False for signal in choices if self._consents[signal].receipt_id}
                version = self._last_version()
            else:
                version = self._asked_version()
            old = dict(self._consents)
            for signal, given in choices.items():
                now, receipt_id = self._dated(given=given), str(uuid.uuid4())
                if given:
                    old[signal] = self._as_it_is(signal)
                    new = rules.give(
                        old[signal],
                        receipt_id=receipt_id,
                        notice_version=version,
                        now=now,
                        language=language,
                        anew=self._is_vague(old[signal]),
                    )
                else:
                    new = rules.refuse(old[signal], notice_version=version, now=now, language=language)
                self._consents[signal] = replace(new, company=self._whose(old))
                self._keep_moment(old[signal], self._consents[signal], receipt_id)
                self._doubted.discard(signal)
            self._record(choices, old)
            if any(choices.values()) and not is_wanted():
                self._take_back(choices, old)

    def _is_outdated(self, shown: Company | None) -> bool:
        """Whether somebody who chose before this text would choose for another one."""
        return shown is not None and self._company is not None and not shown.tells_as(self._company)

    def _still_wanted(
        self,
        choices: Mapping[FeedbackSignal, bool],
        is_wanted: Callable[[], bool],
        since: Mapping[FeedbackSignal, datetime | None] | None,
    ) -> Mapping[FeedbackSignal, bool]:
        if not any(choices.values()):
            return choices
        if not is_wanted():
            log.info("Nothing is turned on: who asked for it gave up.")
            return {signal: given for signal, given in choices.items() if not given}
        if since is None:
            return choices
        last = self.last_chosen()
        overtaken = {
            signal
            for signal, given in choices.items()
            if given
            and self._consents[signal].state is not ConsentState.GIVEN
            and last.get(signal) != since.get(signal)
        }
        for signal in overtaken:
            log.info("%s was turned off after it was asked for: it stays off.", signal.value)
        return {signal: given for signal, given in choices.items() if signal not in overtaken}

    def _take_back(
        self, choices: Mapping[FeedbackSignal, bool], old: Mapping[FeedbackSignal, Consent]
    ) -> None:
        """As if it had not been turned on: nothing was made under it yet. Raises NotRecorded."""
        log.info("What was turned on is off again: who asked for it gave up.")
        turned_on = [
            signal
            for signal, given in choices.items()
            if given and self._consents[signal].receipt_id != old[signal].receipt_id
        ]
        for signal in turned_on:
            self._consents[signal] = old[signal]
        self._record(dict.fromkeys(turned_on, False), old)

    def _is_vague(self, consent: Consent) -> bool:
        """Whether an earlier process gave it, at a time that nobody knows: a withdrawal that came before may end it."""
        return (consent.receipt_id, "given") not in self._acts and (
            consent.owed is not None or consent.time == rules.FIRST_TIME
        )

    def _dated(self, *, given: bool) -> datetime:
        """By the server's clock. A consent no later than it was given, a withdrawal no earlier than it was made."""
        if given:
            return self._server_clock.at_least() or rules.FIRST_TIME
        return self._server_clock.now() or rules.LAST_TIME

    def _keep_moment(self, before: Consent, consent: Consent, new_receipt_id: str = "") -> None:
        """When it was given, and by when a withdrawal had been made that is owed: one that is new, or undated until now."""
        now, owed = self._server_clock.elapsed(), consent.owed
        if owed is not None and (owed != before.owed or owed.time == rules.LAST_TIME):
            self._acts.setdefault((owed.receipt_id, "withdrawn"), now)
        if consent.state is ConsentState.WITHDRAWN and consent.receipt_id:
            self._acts.setdefault((consent.receipt_id, "withdrawn"), now)
        if new_receipt_id and consent.receipt_id == new_receipt_id:
            self._acts[new_receipt_id, "given"] = now

    def is_undated(self) -> bool:
        """Whether what is to be told could be dated if the server were heard first."""
        with self._lock:
            chosen = {(each.receipt_id, each.status) for each in self.messages()} & self._acts.keys()
            return bool(chosen) and self._server_clock.now() is None

    def as_told(self, message: ConsentMessage) -> ConsentMessage:
        """The message as it is sent: dated more closely where the server's clock is known by now."""
        with self._lock:
            act = self._acts.get((message.receipt_id, message.status))
            now = self._server_clock.now()
            time = (self._server_clock.at(act) if act is not None else None) or message.time
            if message.status == "withdrawn" and time == rules.LAST_TIME and now is not None:
                time = now
            return rules.dated(message, time)

    def withdraw_everywhere(self, language: str) -> None:
        """Take every signal back for all computers of the person. Raises NotConnected; NotRecorded as ``choose`` does."""
        with self._lock:
            self.look_again()
            version = self._last_version() if self.is_lost() else self._asked_version()
            now = self._dated(given=False)
            old = dict(self._consents)
            for signal in FeedbackSignal:
                new = rules.withdraw_everywhere(
                    old[signal],
                    receipt_id=str(uuid.uuid4()),
                    notice_version=version,
                    now=now,
                    language=language,
                )
                self._consents[signal] = replace(new, company=self._whose(old))
                self._keep_moment(old[signal], self._consents[signal])
            self._doubted.clear()
            self._record(dict.fromkeys(FeedbackSignal, False), old)

    def is_lost(self) -> bool:
        """Whether something was given or is owed, and nobody knows to which company."""
        with self._lock:
            return self._company is None and any(
                consent.receipt_id or consent.owed for consent in self._consents.values()
            )

    def _whose(self, consents: Mapping[FeedbackSignal, Consent]) -> str:
        """The id of the company for which something is chosen: where that is lost, of the one for which these were."""
        if self._company is not None:
            return self._company.company_id
        return next((consent.company for consent in consents.values() if consent.company), "")

    def _last_version(self) -> int:
        """Of the notice, as far as the record tells; the first one is 1."""
        known = [
            version
            for consent in self._consents.values()
            for version in (consent.notice_version, consent.owed.notice_version if consent.owed else 0)
        ]
        return max(1, *known)

    def _asked_version(self) -> int:
        if self._company is None:
            raise errors.NotConnected("choosing")
        return self._company.notice.version

    def _record(self, choices: Mapping[FeedbackSignal, bool], old: Mapping[FeedbackSignal, Consent]) -> None:
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
            not_recorded = choice_errors.NotRecorded(fault.detail)
            if self._file.behind:
                self._fault = not_recorded
            raise not_recorded from fault
        if not self._file.behind:
            self._fault = None

    @property
    def fault(self) -> errors.DiskFault | None:
        """Why what holds here is not what the disk says, while that is so."""
        return self._fault

    def catch_up(self) -> None:
        """Write what could not be written before. Raises DiskFault when it still cannot be."""
        with self._lock:
            try:
                self.look_again()
                self._file.catch_up(self._consents)
            except errors.DiskFault as error:
                self._fault = self._fault or choice_errors.NotRecorded(error.detail)
                raise
            self._fault = None

    def defer(self) -> None:
        with self._lock:
            if self._company is None:
                return
            version, now = self._company.notice.version, self._clock.now()
            for signal in FeedbackSignal:
                self._change(signal, lambda consent: rules.defer(consent, notice_version=version, now=now))

    def settled(self, signal: FeedbackSignal) -> bool:
        """Whether the server knows of this signal's receipt: only then do its events make sense to it."""
        with self._lock:
            return rules.next_message(self._consents[signal]) is None

    def given(self, signal: FeedbackSignal) -> ConsentMessage | None:
        """How the server was told of the consent in force; None where there is none."""
        with self._lock:
            return rules.given_message(self._consents[signal])

    def announced(self, message: ConsentMessage, *, is_kept: bool = True) -> None:
        """The server acknowledged this message. It is recorded once the receipt ``is_kept`` on the disk."""
        with self._lock:
            if not is_kept:
                self._answered.append(message)
                return
            self._answered = [each for each in self._answered if each != message]
            told = self.as_told(message).time
            self._change(message.signal, lambda consent: rules.announce(consent, message, told))

    def answered(self) -> list[ConsentMessage]:
        """What the server has acknowledged, and is not recorded yet."""
        with self._lock:
            return list(self._answered)

    def messages(self) -> list[ConsentMessage]:
        """The next message of each signal that the server has not acknowledged, withdrawals first."""
        with self._lock:
            self.look_again()
            return sorted(self._owed(), key=lambda message: message.status != "withdrawn")

    def owed(self) -> int:
        """How many consent messages the server has not acknowledged."""
        with self._lock:
            return len(self._owed())

    def _owed(self) -> list[ConsentMessage]:
        found = filter(None, map(rules.next_message, self._consents.values()))
        return [message for message in found if message not in self._answered]

    def notice_changed(self, message: ConsentMessage) -> None:
        """The server knows a newer notice than we: nothing is shared until the person has chosen again."""
        with self._lock:
            if self._consents[message.signal].receipt_id == message.receipt_id:
                self._change(message.signal, lambda consent: rules.expire(consent, notice_version=-1))

    def doubt(self, signal: FeedbackSignal, receipt_id: str) -> bool:
        """The server drops what comes under this receipt: nothing is made or sent under it until the next poll says why.

        Returns whether it was the one in force here.
        """
        with self._lock:
            if self.receipt(signal) != receipt_id:
                return False
            self._doubted.add(signal)
            return True

    def ended_elsewhere(self, message: ConsentMessage) -> None:
        """The server proved that this consent was withdrawn on another computer."""
        with self._lock:
            if self._consents[message.signal].receipt_id == message.receipt_id:
                self._end_elsewhere(message.signal)

    def _end_elsewhere(self, signal: FeedbackSignal) -> None:
        log.info("%s was withdrawn on another computer: it is off here too.", signal.value)
        receipt_id, now = self._consents[signal].receipt_id, self._clock.now()
        self._change(signal, lambda consent: rules.ended_elsewhere(consent, receipt_id=receipt_id, now=now))

    def forget(self) -> None:
        """Disconnected: every record is fresh again. Raises NotRecorded."""
        with self._lock:
            self._company = None
            self._doubted.clear()
            self._answered.clear()
            old, self._consents = self._consents, {signal: Consent(signal) for signal in FeedbackSignal}
            self._record(dict.fromkeys(FeedbackSignal, False), old)
            self._file.drop_unknown()

    def forget_company(self) -> None:
        """It is lost whose consents these are: what was given must be given anew, what is owed waits for that company."""
        with self._lock:
            self._company = None
            for signal in FeedbackSignal:
                self._change(signal, rules.distrust)

    def _change(self, signal: FeedbackSignal, rule: Callable[[Consent], Consent]) -> bool:
        """What the person did not just choose: it holds in memory, and is written as soon as that is possible.

        The rule begins with what the record says now, so that nothing turned off elsewhere is written over.
        """
        self.look_again()
        consent = rule(self._consents[signal])
        if consent is self._consents[signal]:
            return False
        self._consents[signal] = consent
        try:
            self._file.write(consent, is_act=False)
        except errors.DiskFault as error:
            log.warning("What holds for %s is not on the disk yet: %s", signal.value, error.detail)
        return True


def _told(company: Company) -> tuple[str, str, bool]:
    """Who is responsible, and what for: a consent ends with another controller or purpose, whatever the notice's version."""
    return company.company_id, company.legal_name, company.named_reporting
