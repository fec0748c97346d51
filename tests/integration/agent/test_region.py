"""A company's data stays in its region: the agent says so, and follows nobody across."""

from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import ConnectionState, Region
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import LoopbackServer, json_reply
from tests.support.agent.watching import CODE


def _wrong_region(detail: str) -> object:
    content = {"type": "tidings:wrong-region", "title": "Elsewhere", "detail": detail, "status": 421}
    return json_reply(content, 421, {"Content-Type": "application/problem+json"})


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("region eu, not us", ["in the European Union;", "is in the United States"]),
        ("region us, not eu", ["in the United States;", "is in the European Union"]),
        ("somewhere else", ["kept elsewhere"]),
    ],
)
def test_a_server_of_another_region_is_named_and_nothing_is_kept_of_the_try(
    server: LoopbackServer, tmp_path: Path, detail: str, said: list[str]
) -> None:
    server.answer = lambda _: _wrong_region(detail)  # type: ignore[assignment,return-value]
    with an_agent(tmp_path) as agent:
        with pytest.raises(errors.WrongRegion) as refused:
            agent.runtime.enrol(server.url, CODE)
        assert refused.value.title == "This server is in another region"
        assert all(words in refused.value.message for words in said)
        assert agent.runtime.status().connection is ConnectionState.NOT_CONNECTED
        assert agent.keychain.secrets == {}


@pytest.mark.expected_logs("company document was refused: another region")
def test_a_company_document_of_another_region_changes_nothing(agent: Agent, company: Company) -> None:
    company.sign_company(region="us", dpo_name="Somebody Else")
    agent.runtime.sync_once()
    known = agent.runtime.status().company
    assert known is not None
    assert (known.region, known.dpo_name) == (Region.EU, "Inès Martin")
