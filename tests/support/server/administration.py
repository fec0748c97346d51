"""The administration API, spoken by hand: every call that the server describes, with an example of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests

from tests.support.server import bulk_data
from tests.support.waiting import PATIENCE_S

ADMIN = "/api/v1/admin"


@dataclass(frozen=True)
class Call:
    """One call of the API. `right` is what the description says that it needs."""

    method: str
    path: str
    right: str = ""
    body: Any = None

    def send(self, url: str, token: str | None, **names: str) -> requests.Response:
        """Make the call; `names` fill in the path and the texts of the body."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        path = self.path.format(**names)
        return requests.request(
            self.method, f"{url}{path}", json=_filled(self.body, names), headers=headers, timeout=PATIENCE_S
        )


@dataclass(frozen=True)
class Examples:
    """A body for each call that has one, by method and path."""

    bodies: Mapping[tuple[str, str], Any] = field(
        default_factory=lambda: {
            ("POST", f"{ADMIN}/erasures"): {"emails": ["{email}"]},
            ("POST", f"{ADMIN}/corrections/{{number}}"): {"decision": "decline"},
            ("POST", f"{ADMIN}/campaigns"): {"file": "none"},
            ("POST", f"{ADMIN}/emergencies"): {"file": "none", "reason": "A fire drill"},
            ("POST", f"{ADMIN}/recalls"): {"campaign_id": "{campaign_id}"},
        }
    )

    def calls(self, url: str) -> list[Call]:
        """Every call of the description, the harmless ones first. A new one that takes a body needs an example here."""
        paths = requests.get(f"{url}/api/v1/openapi.json", timeout=PATIENCE_S).json()["paths"]
        found = []
        for path, methods in paths.items():
            for method, described in methods.items():
                key = (method.upper(), path)
                is_ours = path.startswith(ADMIN)
                assert not is_ours or "requestBody" not in described or key in self.bodies, (
                    f"no example: {key}"
                )
                right = described.get("x-tidings-right", "")
                found.append(Call(*key, right, self.bodies.get(key)))
        return sorted(found, key=lambda call: (call.method != "GET", call.path))


def _filled(body: Any, names: Mapping[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, names) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, names) for value in body]
    return body.format(**names) if isinstance(body, str) else body


def token_for(role: str, lasts: timedelta = timedelta(days=1)) -> str:
    """A token of the first company. Within `ServerHome.opened()`."""
    from server.access.roles import Role
    from server.access.tokens import create

    return create(bulk_data.company(), Role(role), "for tests", lasts, "test")[1]
