"""A body has one meaning, whoever reads it: what readers take in different ways is refused, at every address alike."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from server.api import api
from tests.support.server import bulk_data
from tests.support.server.administration import token_for
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import consent

ROOT = Path(__file__).parents[3]
READS_JSON = r"json\.loads?\(|pydantic_core\.from_json\(|(?<![\w.])(?<!def )from_json\(|validate_json\("
UNREADABLE = "tidings:unreadable-request"

TAKING_BODIES = sorted(
    (method.upper(), path)
    for path, operations in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
)

GIVEN: dict[str, Any] = consent("seen")
TEXT = json.dumps(GIVEN)


def _twice(name: str, first: object) -> str:
    return f'{{"{name}": {json.dumps(first)}, {TEXT[1:]}'


AMBIGUOUS: dict[str, bytes] = {
    "a name twice": _twice("status", "withdrawn").encode(),
    "a name twice with one value": _twice("status", "given").encode(),
    "a name twice, once escaped": _twice("stat\\u0075s", "withdrawn").encode(),
    "a name twice far within": b'{"events": [{"a": [{"x": 1, "x": 1}]}]}',
    "an unknown name twice": b'{"": 1, "": 2}',
    "not a number": b'{"notice_version": NaN}',
    "infinity": b'{"notice_version": -Infinity}',
    "a number beyond all": b'{"notice_version": 1e999}',
    "half a character": b'{"language": "\\ud83d"}',
    "the other half": b'{"language": "\\udd14 "}',
    "a name of half a character": b'{"\\ud83d ": 1}',
    "half a character in bytes": b'{"language": "\xed\xa0\xbd"}',
    "Latin-1": b'{"language": "\xe9"}',
    "UTF-16 with a mark": TEXT.encode("utf-16"),
    "UTF-16 from the large end": TEXT.encode("utf-16-be"),
    "UTF-16 from the small end": TEXT.encode("utf-16-le"),
    "UTF-32": TEXT.encode("utf-32"),
    "UTF-8 with a mark": TEXT.encode("utf-8-sig"),
    "a comment": b"/* */" + TEXT.encode(),
    "two values": (TEXT + TEXT).encode(),
}
ANOTHER_ENCODING = ("utf-16", "UTF-16LE", '"utf-16"', "utf-32", "iso-8859-1", "utf-8; charset=utf-16", "")


@dataclass(frozen=True)
class Asking:
    """A server, and the headers of a computer and of an administrator."""

    url: str
    computer: dict[str, str]
    administrator: dict[str, str]

    def consent(self, body: bytes, content_type: str = "application/json") -> requests.Response:
        """Post this as a consent."""
        headers = self.computer | {"Content-Type": content_type}
        return requests.post(f"{self.url}/api/v1/consents", data=body, headers=headers, timeout=30)

    def consents(self) -> object:
        """Those that the server keeps, of *seen*."""
        held = requests.get(f"{self.url}/api/v1/me", headers=self.computer, timeout=30)
        return [one for one in held.json()["consents"] if one["signal"] == "seen"]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """One worker; nobody has agreed to anything."""
    home = ServerHome(tmp_path_factory.mktemp("bodies") / "server")
    home.init()
    with home.opened():
        (token,) = bulk_data.add_computers(bulk_data.add_people(1))
        tokens = (token, token_for("administrator"))
    with home.running("--requests-per-minute", "100000") as server:
        yield Asking(server.url, *({"Authorization": f"Bearer {token}"} for token in tokens))


def _assert_unread(answer: requests.Response, status: int) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, UNREADABLE), answer.text


@pytest.mark.parametrize(("method", "path"), TAKING_BODIES)
def test_every_address_refuses_what_can_be_read_in_two_ways(asking: Asking, method: str, path: str) -> None:
    who = asking.administrator if "/admin/" in path else asking.computer

    def send(body: bytes, content_type: str) -> requests.Response:
        headers, url = who | {"Content-Type": content_type}, asking.url + path.format(number=1)
        return requests.request(method, url, data=body, headers=headers, timeout=30)

    for name in (
        "a name twice far within",
        "an unknown name twice",
        "a number beyond all",
        "half a character",
    ):
        _assert_unread(send(AMBIGUOUS[name], "application/json"), 400)
    _assert_unread(send(TEXT.encode(), "application/json; charset=utf-16"), 415)
    assert send(b'{"x": 1}', 'application/json; Charset="UTF-8"').status_code == 422


@pytest.mark.parametrize("form", AMBIGUOUS)
def test_a_consent_that_can_be_read_in_two_ways_is_not_read(asking: Asking, form: str) -> None:
    _assert_unread(asking.consent(AMBIGUOUS[form]), 400)
    assert asking.consents() == []


@pytest.mark.parametrize("encoding", ANOTHER_ENCODING)
def test_a_consent_that_is_said_to_be_in_another_encoding_is_not_read(asking: Asking, encoding: str) -> None:
    for message in (GIVEN, GIVEN | {"status": "withdrawn"}):
        for body in (json.dumps(message).encode(), json.dumps(message).encode("utf-16")):
            _assert_unread(asking.consent(body, f"application/json; charset={encoding}"), 415)
    assert asking.consents() == []


def test_what_was_refused_so_is_not_repeated(asking: Asking) -> None:
    answer = asking.consent(b'{"canary-7c1d": 1, "canary-7c1d": 2}')
    _assert_unread(answer, 400)
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON;charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json;",
    ],
)
def test_a_consent_in_utf8_is_read_however_its_type_is_written(asking: Asking, content_type: str) -> None:
    for status in ("withdrawn", "given", "withdrawn"):
        body = json.dumps(consent("like", status), indent=1).encode()
        assert asking.consent(body, content_type).status_code == 200


def test_nothing_from_outside_is_read_in_another_way() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "server").rglob("*.py")
        if re.search(READS_JSON, path.read_text())
    }
    own_columns = {  # and own orders in the data folder
        "server/archives/moved_log.py",
        "server/audit/oversight.py",
        "server/audit/verifying.py",
        "server/console/pages/audit.py",
        "server/erasure/erasure.py",
        "server/mail/inviting.py",
        "server/people_files/upsert.py",
        "server/reports/tallies.py",
    }
    of_our_processes = {
        "server/media/confined.py",
        "server/media/converting.py",
    }  # ffprobe, and what starts it
    assert found - own_columns - of_our_processes == {
        "server/core/json_text.py",
        "server/archives/arrival_checks.py",
        "server/people_files/kept_rows.py",
    }
