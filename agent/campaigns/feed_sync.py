"""One idempotent step from the server to the store: ask for the feed, verify what is new, store it whole."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from agent.campaigns.trials import Trials
from agent.domain import errors, limits
from agent.domain.freshness import Freshness
from agent.domain.model import Campaign, Company
from agent.domain.ports import Answer, Clock, Transport
from agent.protocol import codec
from agent.store.campaigns import CampaignStore
from agent.store.enrolment import Enrolment, EnrolmentStore
from agent.verification.verifier import EXPIRED, Verifier, VerifyRequest, VerifyResult, digest

log = logging.getLogger(__name__)


class Outcome(Struct, frozen=True):
    """``refused``: how many documents of the feed did not pass."""

    changed: bool
    refused: int
    poll_interval_s: int


class Sync:
    """Fetches the feed, has its documents verified, and stores what passed, all of it or nothing."""

    def __init__(
        self,
        enrolments: EnrolmentStore,
        campaigns: CampaignStore,
        trials: Trials,
        verifier: Verifier,
        clock: Clock,
    ) -> None:
        self._enrolments = enrolments
        self._campaigns = campaigns
        self._trials = trials
        self._verifier = verifier
        self._clock = clock

    def step(self, transport: Transport) -> Outcome:
        """Raises as the transport does, NotConnected, DiskFault, FeedRefused, ClockDiffers; nothing is stored then."""
        self._campaigns.check()
        enrolment = self._enrolments.read()
        if enrolment is None:
            raise errors.NotConnected("sync")
        headers = (
            {"If-None-Match": enrolment.etag} if enrolment.etag and not self._is_doubtful(enrolment) else {}
        )
        answer = transport.request(
            "GET",
            codec.FEED_PATH,
            headers=headers | codec.STATED_FEED | codec.TAKES_TRIALS,
            max_bytes=limits.FEED_MAX_BYTES,
        )
        now = self._clock.now()
        if answer.status == 304:
            if not enrolment.etag:
                raise errors.NotOurServer("304, and there is no feed yet")
            interval = _interval(answer, enrolment.poll_interval_s)
            fresh = enrolment.freshness.heard(now, answer.headers.get("date", ""))
            self._enrolments.unchanged(now if fresh.confirms else None, interval, fresh)
            return Outcome(False, 0, _until_it_counts(interval, fresh, now))
        feed = codec.decode_feed(answer.body)
        fresh = enrolment.freshness.heard(now, answer.headers.get("date", ""))
        try:
            return self._store(enrolment, answer, feed, transport.feed_subject, fresh)
        except errors.FeedRefused as refusal:
            self._enrolments.heard(fresh)
            if refusal.is_expired and isinstance(differs := fresh.trouble(), errors.ClockDiffers):
                raise differs from refusal
            raise

    def _is_doubtful(self, enrolment: Enrolment) -> bool:
        """A clock that was late and is right again makes a statement seem expired: a new one tells."""
        now = self._clock.now()
        fresh = enrolment.freshness.at(now)
        return fresh.late_s > 0 and now.timestamp() >= fresh.ends

    def _store(
        self, enrolment: Enrolment, answer: Answer, feed: codec.Feed, subject: str, fresh: Freshness
    ) -> Outcome:
        counters = self._enrolments.counters()
        company, about_company = self._company(enrolment, feed.company, counters)
        known = {known_digest: (subject, counter) for subject, (counter, known_digest) in counters.items()}
        unseen = [document for document in feed.campaigns if digest(document) not in known]
        verdicts, statement = self._campaign_verdicts(enrolment, feed, unseen, counters, subject)
        told = {verdict.digest: (verdict.subject, verdict.counter) for verdict in verdicts} | known
        if statement is not None:
            before, fresh = fresh.issued, _checked(statement, fresh, self._clock.now())
            _compare(statement, about_company.counter, [told[digest(each)] for each in feed.campaigns])
            if statement.issued < before:
                _not_older(statement, counters, about_company)
        elif fresh.issued:
            raise errors.FeedRefused("no statement, although there were some")
        campaigns, new_counters, refused = _read(verdicts)
        trials = self._new_trials(enrolment, feed, subject)
        still_named = {known[d][0] for document in feed.campaigns if (d := digest(document)) in known}
        named = still_named | {campaign.campaign_id for campaign in campaigns}
        if company is not None:
            new_counters[about_company.subject] = (about_company.counter, about_company.digest)
        self._campaigns.apply_feed(
            campaigns,
            named,
            new_counters,
            msgspec.json.encode(company) if company is not None else None,
            etag="" if _worth_asking_again(verdicts) else _etag(answer),
            owner=enrolment.owner,
            person=feed.person,
            poll_interval_s=feed.poll_interval_s,
            now=self._clock.now(),
            is_check=fresh.issued > enrolment.freshness.issued or fresh.confirms,
            expires={verdict.subject: verdict.expires for verdict in verdicts},
            freshness=fresh,
        )
        self._trials.apply({digest(document) for document in feed.trials}, trials)
        interval = _until_it_counts(feed.poll_interval_s, fresh, self._clock.now())
        return Outcome(True, refused + bool(about_company.problem), interval)

    def _company(
        self, enrolment: Enrolment, document: str, counters: dict[str, tuple[int, str]]
    ) -> tuple[Company | None, VerifyResult]:
        """The company, if its document is new and good, and what was found out about the document."""
        counter, known_digest = counters.get(enrolment.company_id, (0, ""))
        if known_digest == digest(document):
            return None, VerifyResult(known_digest, subject=enrolment.company_id, counter=counter)
        (verdict,) = self._verifier.verify(
            self._question(enrolment, codec.COMPANY_DOCUMENT, [document], counters)
        )
        try:
            if verdict.problem:
                raise errors.DocumentRefused(verdict.problem)
            company = codec.decode_company(enrolment.company_id, bytes(verdict.content))
            if company.region is not enrolment.company.region:
                raise errors.DocumentRefused(f"another region: {company.region}")
        except errors.DocumentRefused as error:
            log.warning("The company document was refused: %s", error.detail)
            return None, msgspec.structs.replace(verdict, problem=error.detail)
        return company, verdict

    def _campaign_verdicts(
        self,
        enrolment: Enrolment,
        feed: codec.Feed,
        unseen: Sequence[str],
        counters: dict[str, tuple[int, str]],
        subject: str,
    ) -> tuple[Sequence[VerifyResult], VerifyResult | None]:
        """One for each unseen campaign, and that of the statement, if there is one."""
        question = self._question(enrolment, codec.CAMPAIGN_DOCUMENT, unseen, counters)
        question = msgspec.structs.replace(question, statement=feed.statement or "", subject=subject)
        verdicts = self._verifier.verify(question)
        return (verdicts[:-1], verdicts[-1]) if feed.statement else (verdicts, None)

    def _new_trials(
        self, enrolment: Enrolment, feed: codec.Feed, subject: str
    ) -> dict[str, tuple[Campaign, int]]:
        """The tests of a feed that are not known yet, if they are good: the campaign of each, and when it expires."""
        known = self._trials.digests()
        unseen = [document for document in feed.trials if digest(document) not in known]
        found: dict[str, tuple[Campaign, int]] = {}
        if not unseen:
            return found
        for verdict in self._verifier.verify(self._question(enrolment, codec.TRIAL_DOCUMENT, unseen, {})):
            try:
                if verdict.problem:
                    raise errors.DocumentRefused(verdict.problem)
                trial = codec.decode_trial(verdict.subject, subject, bytes(verdict.content))
            except errors.DocumentRefused as error:
                log.warning("A test was refused: %s", error.detail)
                continue
            found[verdict.digest] = (trial, verdict.expires)
        return found

    def _question(
        self, enrolment: Enrolment, kind: str, documents: Sequence[str], counters: dict[str, tuple[int, str]]
    ) -> VerifyRequest:
        now = int(self._clock.now().timestamp())
        return VerifyRequest(kind, enrolment.company_id, enrolment.keys, now, tuple(documents), counters)


def _checked(statement: VerifyResult, fresh: Freshness, now: datetime) -> Freshness:
    """With a statement that is good and no older than one seen. Raises FeedRefused."""
    if statement.issued and not fresh.may_be_followed_by(statement.issued, now):
        raise errors.FeedRefused("an older statement than one that was seen")
    if statement.problem:
        is_expired = statement.problem == EXPIRED
        raise errors.FeedRefused(f"statement: {statement.problem}", is_expired=is_expired)
    return fresh.stated(statement.issued, statement.expires, now)


def _compare(statement: VerifyResult, company: int, campaigns: Sequence[tuple[str, int]]) -> None:
    """Whether a feed holds the documents that its statement lists, each once, and no other. Raises FeedRefused."""
    try:
        listed = codec.decode_statement(bytes(statement.content))
    except errors.DocumentRefused as error:
        raise errors.FeedRefused(error.detail) from error
    if company != listed.company or sorted(campaigns) != sorted(listed.campaigns.items()):
        raise errors.FeedRefused("other documents than its statement lists")


def _not_older(statement: VerifyResult, counters: dict[str, tuple[int, str]], company: VerifyResult) -> None:
    """Whether a statement lists nothing older than what was seen. Raises FeedRefused."""
    listed = codec.decode_statement(bytes(statement.content)).campaigns | {company.subject: company.counter}
    if any(counter < counters.get(subject, (0, ""))[0] for subject, counter in listed.items()):
        raise errors.FeedRefused("an older document than one that was seen")


def _read(verdicts: Sequence[VerifyResult]) -> tuple[list[Campaign], dict[str, tuple[int, str]], int]:
    """The campaigns that passed, their counters, and how many did not."""
    campaigns: dict[str, Campaign] = {}
    counters: dict[str, tuple[int, str]] = {}
    refused = 0
    for verdict in verdicts:
        try:
            if verdict.problem:
                raise errors.DocumentRefused(verdict.problem)
            campaign = codec.decode_campaign(verdict.subject, verdict.counter, bytes(verdict.content))
        except errors.DocumentRefused as error:
            log.warning("An announcement was refused: %s", error.detail)
            refused += 1
            continue
        campaigns[campaign.campaign_id] = campaign
        counters[campaign.campaign_id] = (verdict.counter, verdict.digest)
    return list(campaigns.values()), counters, refused


def _interval(answer: Answer, current: int) -> int:
    """The server-set poll interval, in seconds, kept within the policy."""
    value = answer.headers.get("tidings-poll-interval", "")
    if not value.isdecimal() or len(value) > 6:
        return current
    return min(max(int(value), limits.POLL_INTERVAL_MIN_S), limits.POLL_INTERVAL_MAX_S)


def _until_it_counts(interval_s: int, fresh: Freshness, now: datetime) -> int:
    """No later than when the statement expires, so that a server which repeats itself is noticed in time."""
    left = fresh.ends - int(now.timestamp())
    return min(interval_s, max(left, limits.POLL_INTERVAL_MIN_S)) if left > 0 else interval_s


def _worth_asking_again(verdicts: Sequence[VerifyResult]) -> bool:
    """An expired document may be good once this computer's clock is right again; nothing else gets better by itself."""
    return any(verdict.problem == EXPIRED for verdict in verdicts)


def _etag(answer: Answer) -> str:
    """The feed's entity tag (RFC 9110 section 8.8.3), if it is one that can be sent back."""
    value = answer.headers.get("etag", "")
    return value if re.fullmatch(r'(W/)?"[\x21\x23-\x7e]{0,200}"', value) else ""
