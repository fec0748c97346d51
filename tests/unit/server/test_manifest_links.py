"""Which addresses a campaign may link to (guarantee S4)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.campaigns.manifest_links import checked_address, is_allowed

HOSTS = ("northwind.example", "*.northwind.example", "forms.partner.example", "xn--mnchen-3ya.example")


def objections(address: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    checked_address(address, HOSTS, lambda what, what_to_do: found.append((what, what_to_do)))
    return found


def published(address: str) -> str:
    assert objections(address) == []
    return checked_address(address, HOSTS, lambda *_: None)


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
        "https://team_wiki.northwind.example/page",
        "https://münchen.example/",
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
        "https://127.1/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://x.0x7f/",
        "https://a..northwind.example/",
        f"https://{'a' * 64}.northwind.example/",
        "https://" + "a." * 120 + "northwind.example/",
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
        "https://northwind.example/\u200b",
        "https://northwind.example/\u202egpj.exe",
        "https://northwind.example/" + "é" * 400,
    ],
)
def test_any_other_address_is_refused_with_what_to_do(address: str) -> None:
    found = objections(address)
    assert len(found) == 1
    assert all(found[0])


@pytest.mark.parametrize(
    ("written", "signed"),
    [
        ("HTTPS://Northwind.example/A", "https://northwind.example/A"),
        ("https://intranet.northwind.example./page", "https://intranet.northwind.example/page"),
        ("https://northwind.example:443/", "https://northwind.example/"),
        ("https://northwind.example/a?id={c}", "https://northwind.example/a?id=%7Bc%7D"),
        ("https://northwind.example/a?b=c|d", "https://northwind.example/a?b=c%7Cd"),
        ("https://northwind.example/a?b=100%", "https://northwind.example/a?b=100%25"),
        ("https://northwind.example/%zz%41", "https://northwind.example/%25zz%41"),
        ('https://northwind.example/<a>"`^', "https://northwind.example/%3Ca%3E%22%60%5E"),
        (
            "https://northwind.example/café?q=été#là",
            "https://northwind.example/caf%C3%A9?q=%C3%A9t%C3%A9#l%C3%A0",
        ),
        ("https://northwind.example/?x[]=1&y=a+b;c,d", "https://northwind.example/?x[]=1&y=a+b;c,d"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
    ],
)
def test_an_address_is_published_as_a_browser_would_follow_it(written: str, signed: str) -> None:
    assert published(written) == signed
    assert published(signed) == signed


def test_a_host_that_looks_like_an_allowed_one_is_shown_in_both_its_forms() -> None:
    ((what, _),) = objections("https://nоrthwind.example/")
    assert "nоrthwind.example (xn--nrthwind-nbh.example)" in what


@pytest.mark.parametrize(
    "host",
    [
        "-a.northwind.example",
        "a-.northwind.example",
        "a..northwind.example",
        ".northwind.example",
        f"{'a' * 64}.northwind.example",
        "intra%6eet.northwind.example",
        "intranet.northwind.example;x",
        "😀.northwind.example",
        "xn--zz--.northwind.example",
        "127.0.0.1",
        "[::1]",
    ],
)
def test_what_is_no_name_of_a_host_is_not_said_to_be_a_host_that_the_company_does_not_allow(
    host: str,
) -> None:
    ((what, _),) = objections(f"https://{host}/")
    assert what.endswith("is no name of a host")


@given(st.text(string.ascii_lowercase + string.digits + "-.@:/\\#?%[]", max_size=60))
def test_whatever_is_accepted_begins_with_an_allowed_host(rest: str) -> None:
    address = "https://" + rest
    if not objections(address):
        authority = published(address).removeprefix("https://").split("/")[0].split("?")[0].split("#")[0]
        assert is_allowed(authority, HOSTS)
