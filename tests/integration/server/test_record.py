"""The record of processing says all that is stored, for what and how long."""

import csv
import io
from html.parser import HTMLParser

import pytest
from django.utils import translation

from server.core.data_map import Retention
from server.directory.models import Company
from server.processing_record.record import as_csv, as_html, declared_fields, record_of
from server.processing_record.record_words import DECLARED, FIELDS
from tests.support.server.campaign_server import ServerHome


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_personal_field_has_a_purpose_a_retention_and_words() -> None:
    declared = declared_fields()
    assert declared.keys() == FIELDS.keys()
    for name, said in declared.items():
        assert said.purpose.strip() in DECLARED, name
        assert isinstance(said.retention, Retention), name
    assert {retention.value for retention in Retention} <= DECLARED
    assert {said.purpose for said in declared.values()} | {
        retention.value for retention in Retention
    } == DECLARED


def test_the_record_is_whole_in_french() -> None:
    with translation.override("fr"):
        untranslated = {text for text in (*DECLARED, *FIELDS.values()) if translation.gettext(text) == text}
    assert untranslated == set()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_holds_all_of_it_and_needs_nothing_else(whole_company: ServerHome, language: str) -> None:
    with whole_company.opened(), translation.override(language):
        record = record_of(Company.objects.get())
        page = _Page(as_html(record))
        said = {translation.gettext(text) for text in FIELDS.values()}
    assert page.addresses == []
    assert "script" not in page.tags
    assert "Northwind SAS" in page.text
    assert "dpo@northwind.example" not in page.text or record.contact in page.text
    assert all(words in page.text for words in said)
    assert any("by name" in who or "nommément" in who for who in record.recipients)
    assert all(item in page.text for item in (*record.recipients, *record.measures, record.transfers))


def test_a_spreadsheet_runs_nothing_of_it(whole_company: ServerHome) -> None:
    with whole_company.opened():
        company = Company.objects.get()
        company.legal_name = '=HYPERLINK("https://evil.example")'
        company.dpo_name = "<script>alert(1)</script>"
        record = record_of(company)
        rows = list(csv.reader(io.StringIO(as_csv(record))))
        assert "<script>" not in as_html(record)
    assert len(rows) == 1 + len(record.activities)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_the_command_writes_a_file_in_the_language_asked_for(whole_company: ServerHome) -> None:
    target = whole_company.folder.parent / "record.html"
    whole_company.succeed("record", "--language", "fr", "-o", target)
    text = target.read_text(encoding="utf-8")
    expected = ('<html lang="fr">', "Registre des activités de traitement", "Ce qui est traité, et pourquoi")
    assert all(words in text for words in expected)
