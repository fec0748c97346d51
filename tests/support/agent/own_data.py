"""What a company in memory answers to a person about their own data: `/api/v1/me` as docs/protocol says."""

import json
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.support.agent.scripted_server import Reply, Request, json_reply, problem

DIRECTORY = ("email", "last_name")
"""Fields that the directory owns: a correction of them becomes a request."""


class Keeper(Protocol):
    """Who keeps the data: the company in memory."""

    content: dict[str, Any]
    person: dict[str, str]
    events: dict[str, dict[str, Any]]
    acknowledged: dict[str, dict[str, Any]]
    consents: dict[str, str]
    documents: dict[str, str]


class OwnData:
    """Answers GET and PATCH."""

    def __init__(self, company: Keeper) -> None:
        self._company = company
        self.details: dict[str, Any] = {
            "email": company.person["email"],
            "first_name": company.person["first_name"],
            "last_name": "Lovelace",
            "title": "",
            "work_landline": "",
            "work_cell": "",
            "site_addresses": ["1 Analytical Street", "London"],
        }
        self.requested: dict[str, Any] = {}
        self.other: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, request: Request) -> Reply:
        if request.method == "PATCH":
            return self._correct(json.loads(request.body)["details"])
        return json_reply(self.all(), headers={"Cache-Control": "no-store"})

    def all(self) -> dict[str, Any]:
        """All that is held."""
        content = self._company.content
        named = ("campaign_id", "event_id", "signal", "date")
        return {
            "v": 1,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "controller": {name: content[name] for name in ("name", "dpo_name", "dpo_email", "region")}
            | {"notice_version": content["notice"]["version"]},
            "details": [self._detail(name, value) for name, value in self.details.items()],
            "groups": ["Everyone in London"],
            "computers": [
                {
                    "platform": "linux",
                    "agent_version": "0.1.0",
                    "enrolled": "2026-11-23T08:00:00Z",
                    "revoked": None,
                    "this": True,
                }
            ],
            "consents": [],
            "signals": [
                {name: event[name] for name in named}
                | {"link_id": event.get("link_id", ""), "value": event.get("value"), "seq": event.get("seq")}
                for event in self._company.events.values()
            ],
            "acknowledgements": list(self._company.acknowledged.values()),
            "campaigns": [
                {"campaign_id": name, "title": f"About {name}", "addressed": "everyone"}
                for name in self._company.documents
            ],
            "other": self.other,
        }

    def _detail(self, name: str, value: Any) -> dict[str, Any]:
        owner = "directory" if name in DIRECTORY else "person"
        return {"field": name, "value": value, "owner": owner, "requested": self.requested.get(name)}

    def _correct(self, changes: dict[str, Any]) -> Reply:
        for name, value in changes.items():
            if isinstance(value, str) and "\n" in value:
                reply = problem(422, "invalid-request", {})
                body = json.loads(reply.body) | {"detail": f"{name}: one line is due"}
                return Reply(422, json.dumps(body).encode(), reply.headers)
        results = []
        for name, value in changes.items():
            status = "unchanged"
            if self.details[name] != value:
                status = "requested" if name in DIRECTORY else "changed"
                (self.requested if status == "requested" else self.details)[name] = value
            results.append({"field": name, "status": status})
        return json_reply({"results": results})
