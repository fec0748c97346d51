"""Fetches the pictures, videos and logos that are needed and not here, and drops those that no longer are."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from agent.background.connections import Connections, TaskName
from agent.campaigns.media_cache import MediaCache, MediaFile, files_needed
from agent.campaigns.trials import Trials
from agent.domain import errors, limits
from agent.domain.model import Change
from agent.enrolment.service import EnrolmentService
from agent.store.campaigns import CampaignStore
from agent.transport.http_client import ApiClient
from resources import i18n

log = logging.getLogger(__name__)


class MediaFetcher:
    """A file that was refused is tried again later; those that broke off often come last."""

    def __init__(
        self,
        connector: EnrolmentService,
        campaigns: CampaignStore,
        trials: Trials,
        cache: MediaCache,
        connections: Connections,
        notify: Callable[[Change], None],
    ) -> None:
        self._connector = connector
        self._campaigns = campaigns
        self._trials = trials
        self._cache = cache
        self._connections = connections
        self._notify = notify
        self._refused_until: dict[str, float] = {}
        self._unlucky: Counter[str] = Counter()

    def try_refused_again(self) -> None:
        """The feed or the server is another one: what was refused may be right now."""
        self._refused_until.clear()

    def fetch(self) -> float | None:
        """Fetch what is missing. Returns the seconds until what was refused is tried again, None if nothing was.

        Raises TokenRefused, NotConnected, Interrupted and the faults of a server or a disk that is not well.
        """
        self._campaigns.check()
        needed = self._logo()
        trials = self._trials.inbox()
        due = (*trials, *self._campaigns.candidates())
        needed += files_needed((item.campaign for item in due), i18n.language())
        missing = [file for file in needed if not self._cache.holds(file) and self._may_fetch(file)]
        if missing:
            with self._connections.for_once(TaskName.FETCH) as client:
                for file in sorted(missing, key=lambda file: self._unlucky[file.sha256]):
                    self._fetch_one(client, file)
        there = (*trials, *self._campaigns.inbox())
        kept = files_needed((item.campaign for item in there), i18n.language())
        self._cache.evict(self._logo() + kept)
        return limits.MEDIA_RETRY_S if self._refused_until else None

    def _logo(self) -> list[MediaFile]:
        enrolment = self._connector.enrolment()
        logo = enrolment.company.logo if enrolment else None
        return [MediaFile(logo.sha256, logo.size, limits.LOGO_MAX_BYTES)] if logo else []

    def _may_fetch(self, file: MediaFile) -> bool:
        return self._refused_until.get(file.sha256, 0.0) <= time.monotonic()

    def _fetch_one(self, client: ApiClient, file: MediaFile) -> None:
        try:
            self._cache.fetch(client, file)
        except (errors.MediaRefused, errors.Refused) as error:
            if isinstance(error, errors.TokenRefused):
                raise
            log.warning("A file was refused: %s", error.detail)
            self._refused_until[file.sha256] = time.monotonic() + limits.MEDIA_RETRY_S
            return
        except errors.EnvironmentFault:
            self._unlucky[file.sha256] += 1
            raise
        self._refused_until.pop(file.sha256, None)
        self._notify(Change.CAMPAIGNS)
