"""Which servers a ``no_proxy`` variable exempts."""

from __future__ import annotations

import pytest

from agent.transport.no_proxy import exempts

EXEMPT = [
    ("*", "https://news.example"),
    ("news.example", "https://news.example"),
    ("NEWS.example", "https://news.EXAMPLE"),
    ("example", "https://news.example"),
    (".news.example", "https://news.example"),
    (".example", "https://news.example"),
    ("*.example", "https://news.example"),
    ("other,news.example", "https://news.example"),
    ("other news.example", "https://news.example"),
    ("other, news.example ,", "https://news.example"),
    ("news.example", "https://news.example.:443"),
    ("news.example.", "https://news.example"),
    ("news.example:443", "https://news.example"),
    ("news.example:8443", "https://news.example:8443/tidings"),
    ("10.0.0.0/8", "https://10.1.2.3"),
    ("10.1.2.3/8", "https://10.200.2.3"),
    ("10.1.2.3", "https://10.1.2.3:8443"),
    ("10.1.2.3:8443", "https://10.1.2.3:8443"),
    ("127.0.0.0/8", "http://127.0.0.1:8000"),
    ("fd00::/8", "https://[fd12::1]"),
    ("::1", "http://[0:0::1]:8000"),
    ("[::1]", "http://[::1]:8000"),
    ("[::1]:8000", "http://[::1]:8000"),
    ("0.0.0.0/0", "https://10.1.2.3"),
]
NOT_EXEMPT = [
    ("", "https://news.example"),
    (",", "https://news.example"),
    (".", "https://news.example"),
    ("news.example", "https://badnews.example"),
    ("ews.example", "https://news.example"),
    ("news.example", "https://news.example.evil"),
    ("news.example:8443", "https://news.example"),
    ("10.0.0.0/8", "https://11.0.0.1"),
    ("10.0.0.0/8", "https://news.example"),
    ("10.0.0.0/33", "https://10.0.0.1"),
    ("10.0.0", "https://10.0.0.1"),
    ("0.1", "https://10.0.0.1"),
    ("::/0", "https://10.0.0.1"),
    ("fd00::/8", "https://[fe80::1]"),
    ("nonsense/8", "https://10.0.0.1"),
]


@pytest.mark.parametrize(("no_proxy", "url"), EXEMPT)
def test_it_exempts(no_proxy: str, url: str) -> None:
    assert exempts(no_proxy, url)


@pytest.mark.parametrize(("no_proxy", "url"), NOT_EXEMPT)
def test_it_does_not_exempt(no_proxy: str, url: str) -> None:
    assert not exempts(no_proxy, url)
