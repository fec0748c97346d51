"""Who processes data for the company is listed in the console, from one day to another, and told by the record."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.audit.models import Entry
from server.core import clock
from server.processing_record.models import Processor
from server.processing_record.record import as_csv, record_of
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings

TODAY = clock.now().date()
HOST = {
    "name": "Nuage SAS",
    "service": "hosting",
    "country": "France",
    "since": str(TODAY - timedelta(days=30)),
}


@pytest.fixture
def officer(northwind: ServerHome) -> Iterator[Client]:
    with console_settings():
        yield client_of(account_of("ines@northwind.example", Role.DPO))
        Processor.objects.all().delete()
        cache.clear()
        Account.objects.all().delete()


def test_the_record_names_who_processes_today_and_where(officer: Client) -> None:
    assert any("operator" in one for one in record_of(bulk_data.company()).recipients)
    assert officer.post("/record/processors/add", HOST | {"safeguards": "not asked for"}).status_code == 302
    mailer = HOST | {"name": "Mail Inc.", "country": "Canada", "outside": "on", "safeguards": "adequacy"}
    assert officer.post("/record/processors/add", mailer).status_code == 302
    later = HOST | {"name": "Later GmbH", "since": str(TODAY + timedelta(days=1))}
    assert officer.post("/record/processors/add", later).status_code == 302
    record = record_of(bulk_data.company())
    told = " ".join(record.recipients)
    assert "Nuage SAS, as processor (GDPR article 28): hosting; France" in told
    assert "operator" not in told
    assert "Later GmbH" not in told
    assert "Mail Inc., Canada (adequacy)" in record.transfers
    assert "Nuage" not in record.transfers
    assert "Nuage SAS" in as_csv(record)
    page = officer.get("/record").content.decode()
    assert "Mail Inc., Canada (adequacy)" in page
    number = Processor.objects.get(name="Mail Inc.").pk
    yesterday = {"until": str(TODAY - timedelta(days=1))}
    assert officer.post(f"/record/processors/{number}/end", yesterday).status_code == 302
    assert record_of(bulk_data.company()).transfers.startswith("None")
    assert "No longer" in officer.get("/record/processors").content.decode()
    acts = list(Entry.objects.order_by("-number").values_list("action", "detail")[:10])
    assert ("end-processor", f'{{"processor":{number}}}') in acts
    council = client_of(account_of("wc@northwind.example", Role.WORKS_COUNCIL))
    shown = council.get("/record/processors").content.decode()
    assert "Mail Inc." in shown
    assert "/record/processors/add" not in shown
    assert council.post("/record/processors/add", HOST).status_code == 403


def test_what_cannot_be_says_so_and_keeps_what_was_typed(officer: Client) -> None:
    for changed, said in (
        ({"name": " "}, "Firm is missing"),
        ({"outside": "on"}, "On what the transfer rests is missing"),
        ({"since": "yesterday"}, "first day is missing"),
        ({"since": "0001-01-01"}, "first day is missing"),
        ({"service": "x" * 301}, "at most 300 characters"),
        ({"country": "a\u202eb"}, "invisible"),
        ({"country": "a\0b"}, "invisible"),
    ):
        answer = officer.post("/record/processors/add", HOST | changed)
        assert answer.status_code == 422, changed
        page = unescape(answer.content.decode())
        assert said in page
        assert 'value="hosting"' in page or "service" in changed
    assert not Processor.objects.exists()
    officer.post("/record/processors/add", HOST)
    assert "there already" in officer.post("/record/processors/add", HOST).content.decode()
    one = Processor.objects.get()
    for number, day in ((one.pk, "1990-01-01"), (one.pk, ""), (one.pk + 1, str(TODAY))):
        assert officer.post(f"/record/processors/{number}/end", {"until": day}).status_code == 422
    assert officer.post("/record/processors/999999999999999999/end", {"until": str(TODAY)}).status_code == 422
    assert Processor.objects.get().until is None
