"""The golden messages are what our script makes, and the server agrees with each of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.contract.golden_documents import COMPANY, DOCUMENTS
from tests.contract.make_golden import golden_files
from tests.support.server import django_ready  # noqa: F401

FOLDER = Path(__file__).parent / "golden"


def _golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def _schema(message: str) -> type[BaseModel]:
    from server import api
    from server.acknowledgements import api as acknowledgements
    from server.core import schemas
    from server.data_subject import api as rights
    from server.feed import api as delivery
    from server.feedback import api as signals

    return {
        "enrolment-request": delivery.EnrolmentRequest,
        "enrolment-answer": delivery.EnrolmentAnswer,
        "token-request": delivery.NextTokenRequest,
        "feed-answer": delivery.FeedAnswer,
        "signals-request": signals.SignalsRequest,
        "signals-answer": signals.SignalsAnswer,
        "consent-request": signals.ConsentRequest,
        "consent-answer": signals.ConsentAnswer,
        "acknowledgement-request": acknowledgements.AcknowledgementRequest,
        "acknowledgement-answer": acknowledgements.AcknowledgementAnswer,
        "me-answer": rights.MeAnswer,
        "me-request": rights.CorrectionRequestMessage,
        "me-correction-answer": rights.CorrectionAnswer,
        "problem": schemas.ProblemAnswer,
        "health-answer": api.HealthAnswer,
    }[message]


MESSAGES = sorted(
    path.stem for path in FOLDER.glob("*.json") if path.stem.endswith(("request", "answer", "problem"))
)


def _cases(kind: str) -> list[Any]:
    return [
        pytest.param(message, case["body"], id=f"{message}-{case['name']}")
        for message in MESSAGES
        for case in _golden(message)[kind]
    ]


def test_the_files_are_those_that_the_script_makes() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == golden_files()


@pytest.mark.parametrize(("message", "body"), _cases("valid"))
def test_the_servers_schema_takes_a_valid_message_as_it_is(message: str, body: Any) -> None:
    assert _schema(message).model_validate(body).model_dump(mode="json", exclude_unset=True) == body


@pytest.mark.parametrize(("message", "body"), _cases("invalid"))
def test_the_servers_schema_refuses_an_invalid_message(message: str, body: Any) -> None:
    with pytest.raises(ValidationError):
        _schema(message).model_validate(body)


def _shape(value: Any) -> Any:
    """A document's field names and types, without what they hold."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    return type(value).__name__


def test_the_server_signs_documents_of_the_golden_shape(tmp_path: Path) -> None:
    from tests.support.server import bulk_data
    from tests.support.server.campaign_server import ServerHome
    from tests.support.server.wire import payload

    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        campaign = bulk_data.publish("c-canteen")
        company = payload(bulk_data.company().document)
        assert _shape(company) == _shape(COMPANY)
        golden = DOCUMENTS["c-canteen"] | {"content": DOCUMENTS["c-canteen"]["content"] | {"variants": {}}}
        signed = payload(campaign.document)
        assert _shape(signed | {"content": signed["content"] | {"variants": {}}}) == _shape(golden)
        assert signed["exp"] - int(campaign.ends.timestamp()) <= 30 * 86_400
        assert company["exp"] - company["iat"] <= 400 * 86_400
