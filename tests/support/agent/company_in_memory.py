"""A company's server in memory, for faults that a real one would never commit. It keeps what a real one would keep."""

import base64
import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.contract.golden_documents import (
    COMPANY_CONTENT,
    COMPANY_ID,
    PUBLIC_KEYS,
    RECEIPT_CONTENT,
    RECEIPT_SIGNER,
    campaign,
    payload,
    signed,
    variant,
)
from tests.support.agent.own_data import OwnData
from tests.support.agent.scripted_server import LOST, Reply, Request, json_reply, problem

TOKEN = "tdt_" + "a" * 40
PERSON = {"email": "ada@northwind.example", "first_name": "Ada"}
FAR = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())

Fault = Callable[[Request, Callable[[], Reply]], Reply]
"""What answers instead of the company; given a way to the company's own answer."""


def lost_answer(_: Request, answer: Callable[[], Reply]) -> Reply:
    """The server does its work, and nobody hears of it."""
    answer()
    return Reply(LOST)


def instead(reply: Reply) -> Fault:
    """An answer that is not the company's."""
    return lambda _request, _answer: reply


def running(title: str, **changes: Any) -> dict[str, Any]:
    """The content of a campaign that runs from an hour ago for a week."""
    now = datetime.now(UTC).replace(microsecond=0)
    times = {"starts": now - timedelta(hours=1), "ends": now + timedelta(days=7)}
    written = {name: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in times.items()}
    link = {"link_id": "l1", "label": "Read more", "url": "https://intranet.northwind.example/"}
    return campaign(en=variant(title, links=[link])) | written | changes


def recalled(content: dict[str, Any]) -> dict[str, Any]:
    """The content of the same campaign, called back."""
    return content | {"status": "recalled", "sender": "", "acknowledge": False, "variants": {}}


def claims(document: str) -> dict[str, Any]:
    """The payload of a signed document."""
    body = document.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return said


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


class Company:
    """Answers as docs/protocol says; `faults` are met one by one, before it answers properly again."""

    def __init__(self, company_id: str = COMPANY_ID) -> None:
        self.company_id = company_id
        self.counter = 10
        self.content: dict[str, Any] = dict(COMPANY_CONTENT)
        self.media: dict[str, bytes] = {}
        self.faults: deque[Fault] = deque()
        self.poll_interval_s = 60
        self.token = TOKEN
        self.next_hash = ""
        self.person = dict(PERSON)
        self.codes = {"KX7P9QMD2HTV"}
        self.retries: dict[str, str | None] = {}
        """The secret of each code that was used."""
        self.consents: dict[str, str] = {}
        self.signals: dict[str, str] = {}
        self.withdrawals: list[dict[str, Any]] = []
        self.ended: dict[str, dict[str, Any]] = {}
        """Receipts that no longer count, and the withdrawal that ended each."""
        self.events: dict[str, dict[str, Any]] = {}
        self.acknowledged: dict[str, dict[str, Any]] = {}
        """What was confirmed, by campaign: the first counts."""
        self.documents: dict[str, str] = {}
        self.trials: list[str] = []
        """Documents of the person's test, for agents that take one."""
        self.is_stating = False
        """Whether it is new enough to sign statements of its feeds."""
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.own_data = OwnData(self)
        self.lock = threading.Lock()
        self.sign_company()

    def sign_company(self, **changes: Any) -> None:
        """Sign the company document anew, with these changes to its content."""
        self.counter += 1
        self.content |= changes
        claims = payload(self.company_id, self.content, self.counter, FAR)
        self.company = signed("tidings-company", claims | {"iss": self.company_id})

    def publish(self, campaign_id: str, content: dict[str, Any] | None = None) -> str:
        """Sign a campaign and put it in the feed. Answers the document."""
        self.counter += 1
        document = payload(campaign_id, content or running(f"About {campaign_id}"), self.counter, FAR)
        self.documents[campaign_id] = signed("tidings-campaign", document)
        return self.documents[campaign_id]

    def try_out(self, content: dict[str, Any], token: str | None = None, **changes: Any) -> str:
        """Sign a test for the computer with this token, and put it in the feed. Answers the document."""
        said = {"computers": [self.subject(token)], "campaign": content}
        now = int(self.now().timestamp())
        document = payload("t-0123456789abcdef", said, 0, now + 3600) | {"iat": now} | changes
        self.trials = [signed("tidings-trial", document)]
        return self.trials[0]

    def subject(self, token: str | None = None) -> str:
        """How documents name the computer with this token."""
        hashed = hashlib.sha256((token or self.token).encode()).hexdigest()
        return hashlib.sha256(f"tidings feed {hashed}".encode()).hexdigest()

    @property
    def feed(self) -> dict[str, Any]:
        """What a poll answers."""
        return {
            "v": 1,
            "person": self.person,
            "company": self.company,
            "campaigns": list(self.documents.values()),
            "poll_interval_s": self.poll_interval_s,
        }

    def counted(self, signal: str, receipt_id: str | None = None) -> list[dict[str, Any]]:
        """The events stored of a signal, of one receipt or of all."""
        return [
            event
            for event in self.events.values()
            if event["signal"] == signal and receipt_id in (None, event["receipt_id"])
        ]

    def in_force(self) -> list[str]:
        """The receipts that were given and that no withdrawal ended: one may end several."""
        return [
            each for each, status in self.consents.items() if status == "given" and each not in self.ended
        ]

    def __call__(self, request: Request) -> Reply:
        with self.lock:
            fault = self.faults.popleft() if self.faults else None
            if fault is not None:
                return fault(request, lambda: self._answer(request))
            return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        reply = self._reply(request)
        return replace(
            reply, headers={"Date": format_datetime(self.now(), usegmt=True)} | dict(reply.headers)
        )

    def _reply(self, request: Request) -> Reply:
        path = request.path.removeprefix("/api/v1/")
        if path == "health":
            return json_reply({"status": "ok"})
        if path == "enrolments":
            return self._enrol(json.loads(request.body))
        if not self._lets_in(request.header("Authorization").removeprefix("Bearer ")):
            return problem(401, "unauthorized")
        if path == "feed":
            return self._feed(request)
        if path == "signals":
            return json_reply({"results": [self._store(each) for each in json.loads(request.body)["events"]]})
        if path == "acknowledgements":
            return self._acknowledge(json.loads(request.body))
        if path == "consents":
            return self._consent(json.loads(request.body), request.header("Tidings-Receipts") == "answering")
        if path == "me":
            return self.own_data(request)
        if path.startswith("device"):
            return self._device(request)
        return self._media(request, path.removeprefix("media/"))

    def _device(self, request: Request) -> Reply:
        if request.method == "POST":
            self.next_hash = json.loads(request.body)["next_sha256"]
        else:
            self.token = ""
        return Reply(204)

    def _lets_in(self, token: str) -> bool:
        if self.next_hash and hashlib.sha256(token.encode()).hexdigest() == self.next_hash:
            self.token, self.next_hash = token, ""
        return token == self.token

    def _enrol(self, body: dict[str, Any]) -> Reply:
        code, secret = body["code"], body.get("retry_secret")
        if code not in self.codes and (secret is None or self.retries.get(code) != secret):
            return problem(404, "invalid-code")
        self.codes.discard(code)
        self.retries[code] = secret
        answer = {
            "device_token": self.token,
            "company_id": self.company_id,
            "person": self.person,
            "keys": PUBLIC_KEYS,
        }
        return json_reply(answer | {"company": self.company}, 201)

    def statement(self, token: str | None = None) -> str:
        """What is assigned now, to the computer with this token."""
        now = int(self.now().timestamp())
        listed = {
            "company": claims(self.company)["ctr"],
            "campaigns": {(said := claims(each))["sub"]: said["ctr"] for each in self.documents.values()},
        }
        stated = payload(self.subject(token), listed, 0, now + 48 * 3600) | {"iat": now}
        return signed("tidings-feed", stated, RECEIPT_SIGNER)

    def _feed(self, request: Request) -> Reply:
        stated = self.is_stating and request.header("Tidings-Feed") == "signed"
        period = int(self.now().timestamp()) // (12 * 3600) if stated else 0
        takes = self.trials and request.header("Tidings-Trials") == "shown"
        feed = self.feed | ({"trials": self.trials} if takes else {})
        etag = f'"{hashlib.sha256(json.dumps(feed).encode()).hexdigest()}-{period}"'
        headers = {
            "ETag": etag,
            "Tidings-Poll-Interval": str(self.poll_interval_s),
            "Date": format_datetime(self.now(), usegmt=True),
        }
        if request.header("If-None-Match") == etag:
            return Reply(304, b"", headers)
        return json_reply(feed | ({"statement": self.statement()} if stated else {}), headers=headers)

    def _store(self, event: dict[str, Any]) -> dict[str, str]:
        status = "duplicate"
        receipt_id = event["receipt_id"]
        if self.consents.get(receipt_id) != "given" or receipt_id in self.ended:
            status = "dropped_consent"
        elif event["event_id"] not in self.events:
            self.events[event["event_id"]] = event
            status = "stored"
        return {"event_id": event["event_id"], "status": status, "reason": ""}

    def _acknowledge(self, body: dict[str, Any]) -> Reply:
        status, reason = "refused", "This campaign does not ask for it."
        if body["campaign_id"] in self.documents:
            kept = self.acknowledged.setdefault(body["campaign_id"], body)
            status, reason = "stored" if kept is body else "duplicate", ""
        return json_reply({"event_id": body["event_id"], "status": status, "reason": reason})

    def _consent(self, body: dict[str, Any], names_consent: bool) -> Reply:
        receipt_id, signal, status = body["receipt_id"], body["signal"], body["status"]
        ended = self.ended.get(receipt_id)
        if ended and (status == "given" or ended["receipt_id"] == receipt_id):
            return self._receipt(ended, receipt_id if names_consent else "")
        if status == "given" and receipt_id in self.consents:
            return self._receipt(body)
        if status == "given":
            if body["notice_version"] != self.content["notice"]["version"]:
                return problem(409, "notice-changed")
            later = [each for each in self.withdrawals if each["signal"] == signal]
            given, now = _moment(body["time"]), self.now()
            is_ahead = given > now + timedelta(hours=1)
            if later and (is_ahead or min(_moment(later[-1]["time"]), later[-1]["received"]) > given):
                self.ended[receipt_id] = later[-1]
                return self._receipt(later[-1], receipt_id if names_consent else "")
            self.consents[receipt_id], self.signals[receipt_id] = status, signal
            return self._receipt(body)
        withdrawal = body | {"erased": len(self.counted(signal)), "received": self.now()}
        self.withdrawals.append(withdrawal)
        self.consents[receipt_id] = status
        of_signal = {each for each, known in self.signals.items() if known == signal} | {receipt_id}
        self.ended |= dict.fromkeys(of_signal - set(self.ended), withdrawal) | {receipt_id: withdrawal}
        self.events = {key: each for key, each in self.events.items() if each["signal"] != signal}
        return self._receipt(withdrawal)

    def _receipt(self, said: dict[str, Any], answers: str = "") -> Reply:
        said = {name: value for name, value in said.items() if name != "received"}
        if answers not in ("", said["receipt_id"]):
            said["answers"] = answers
        document = payload(said["receipt_id"], RECEIPT_CONTENT | said, 0, FAR)
        return json_reply({"receipt": signed("tidings-receipt", document, RECEIPT_SIGNER)})

    def _media(self, request: Request, sha256: str) -> Reply:
        content = self.media.get(sha256)
        if content is None:
            return problem(404, "not-found")
        asked = request.header("Range")
        if not asked:
            return Reply(200, content, {"Content-Type": "video/mp4"})
        start = int(asked.removeprefix("bytes=").partition("-")[0])
        where = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Reply(206, content[start:], {"Content-Type": "video/mp4", "Content-Range": where})
