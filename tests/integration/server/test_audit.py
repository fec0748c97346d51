"""The audit log: a chain of hashes on both databases, and its end in the data folder."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from server.audit import heads, log
from server.audit.models import Chain, Entry
from tests.support import server_data
from tests.support.campaign_server import ServerHome


@pytest.fixture
def chain(northwind: ServerHome) -> Iterator[ServerHome]:
    """Northwind's server with an empty audit log."""
    Entry.objects.all().delete()
    Chain.objects.all().delete()
    heads.forget("northwind")
    return northwind


def test_each_entry_holds_the_digest_of_the_one_before(chain: ServerHome) -> None:
    company, person = server_data.company(), uuid4()
    first = log.record(company, log.COMMAND_LINE, "publish", detail={"campaign": "c-film"})
    second = log.record(company, "agent", "read-own-data", person)
    assert (first.number, first.previous) == (1, "")
    assert (second.number, second.previous) == (2, first.digest)
    assert second.digest == log.digest(second) != first.digest
    assert str(person) not in f"{second.subject}{second.detail}"
    assert heads.kept("northwind") == heads.Head(2, second.digest)
