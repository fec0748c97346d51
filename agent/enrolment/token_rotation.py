"""A new device token every month, which no lost answer, no keychain fault and no sudden end can lock out (ADR 18).

The agent chooses the next token itself and has it in the keychain, beside the present one, before it says its hash. From the
server's answer on it uses the next one. After a start with two it asks which the server knows (``EnrolmentService.client``).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from agent.domain import errors, limits
from agent.domain.ports import Clock, Transport
from agent.enrolment.device_token import DeviceToken
from agent.protocol import codec
from agent.store.settings import SettingStore

log = logging.getLogger(__name__)

DUE = "token_due"


class TokenRotation:
    """Replaces the device token each `TOKEN_PERIOD_DAYS` days, at a moment of this computer's own (ADR 18).

    ``send``: lists what is sent to a path, and sends it.
    """

    def __init__(
        self,
        token: DeviceToken,
        settings: SettingStore,
        clock: Clock,
        send: Callable[[Transport, str, bytes], object],
    ) -> None:
        self._send = send
        self._token = token
        self._settings = settings
        self._clock = clock

    def step(self, client: Transport) -> None:
        """Replace the token if it is time. What fails passes, and is tried again later. Raises TokenRefused, DiskFault."""
        now = self._clock.now()
        due = self._settings.get_time(DUE)
        period = timedelta(days=limits.TOKEN_PERIOD_DAYS)
        if due is None or due - now > 2 * period:  # computers connected long ago do not come all at once
            self._next(now + period * random.uniform(0.1, 1))
        elif due <= now:
            # First, so that a full disk does not make this computer replace its token with every poll.
            self._next(now + timedelta(seconds=limits.TOKEN_RETRY_S))
            self._next(now + self._replace(client, period))

    def _replace(self, client: Transport, period: timedelta) -> timedelta:
        """How long until the next time."""
        try:
            self._send(client, codec.TOKEN_PATH, codec.encode_next_token(self._token.plan()))
        except errors.TokenRefused:
            raise
        except errors.Refused as refusal:
            log.info("The server replaces no tokens: %s", refusal.detail)
            return period
        except errors.EnvironmentFault as error:
            log.info("The token was not replaced: %s", error.detail)
            return timedelta(seconds=limits.TOKEN_RETRY_S)
        self._token.advance()
        share = limits.POLL_JITTER_SHARE
        return period * random.uniform(1 - share, 1 + share)

    def _next(self, moment: datetime) -> None:
        self._settings.set(DUE, moment.isoformat())
