"""Which addresses a campaign may link to (guarantee S4)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.campaigns.manifest_links import check_address, is_allowed

HOSTS = ("northwind.example", "*.northwind.example", "forms.partner.example")


def objections(address: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    check_address(address, HOSTS, lambda what, what_to_do: found.append((what, what_to_do)))
    return found


@pytest.mark.parametrize(
    "address",
    [
        "https://northwind.example",
        "https://northwind.example/",
        "https://Intranet.Northwind.example/news?id=1&lang=fr#top",
        "https://a.b.northwind.example/caf%C3%A9",
        "https://northwind.example:443/",
        "HTTPS://forms.partner.example/x",
        "https://northwind.example./",
    ],
)
def test_an_https_address_of_an_allowed_host_is_accepted(address: str) -> None:
    assert objections(address) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://northwind.example/",
        "ftp://northwind.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//northwind.example/",
        "northwind.example",
        "https:northwind.example",
        "https:///northwind.example",
        "https://",
        "https://user@northwind.example/",
        "https://user:secret@northwind.example/",
        "https://northwind.example@evil.example/",
        "https://northwind.example:8443/",
        "https://northwind.example:99999/",
        "https://evil.example/",
        "https://northwind.example.evil.example/",
        "https://evilnorthwind.example/",
        "https://partner.example/",
        "https://x.forms.partner.example/",
        "https://.northwind.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[northwind.example/",
        "https://northwind.example\\@evil.example/",
        "https://evil.example\\.northwind.example/",
        "https://northwind.example/a b",
        "https://northwind.example/\n",
        "https://northwind.example\t/",
        "https://nоrthwind.example/",  # a Cyrillic о
        "https://evil.example／.northwind.example/",
        "https://xn--nrthwind-1yf.example/",
    ],
)
def test_any_other_address_is_refused_with_what_to_do(address: str) -> None:
    found = objections(address)
    assert len(found) == 1
    assert all(found[0])


@given(st.text(string.ascii_lowercase + string.digits + "-.@:/\\#?%[]", max_size=60))
def test_whatever_is_accepted_begins_with_an_allowed_host(rest: str) -> None:
    address = "https://" + rest
    if not objections(address):
        authority = rest.split("/")[0].split("?")[0].split("#")[0].removesuffix(":443").removesuffix(":")
        assert is_allowed(authority.rstrip("."), HOSTS)
