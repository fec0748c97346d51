"""Only https, only to hosts that the company allows, and nothing hidden in an address."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.campaigns.link_policy import allowed_url
from agent.domain import errors

HOSTS = ("northwind.example", "*.northwind.example", "partner.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://northwind.example",
        "https://northwind.example/",
        "https://intranet.northwind.example/a?b=c&d=%20e#f",
        "https://a.b.c.northwind.example/",
        "https://NORTHWIND.example/Canteen",
        "https://northwind.example:443/",
        "https://partner.example/@somebody",
        "https://partner.example/cantine/été",
    ],
)
def test_a_companys_own_address_is_opened_as_it_is(url: str) -> None:
    assert allowed_url(url, HOSTS) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "northwind.example",
        "//northwind.example/",
        "http://northwind.example/",
        "ftp://northwind.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,<script>",
        "https:northwind.example",
        "https:/northwind.example",
        "https:///northwind.example",
        "https://",
        "https://evil.example/",
        "https://evil.example/northwind.example",
        "https://evil.example?northwind.example",
        "https://evil.example#.northwind.example",
        "https://evil.example\\.northwind.example/",
        "https://evil.example\\@northwind.example/",
        "https://northwind.example@evil.example/",
        "https://northwind.example:pass@evil.example/",
        "https://user@northwind.example/",
        "https://@northwind.example/",
        "https://northwind.example.evil.example/",
        "https://notnorthwind.example/",
        "https://.northwind.example/",
        "https://..northwind.example/",
        "https://northwind.example./",
        "https://sub.partner.example/",
        "https://northwind.example:8443/",
        "https://northwind.example:99999/",
        "https://northwind.example:x/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[northwind.example]/",
        "https://northwind。example/",
        "https://ｎorthwind.example/",
        "https://nоrthwind.example/",
        "https://evil.example%2f.northwind.example/",
        "https://evil.example%00.northwind.example/",
        "https://evil.example\x7f.northwind.example/",
        "https://evil.example;.northwind.example/",
        "https://evil.example,.northwind.example/",
        "https://-evil.northwind.example/",
        "https://northwind.example/ x",
        "https://northwind.example/\tx",
        "https://northwind.example/\nx",
        "https://northwind.example\r\n.evil.example/",
        " https://northwind.example/",
        "https://northwind.example/\u2028",
        "https://northwind.example/\x00",
    ],
)
def test_an_address_that_is_not_plainly_a_companys_is_not_opened(url: str) -> None:
    with pytest.raises(errors.InvalidInput) as raised:
        allowed_url(url, HOSTS)
    assert raised.value.message


def test_without_allowed_hosts_nothing_is_opened() -> None:
    with pytest.raises(errors.InvalidInput):
        allowed_url("https://northwind.example/", ())


ODD = (
    "https http : / // \\ @ ? # . %2e %40 [ ] ; evil.example northwind.example sub. xn-- ⓝ :443 :80 - user é"
)
PIECES = st.sampled_from([*ODD.split(), "\t", "\x00", " "])


@given(st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40).map("https://{}".format))
def test_whatever_is_opened_leads_to_an_allowed_host(url: str) -> None:
    try:
        opened = allowed_url(url, HOSTS)
    except errors.InvalidInput:
        return
    parts = urlsplit(opened)
    assert parts.scheme == "https"
    assert parts.username is None
    host = parts.hostname or ""
    assert host in HOSTS or host.endswith(".northwind.example")
    assert host == host.encode("ascii").decode()
