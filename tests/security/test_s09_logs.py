"""S9: no log of agent or server holds a token, a code or an e-mail address, however it got into a message."""

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from logging.config import DictConfigurator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings

from agent.domain import errors
from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from agent.runtime import Runtime
from agent.system import log_setup
from agent.system.dirs import Folders
from agent.verification.verifier import ProcessVerifier
from server.logs import RedactingFormatter, of_granian
from tests.support.agent.parts import MemoryKeychain, all_off, all_on
from tests.support.ports import free_port
from tests.support.proofs import Proof
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany

EMPLOYEE = "lea.roux@northwind.example"
ODD_ADDRESSES = ("o'neill+x@northwind.example", '"two words"@northwind.example', "zoë@münchen.example")
CORRECTED = "Léanne"
NO_MORE_CHANGES = {
    "sqlite": "CREATE TRIGGER no_more BEFORE UPDATE ON directory_person BEGIN SELECT RAISE(ABORT, 'no more'); END",
    "postgresql": f"ALTER TABLE directory_person ADD CONSTRAINT no_more CHECK (first_name <> '{CORRECTED}')",
}
EVERYTHING = r""
"""This test is about what the logs say, not about whether they are silent."""


@pytest.fixture
def log_folder(tmp_path: Path) -> Iterator[Path]:
    """Where the agent logs all that it says at `debug`."""
    root, network = logging.getLogger(), logging.getLogger("urllib3")
    before, level, network_level = root.handlers[:], root.level, network.level
    log_setup.set_up("debug", tmp_path / "logs")
    yield tmp_path / "logs"
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    network.setLevel(network_level)


def use_everything(runtime: Runtime, server: RunningServer, code: str) -> None:
    """A working day: what goes wrong and what goes well."""
    with pytest.raises(errors.CodeRefused):
        runtime.enrol(server.url, "AAAA-BBBB-CCCC")
    runtime.enrol(server.url, code)
    runtime.sync_once()
    runtime.choose(all_on())
    for item in runtime.inbox():
        for act in InteractionKind:
            runtime.interactions.record(Interaction(item.campaign.campaign_id, act, "l1"))
    runtime.sync_once()
    runtime.choose(all_off())
    runtime.choose({FeedbackSignal.SEEN: True})
    runtime.sync_once()


def ask_badly(server: RunningServer, token: str, code: str) -> None:
    """Requests that carry what must not be logged wherever a request has room for it."""
    host, port = server.url.removeprefix("http://").split(":")
    for secret in (token, code, EMPLOYEE):
        for request in (
            f"GET /api/v1/{secret} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
            f"GET /api/v1/feed?x={secret} HTTP/1.1\r\nHost: {secret}\r\nAuthorization: Bearer {secret}\r\n"
            "Connection: close\r\n\r\n",
            f"POST /api/v1/signals HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(secret) + 2}\r\nConnection: close\r\n\r\n"
            f'"{secret}"',
            f"{secret} / HTTP/9\r\n\r\n",
        ):
            with closing(socket.create_connection((host, int(port)), timeout=30)) as line:
                line.sendall(request.encode())
                while line.recv(65_536):
                    pass


def fail_in_the_database(company: SampleCompany, server: RunningServer, token: str) -> None:
    """A fault that nobody foresaw: PostgreSQL's message then holds the whole row that it would not take."""
    with company.home.opened():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(NO_MORE_CHANGES[connection.vendor])
        connection.close()
    answer = requests.patch(
        f"{server.url}/api/v1/me",
        json={"details": {"first_name": CORRECTED}},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.status_code == 500, answer.text


@pytest.mark.proves("S9")
@pytest.mark.expected_logs(EVERYTHING)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_no_log_holds_a_token_a_code_or_an_address(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, log_folder: Path, proof: Proof
) -> None:
    url = request.getfixturevalue("postgres_cluster").new_database() if database == "PostgreSQL" else None
    company = SampleCompany(tmp_path / "server", free_port(), url)
    company.make()
    company.publish_all("canteen")
    company.home.environment["TIDINGS_LOG_LEVEL"] = "DEBUG"
    keychain = MemoryKeychain()
    code = company.home.invite(EMPLOYEE)
    runtime = Runtime.open(Folders.under(tmp_path / "agent"), secrets=keychain, verifier=ProcessVerifier())
    try:
        with company.serving() as server:
            use_everything(runtime, server, code)
            tokens = list(keychain.secrets.values())
            ask_badly(server, tokens[0], code)
            fail_in_the_database(company, server, tokens[0])
            keychain.secrets = dict.fromkeys(keychain.secrets, "tdt_" + "0" * 43)
        with pytest.raises(errors.TidingsError):
            runtime.sync_once()  # the server is gone
    finally:
        runtime.stop()
    said = {
        "agent": "".join(path.read_text(encoding="utf-8") for path in log_folder.iterdir()),
        "server": (company.home.folder / "server.log").read_text(encoding="utf-8", errors="replace"),
    }
    assert all(len(text.splitlines()) > 5 for text in said.values()), said["server"]
    needles = [
        *tokens,
        *(token.removeprefix("tdt_") for token in tokens),
        code,
        EMPLOYEE,
        "Léa",
        "Roux",
        CORRECTED,
    ]
    if url:
        needles.append(str(urlsplit(url).password))
    found = [(who, needle) for who, text in said.items() for needle in needles if needle in text]
    lines = sum(len(text.splitlines()) for text in said.values())
    proof.found("needles in the logs of agent and server", len(found), lines)
    assert found == []


@pytest.mark.parametrize("configuration", [settings.LOGGING, of_granian()], ids=["Django", "Granian"])
def test_every_line_that_the_server_logs_is_looked_through(configuration: dict[str, Any]) -> None:
    """Also those of the program that runs it, which tells with its traceback what the server raised."""
    own = deepcopy(configuration)
    made = [DictConfigurator(own).configure_formatter(each) for each in own["formatters"].values()]
    assert [type(formatter) for formatter in made] == [RedactingFormatter]
    assert all("formatter" in handler for handler in configuration["handlers"].values())


def test_what_a_database_says_of_a_row_is_taken_out_to_its_last_line() -> None:
    row = "Failing row contains (7, Zoë, Roux, first\n\nsecond, 2026-11-26)."
    for text in (
        f"it failed\nDETAIL:  {row}",
        f"it failed\nDETAIL:  {row}\n\nThe above exception was the direct cause",
    ):
        said = RedactingFormatter().format(logging.makeLogRecord({"msg": text}))
        assert said.startswith("it failed")
        assert not any(word in said for word in ("Zoë", "Roux", "first", "second"))


@pytest.mark.parametrize("secret", ["tdt_" + "a-_Z" * 10, "Bearer abc.def", "KX7P-9QMD-2HTV", *ODD_ADDRESSES])
def test_a_secret_in_a_message_or_in_a_traceback_is_taken_out(secret: str, log_folder: Path) -> None:
    line = f"Key (company_id, email)=(northwind, {secret}) already exists."
    try:
        raise ValueError(line)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, line, None, sys.exc_info())
    kept = secret.rpartition("@")[2] if "@" in secret else secret.removeprefix("Bearer ")
    assert kept not in RedactingFormatter().format(record)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and log_folder in Path(handler.baseFilename).parents:
            assert kept not in handler.format(record)
