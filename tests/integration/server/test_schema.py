"""The OpenAPI description. S10 plays it against the running server."""

from pathlib import Path

import requests

from tests.support.server.administration import ADMIN
from tests.support.server.campaign_server import ServerHome


def test_the_description_names_every_call_of_the_protocol(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.running() as server:
        answer = requests.get(f"{server.url}/api/v1/openapi.json", timeout=30)
    described = {
        (method.upper(), path)
        for path, methods in answer.json()["paths"].items()
        if not path.startswith(ADMIN)
        for method in methods
    }
    assert described == {
        ("POST", "/api/v1/enrolments"),
        ("GET", "/api/v1/feed"),
        ("GET", "/api/v1/media/{sha256}"),
        ("POST", "/api/v1/signals"),
        ("POST", "/api/v1/consents"),
        ("POST", "/api/v1/acknowledgements"),
        ("GET", "/api/v1/me"),
        ("PATCH", "/api/v1/me"),
        ("DELETE", "/api/v1/device"),
        ("POST", "/api/v1/device/token"),
        ("GET", "/api/v1/health"),
    }
