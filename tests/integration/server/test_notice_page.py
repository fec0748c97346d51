"""Another version of the privacy notice is proposed in the console, looked at, and put in force."""

import re
from collections.abc import Iterator
from html import unescape
from string import ascii_lowercase

import pytest
from django.core.cache import cache
from django.test import Client

from server.access.roles import Role
from server.accounts.invitations import remove
from server.accounts.models import Account
from server.core.errors import Refused
from server.devices.models import Device
from server.directory.models import Company, Notice
from server.notices.models import NoticeProposal
from server.notices.proposing import difference, propose, put_in_force, seal_of, waiting
from server.signals.queries import in_force
from server.signing.digests import notice_digest
from server.signing.documents import publish_company
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.console import account_of, client_of, code, console_settings, secret_of
from tests.support.server.drafting import on_record
from tests.support.server.wire import consent

NEW = "Northwind tells you what is new and, if you agree, counts what was seen. Ask Inès."


@pytest.fixture
def company(northwind: ServerHome) -> Iterator[Company]:
    with console_settings():
        bulk_data.add_people(3)
        yield bulk_data.company()
        Company.objects.update(second_person_from=None)
        NoticeProposal.objects.all().delete()
        Notice.objects.filter(version__gt=3).delete()
        publish_company(bulk_data.company())
        cache.clear()
        Account.objects.all().delete()


def texts(company: Company, **changed: str) -> dict[str, object]:
    """What the form sends, with these languages changed."""
    notice = company.current_notice()
    whole = notice.text | changed
    return {"instead_of": notice.version} | {f"text-{language}": text for language, text in whole.items()}


def sure(page: str) -> dict[str, str]:
    (seal,) = set(re.findall(r'name="seal" value="([0-9a-f]{64})"', page))
    return {"seal": seal, "sure": "on"}


def confirmed(browser: Client, account: Account) -> None:
    browser.post("/account/confirm", {"code": code(secret_of(account))})


@pytest.mark.both_databases
def test_another_version_ends_every_consent_after_two_people_have_looked(
    company: Company, serving: RunningServer
) -> None:
    computer: Computer = bulk_data.connect(serving, company.people.order_by("email")[0].email)
    assert computer.post("/consents", consent("seen", "given")).ok
    assert in_force(company).count() == 1
    Company.objects.update(second_person_from=1)
    ines, ada = account_of("ines@northwind.example", Role.DPO), account_of("ada@northwind.example", *Role)
    author, second = client_of(ines), client_of(ada)
    looked = author.post("/notice/new", {**texts(company, en=NEW), "go": "look"}).content.decode()
    assert "Every consent that was given ends. 3 people are shown" in looked
    assert re.search(r"<ins>.*Ask Inès\.</ins>", looked)
    assert "1 consent" not in looked
    answer = author.post("/notice/new", {**texts(company, en=NEW), "go": "propose"})
    assert answer.headers["Location"] == "/notice/proposal"
    page = author.get("/notice/proposal").content.decode()
    assert "waits for a second person" in page
    confirmed(author, ines)
    assert author.post("/notice/proposal/put-in-force", sure(page)).status_code == 409
    assert 'href="/notice/proposal"' in second.get("/").content.decode()
    page = second.get("/notice/proposal").content.decode()
    to_factor = second.post("/notice/proposal/put-in-force", sure(page))
    assert to_factor.headers["Location"].startswith("/account/confirm?next=")
    confirmed(second, ada)
    assert second.post("/notice/proposal/put-in-force", {"seal": sure(page)["seal"]}).status_code == 422
    assert company.notice_version() == 3
    assert second.post("/notice/proposal/put-in-force", sure(page)).headers["Location"] == "/notice"
    notice = company.current_notice()
    assert (notice.version, notice.text["en"]) == (4, NEW)
    assert not in_force(company).exists()
    detail = on_record("change-notice")
    assert (detail["notice"], detail["sha256"]) == (4, notice_digest(notice.text))
    assert str(detail["proposed_by"]) == ines.actor
    assert computer.post("/consents", consent("seen", "given")).status_code == 409
    old = unescape(second.get("/notice?version=3").content.decode())
    assert "counts what was seen, clicked and liked" in old
    assert "no longer in force" in old
    Device.objects.all().delete()


def test_a_proposal_stays_when_the_account_that_proposed_it_goes(company: Company) -> None:
    Company.objects.update(second_person_from=1)
    ines, ada = account_of("ines@northwind.example", Role.DPO), account_of("ada@northwind.example", *Role)
    propose(ines, company.current_notice().text | {"en": NEW}, company.notice_version())
    author = ines.actor
    remove(ines, "command")
    anew, second = client_of(account_of("ines2@northwind.example", Role.DPO)), client_of(ada)
    assert "put-in-force" not in anew.get("/notice/proposal").content.decode(), "it may be the same person"
    assert 'href="/notice/proposal"' in second.get("/").content.decode()
    page = second.get("/notice/proposal").content.decode()
    assert "An account that is gone proposed it" in page
    confirmed(second, ada)
    assert second.post("/notice/proposal/put-in-force", sure(page)).status_code == 302
    assert str(on_record("change-notice")["proposed_by"]) == author


def test_nothing_comes_into_force_that_was_not_looked_at(company: Company) -> None:
    ines, ada = account_of("ines@northwind.example", Role.DPO), account_of("ada@northwind.example", *Role)
    browser = client_of(ines)
    before = company.current_notice()
    for changed, said in (
        ({}, "That is the notice in force"),
        ({"en": "", "fr": " "}, "The notice is empty"),
        ({"english!": "A text"}, "cannot be taken"),
        ({"EN": "A text"}, "one of them twice"),
        (
            {f"a{letter}": "A text" for letter in ascii_lowercase}
            | dict.fromkeys(("de", "es", "it"), "A text"),
            "too many",
        ),
        ({"en": "x" * 20_001}, "cannot be taken"),
        ({"fr": "\u200b\u2800"}, "nothing in it can be seen"),
        ({"en": "turned \u202e round"}, "cannot be taken"),
    ):
        answer = browser.post("/notice/new", {**texts(company, **changed), "go": "propose"})
        assert answer.status_code == 422
        assert said in unescape(answer.content.decode())
    late = texts(company, en=NEW) | {"instead_of": 2, "go": "propose"}
    assert "came into force meanwhile" in browser.post("/notice/new", late).content.decode()
    proposal = propose(ines, {"en": NEW}, 3)
    seal = seal_of(proposal)
    with pytest.raises(Refused, match="waits already"):
        propose(ada, {"en": "Another"}, 3)
    assert "These languages end" in browser.get("/notice/proposal").content.decode()
    browser.post("/notice/proposal/take-back", {"seal": seal})
    assert waiting(company) is None
    propose(ada, {"en": "Another"}, 3)
    with pytest.raises(Refused, match="Another version waits"):
        put_in_force(ines, seal)
    assert company.current_notice() == before
    # Without the company's wish for a second person one is enough, with a look and a fresh second factor.
    seal = seal_of(NoticeProposal.objects.get())
    put_in_force(ada, seal)
    with pytest.raises(Refused):
        put_in_force(ada, seal)
    assert company.current_notice().text == {"en": "Another"}


def test_the_works_council_reads_it_and_changes_nothing(company: Company) -> None:
    council = client_of(account_of("wc@northwind.example", Role.WORKS_COUNCIL))
    page = council.get("/notice").content.decode()
    assert "Version 3" in page
    assert "/notice/new" not in page
    assert council.get("/notice?version=99").status_code == 404
    assert council.post("/notice/new", texts(company, en=NEW) | {"go": "propose"}).status_code == 403


def test_a_long_notice_that_changed_throughout_is_told_as_a_whole() -> None:
    before, after = ["a", "b"] * 2_000, ["a", "a", "c"] * 2_000
    pieces = difference("\n".join(["First.", *before, "Last."]), "\n".join(["First.", *after, "Last."]))
    told = [(piece.kind, piece.text) for piece in pieces]
    assert told[:3] == [("kept", "First."), ("kept", "a"), ("removed", "b")]
    assert told[-1] == ("kept", "Last.")
    assert [text for kind, text in told if kind != "removed"] == ["First.", *after, "Last."]
    assert [text for kind, text in told if kind != "added"] == ["First.", *before, "Last."]
