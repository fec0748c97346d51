"""The OpenAPI description, and what happens when it is played against the running server."""

import subprocess
import sys
from pathlib import Path

import requests

from tests.support import server_data
from tests.support.administration import ADMIN, token_for
from tests.support.campaign_server import ServerHome
from tests.support.wire import an_hour_ago

EXAMPLES = "25"
FILES = "/(campaigns|emergencies)$"


def _schemathesis(url: str, token: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Let schemathesis try the server, with all of its checks."""
    program = Path(sys.executable).parent / "schemathesis"
    options = (
        "--max-examples",
        EXAMPLES,
        "--seed",
        "1",
        "--no-color",
        "-H",
        f"Authorization: Bearer {token}",
    )
    return subprocess.run(
        [program, "run", f"{url}/api/v1/openapi.json", *options, *words],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_requests_of_all_kinds_never_make_the_server_fail(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        tokens = server_data.add_computers(server_data.add_people(2))
        administrator = token_for("administrator")
        server_data.publish(
            "c-film", starts=an_hour_ago(), media=[server_data.add_media(b"film", "video/mp4")]
        )
    with home.running("--requests-per-minute", "0") as server:
        for token, words in (
            (tokens[0], ("--exclude-method", "DELETE", "--exclude-path-regex", f"{ADMIN}|/me$")),
            # What a correction or a campaign file may hold is more than a schema can say.
            (tokens[0], ("--include-path-regex", "/me$", "--exclude-checks", "positive_data_acceptance")),
            (administrator, ("--include-path-regex", ADMIN, "--exclude-path-regex", FILES)),
            (administrator, ("--include-path-regex", FILES, "--exclude-checks", "positive_data_acceptance")),
            # Deleting the device ends the token, so it is tried by itself, afterwards.
            (tokens[1], ("--include-method", "DELETE")),
        ):
            done = _schemathesis(server.url, token, *words)
            assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in server.process.output()


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
        ("GET", "/api/v1/health"),
    }
