"""S10: whatever the API is sent, by whomever, it does not fail."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, token_for
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago

FREE_FORM = ("--exclude-checks", "positive_data_acceptance")
"""What a correction or a campaign file may hold is more than a schema can say."""
NO_DISCONNECTION = ("--exclude-method", "DELETE")
"""It ends the token, so it is tried by itself, afterwards."""
ROLES = ("administrator", "communicator", "dpo")
ALL = ("computer", "stranger", *ROLES)
FEW = ("computer", "administrator")
FILES = "/(campaigns|emergencies)$"
OF_COMPUTERS = (("--exclude-path-regex", f"{ADMIN}|/me$"), ("--include-path-regex", "/me$", *FREE_FORM))
OF_ADMINISTRATION = (
    ("--include-path-regex", ADMIN, "--exclude-path-regex", FILES),
    ("--include-path-regex", FILES, *FREE_FORM),
)
SECONDS_AN_EXAMPLE = 2
OTHER_REGION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "421", "429", "5xx"]
"""
"""As by default, and 421: the answer to a code of another region, which no schema can tell from one of this."""
CASES = re.compile(r"([\d,]+) generated")


@dataclass
class Played:
    """What was tried and what it found."""

    cases: int = 0
    server_errors: int = 0


@dataclass
class Player:
    """schemathesis, with all of its checks, so many examples for each operation."""

    server: RunningServer
    folder: Path
    examples: int
    in_all_ways: bool
    played: Played

    def play(self, token: str, *words: str) -> None:
        """Try what the words leave of the API, with this token."""
        program = Path(sys.executable).parent / "schemathesis"
        configuration = self.folder / "schemathesis.toml"
        configuration.write_text(OTHER_REGION)
        options = ["--max-examples", str(self.examples), "--seed", "1", "--no-color"]
        if not self.in_all_ways:
            options += ["--phases", "examples,fuzzing"]
        done = subprocess.run(
            [
                program,
                "--config-file",
                configuration,
                "run",
                f"{self.server.url}/api/v1/openapi.json",
                *options,
                "-H",
                f"Authorization: Bearer {token}",
                *words,
            ],
            capture_output=True,
            text=True,
            timeout=300 + 30 * SECONDS_AN_EXAMPLE * self.examples,
            check=False,
        )
        self.played.cases += sum(int(found.replace(",", "")) for found in CASES.findall(done.stdout))
        self.played.server_errors += done.stdout.count("Server error")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.proves("S10")
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_requests_of_all_kinds_never_make_the_server_fail(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, proof: Proof
) -> None:
    url = request.getfixturevalue("postgres_cluster").new_database() if database == "PostgreSQL" else None
    home = ServerHome(tmp_path / "server", url)
    with _served(home) as (server, computers):
        for caller in ALL if proof.is_full else FEW:
            played = Played()
            player = Player(server, tmp_path, proof.trials(full=1_000, few=3), proof.is_full, played)
            with home.opened():
                token = (
                    token_for(caller) if caller in ROLES else {"computer": computers[0]}.get(caller, caller)
                )
            try:
                for part in OF_ADMINISTRATION if caller in ROLES else OF_COMPUTERS:
                    player.play(token, *NO_DISCONNECTION, *part)
            finally:
                what = f"answers of 5xx to a {caller}"
                proof.found(what, played.server_errors, played.cases)
            assert played.cases > 0
            assert played.server_errors == 0
        Player(server, tmp_path, 3, False, Played()).play(computers[1], "--include-method", "DELETE")
        assert "Traceback" not in server.process.output()


@contextmanager
def _served(home: ServerHome) -> Iterator[tuple[RunningServer, list[str]]]:
    """A company with people, computers and a campaign with a video, and the tokens of the computers."""
    home.init()
    with home.opened():
        tokens = bulk_data.add_computers(bulk_data.add_people(2))
        video = bulk_data.add_media(b"video", "video/mp4")
        bulk_data.publish("c-video", starts=an_hour_ago(), media=[video])
    with home.running("--requests-per-minute", "0") as server:
        yield server, tokens
