"""One idempotent step from the server to the store: ask for the feed, verify what is new, store it whole."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from agent import errors, policy, wire
from agent.model import Campaign, Company
from agent.ports import Answer, Clock, Transport
from agent.store.campaigns import CampaignStore
from agent.store.enrolment import Enrolment, EnrolmentStore
from agent.verifier import EXPIRED, Question, Verdict, Verifier, digest

log = logging.getLogger(__name__)


class Outcome(Struct, frozen=True):
    """``refused``: how many documents of the feed did not pass."""

    changed: bool
    refused: int
    poll_interval_s: int


class Sync:
    def __init__(
        self, enrolments: EnrolmentStore, campaigns: CampaignStore, verifier: Verifier, clock: Clock
    ) -> None:
        self._enrolments = enrolments
        self._campaigns = campaigns
        self._verifier = verifier
        self._clock = clock

    def step(self, transport: Transport) -> Outcome:
        """Raises as the transport does, NotConnected, DiskFault, EnvironmentFault; the store is unchanged then."""
        enrolment = self._enrolments.read()
        if enrolment is None:
            raise errors.NotConnected("sync")
        headers = {"If-None-Match": enrolment.etag} if enrolment.etag else {}
        answer = transport.request("GET", wire.FEED_PATH, headers=headers, max_bytes=policy.FEED_MAX_BYTES)
        if answer.status == 304:
            interval = _interval(answer, enrolment.poll_interval_s)
            self._enrolments.checked(self._clock.now(), interval)
            return Outcome(False, 0, interval)
        return self._store(enrolment, answer, wire.decode_feed(answer.body))

    def _store(self, enrolment: Enrolment, answer: Answer, feed: wire.Feed) -> Outcome:
        counters = self._enrolments.counters()
        company, company_counters, company_refused = self._company(enrolment, feed.company, counters)
        known = {known_digest: subject for subject, (_, known_digest) in counters.items()}
        unseen = [document for document in feed.campaigns if digest(document) not in known]
        verdicts = self._verify(enrolment, wire.CAMPAIGN_DOCUMENT, unseen, counters)
        campaigns, new_counters, refused = _read(verdicts)
        still_named = {known[d] for document in feed.campaigns if (d := digest(document)) in known}
        named = still_named | {campaign.campaign_id for campaign in campaigns}
        self._campaigns.apply_feed(
            campaigns,
            named,
            {**company_counters, **new_counters},
            msgspec.json.encode(company) if company is not None else None,
            etag="" if _worth_asking_again(verdicts) else _etag(answer),
            owner=enrolment.owner,
            person=feed.person,
            poll_interval_s=feed.poll_interval_s,
            now=self._clock.now(),
        )
        return Outcome(True, refused + company_refused, feed.poll_interval_s)

    def _company(
        self, enrolment: Enrolment, document: str, counters: dict[str, tuple[int, str]]
    ) -> tuple[Company | None, dict[str, tuple[int, str]], int]:
        """The company document if it is new and good: the company, its counter, and how many were refused."""
        if counters.get(enrolment.company_id, (0, ""))[1] == digest(document):
            return None, {}, 0
        (verdict,) = self._verify(enrolment, wire.COMPANY_DOCUMENT, [document], counters)
        if verdict.problem:
            log.warning("The company document was refused: %s", verdict.problem)
            return None, {}, 1
        try:
            company = wire.decode_company(enrolment.company_id, bytes(verdict.content))
            if company.region is not enrolment.company.region:
                raise errors.DocumentRefused(f"another region: {company.region}")
        except errors.DocumentRefused as error:
            log.warning("The company document was refused: %s", error.detail)
            return None, {}, 1
        return company, {verdict.subject: (verdict.counter, verdict.digest)}, 0

    def _verify(
        self, enrolment: Enrolment, kind: str, documents: Sequence[str], counters: dict[str, tuple[int, str]]
    ) -> tuple[Verdict, ...]:
        now = int(self._clock.now().timestamp())
        question = Question(kind, enrolment.company_id, enrolment.keys, now, tuple(documents), counters)
        return self._verifier.verify(question)


def _read(verdicts: Sequence[Verdict]) -> tuple[list[Campaign], dict[str, tuple[int, str]], int]:
    """The campaigns that passed, their counters, and how many did not."""
    campaigns: dict[str, Campaign] = {}
    counters: dict[str, tuple[int, str]] = {}
    refused = 0
    for verdict in verdicts:
        try:
            if verdict.problem:
                raise errors.DocumentRefused(verdict.problem)
            campaign = wire.decode_campaign(verdict.subject, verdict.counter, bytes(verdict.content))
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
    return min(max(int(value), policy.POLL_INTERVAL_MIN_S), policy.POLL_INTERVAL_MAX_S)


def _worth_asking_again(verdicts: Sequence[Verdict]) -> bool:
    """An expired document may be good once this computer's clock is right again; nothing else gets better by itself."""
    return any(verdict.problem == EXPIRED for verdict in verdicts)


def _etag(answer: Answer) -> str:
    """The feed's entity tag (RFC 9110 section 8.8.3), if it is one that can be sent back."""
    value = answer.headers.get("etag", "")
    return value if re.fullmatch(r'(W/)?"[\x21\x23-\x7e]{0,200}"', value) else ""
