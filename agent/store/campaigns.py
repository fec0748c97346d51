"""The campaigns received, and what this computer knows about each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

import msgspec

from agent.domain import errors, limits
from agent.domain.freshness import Freshness
from agent.domain.model import Campaign, CampaignState, CampaignStatus, FeedbackSignal, InboxItem, Person
from agent.domain.msgspec_warmup import decode_json
from agent.domain.ports import Clock
from agent.store.database import Database, decoding
from agent.store.sealing import is_sealed

_LIKES_A_DAY = 1_000
_LAST_TIME = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "content, received, listed, displayed, popped_up, is_read, liked, remind_at, remind_login, acknowledged,"
    " expires"
)
_Row = tuple[bytes, str, int, str | None, str | None, int, int, str | None, str, str | None, int]
_VALID = "expires > ?"
"""The document's own end has not come."""


class CampaignStore:
    """Campaigns as they were signed, with what this computer knows of each: read, shown, liked, postponed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._decoded: WeakValueDictionary[bytes, Campaign] = WeakValueDictionary()
        """What a window holds, or selection judged last, is not decoded again."""
        self._judged: list[InboxItem] = []

    def check(self) -> None:
        """Raises StoreUnreadable where it could not be opened: nothing can be kept, and nobody knows what is missing."""
        self._database.check()

    def apply_feed(
        self,
        changed: Iterable[Campaign],
        listed: Iterable[str],
        counters: Mapping[str, tuple[int, str]],
        company: bytes | None,
        *,
        etag: str,
        poll_interval_s: int,
        now: datetime,
        is_check: bool,
        owner: tuple[str, bytes],
        person: Person,
        expires: Mapping[str, int],
        freshness: Freshness,
    ) -> None:
        """Store one feed, whole or not at all. ``listed``: the ids of all campaigns that it names.

        ``is_check``: whether it tells that nothing was missing ``now``.

        ``owner``: company and person that it was asked for. Raises NotConnected when these left meanwhile.
        ``person``: the same as the company describes them now. ``expires``: when each changed document does, in Unix
        seconds.

        What the person did with a campaign stays when its content changes; a recalled campaign's text is overwritten by
        the recall.
        """
        moment = now.isoformat()
        with self._database.transaction() as connection:
            if not connection.execute(
                "SELECT 1 FROM enrolment WHERE company_id = ? AND person = ?", owner
            ).fetchone():
                raise errors.NotConnected("the enrolment changed during a poll")
            connection.executemany(
                "INSERT INTO campaign (campaign_id, content, starts, received, recalled, expires)"
                " VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (campaign_id) DO UPDATE SET content = excluded.content, starts = excluded.starts,"
                " recalled = excluded.recalled, expires = excluded.expires",
                [
                    (
                        c.campaign_id,
                        msgspec.json.encode(c),
                        c.starts.isoformat(),
                        moment,
                        c.status == CampaignStatus.RECALLED,
                        expires.get(c.campaign_id) or _latest_expiry(c),
                    )
                    for c in changed
                ],
            )
            connection.execute("UPDATE campaign SET listed = 0")
            connection.executemany(
                "UPDATE campaign SET listed = 1 WHERE campaign_id = ?", [(id,) for id in listed]
            )
            connection.executemany(
                "INSERT OR REPLACE INTO counter (subject, counter, digest) VALUES (?, ?, ?)",
                [(subject, counter, digest) for subject, (counter, digest) in counters.items()],
            )
            if company is not None:
                connection.execute("UPDATE enrolment SET company = ?", (company,))
            connection.execute(
                "UPDATE enrolment SET etag = ?, poll_interval_s = ?, last_check = coalesce(?, last_check), person = ?,"
                " freshness = ?",
                (
                    etag,
                    poll_interval_s,
                    moment if is_check else None,
                    msgspec.json.encode(person),
                    msgspec.json.encode(freshness),
                ),
            )

    def inbox(self, newest: int | None = None, only: Collection[str] | None = None) -> list[InboxItem]:
        """Every campaign but those recalled or expired, newest first; ``newest``: at most so many; ``only``: of these ids."""
        limit = -1 if newest is None else newest
        if only is None:
            return self._items(
                f"recalled = 0 AND {_VALID} ORDER BY starts DESC, campaign_id LIMIT ?", self._now(), limit
            )
        if not only:
            return []
        return self._items(
            f"recalled = 0 AND {_VALID} AND campaign_id IN (SELECT value FROM json_each(?))"
            " ORDER BY starts DESC, campaign_id LIMIT ?",
            self._now(),
            msgspec.json.encode(sorted(only)).decode(),
            limit,
        )

    def kept(self) -> list[InboxItem]:
        """Every campaign but the recalled ones, newest first: also what is no longer shown because it expired."""
        return self._items("recalled = 0 ORDER BY starts DESC, campaign_id")

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def candidates(self) -> list[InboxItem]:
        """What selection has to judge: campaigns that the last feed named, and those with a reminder."""
        self._judged = self._items(
            f"(listed = 1 OR remind_at IS NOT NULL OR remind_login != '') AND {_VALID} ORDER BY starts, campaign_id",
            self._now(),
        )
        return self._judged

    def _items(self, condition: str, *values: str | int) -> list[InboxItem]:
        with self._database.reading() as connection:
            rows = connection.sealed(_COLUMNS, "campaign", f"WHERE {condition}", values)
        return [self._item(row) for row in rows]

    def _item(self, row: _Row) -> InboxItem:
        content = row[0]
        with decoding("campaign"):
            key = hashlib.blake2b(content, digest_size=16).digest()
            campaign = self._decoded.get(key)
            if campaign is None:
                campaign = self._decoded[key] = decode_json(content, Campaign)
            return InboxItem(campaign, _state(row))

    def get(self, campaign_id: str) -> InboxItem | None:
        """One campaign, None where it is not here or no longer valid."""
        with self._database.reading() as connection:
            rows = connection.sealed(
                _COLUMNS, "campaign", f"WHERE campaign_id = ? AND {_VALID}", (campaign_id, self._now())
            )
        return self._item(rows[0]) if rows else None

    def unread(self) -> int:
        """How many that are valid now nobody has read; recalled ones do not count."""
        with self._database.reading() as connection:
            ((count,),) = connection.execute(
                f"SELECT count(*) FROM campaign WHERE is_read = 0 AND recalled = 0 AND {_VALID}",
                (self._now(),),
            )
        return int(count)

    def displayed(self, campaign_ids: Iterable[str], now: datetime) -> None:
        """A pop-up with them appeared; a reminder that led to it is done. All are noted, or none."""
        moment = now.isoformat()
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE campaign SET displayed = ?, remind_at = NULL, remind_login = '', popped_up ="
                " CASE WHEN remind_at IS NULL AND remind_login = '' THEN ? ELSE popped_up END WHERE campaign_id = ?",
                [(moment, moment, campaign_id) for campaign_id in campaign_ids],
            )

    def read(self, campaign_id: str) -> None:
        """Mark as read. Raises DiskFault."""
        self._set(campaign_id, "is_read = 1")

    def mark(self, campaign_ids: Iterable[str], *, read: bool, now: datetime) -> None:
        """What is marked as unread was displayed all the same: it does not pop up again."""
        moment = now.isoformat()
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE campaign SET is_read = ?, displayed = coalesce(displayed, ?) WHERE campaign_id = ?",
                [(int(read), moment, campaign_id) for campaign_id in campaign_ids],
            )

    def remind(self, campaign_id: str, moment: datetime) -> None:
        """Bring it again at this moment (UTC), in place of an earlier reminder. Raises DiskFault."""
        self._set(campaign_id, "remind_at = ?, remind_login = ''", moment.isoformat())

    def remind_after(self, campaign_id: str, login: str) -> None:
        """At another login than this."""
        self._set(campaign_id, "remind_at = NULL, remind_login = ?", login)

    def like(self, campaign_id: str, liked: bool, now: datetime) -> int:
        """Remember the heart. Returns the sequence number of this change; 0 if the campaign is gone.

        Each day's numbers begin where docs/protocol says, so that the last act counts, on whichever computer it was.
        """
        least = _LIKES_A_DAY * (now - _EPOCH).days
        with self._database.transaction() as connection:
            row = connection.execute(
                "UPDATE campaign SET liked = ?, like_seq = max(like_seq + 1, ?)"
                f" WHERE campaign_id = ? AND {is_sealed('campaign')} RETURNING like_seq",
                (int(liked), least, campaign_id),
            ).fetchone()
        return int(row[0]) if row else 0

    def claim_seen(self, campaign_id: str) -> bool:
        """Whether no *seen* was made yet for this campaign; from now on one was."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "UPDATE campaign SET seen_event = 1 WHERE campaign_id = ? AND seen_event = 0"
                f" AND {is_sealed('campaign')} RETURNING 1",
                (campaign_id,),
            ).fetchone()
        return row is not None

    def unclaim_seen(self, campaign_id: str) -> None:
        """The *seen* could not be made after all."""
        self._set(campaign_id, "seen_event = 0")

    def forget_signal(self, signal: FeedbackSignal) -> None:
        """Consent was withdrawn: no trace stays of which signals were made."""
        if signal is FeedbackSignal.SEEN:
            with self._database.transaction() as connection:
                changed = connection.execute(
                    "UPDATE campaign SET seen_event = 0 WHERE seen_event = 1"
                ).rowcount
            if changed:
                self.forget_copies()

    def forget_copies(self) -> None:
        """No older or damaged copy of the store tells what this one does not tell any more. Raises DiskFault."""
        self._database.forget_copies()

    def _set(self, campaign_id: str, assignment: str, *values: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                f"UPDATE campaign SET {assignment} WHERE campaign_id = ?", (*values, campaign_id)
            )


def _latest_expiry(campaign: Campaign) -> int:
    """Of a document that says no end of its own (docs/protocol)."""
    return int((campaign.ends + timedelta(days=limits.CAMPAIGN_AFTERLIFE_DAYS)).timestamp())


def _state(row: _Row) -> CampaignState:
    (
        _,
        received,
        listed,
        displayed,
        popped_up,
        is_read,
        liked,
        remind_at,
        remind_login,
        acknowledged,
        expires,
    ) = row
    return CampaignState(
        received=datetime.fromisoformat(received),
        listed=bool(listed),
        displayed=datetime.fromisoformat(displayed) if displayed else None,
        popped_up=datetime.fromisoformat(popped_up) if popped_up else None,
        read=bool(is_read),
        liked=bool(liked),
        remind_at=datetime.fromisoformat(remind_at) if remind_at else None,
        remind_after_login=remind_login,
        acknowledged=datetime.fromisoformat(acknowledged) if acknowledged else None,
        expires=datetime.fromtimestamp(min(expires, _LAST_TIME), UTC),
    )
