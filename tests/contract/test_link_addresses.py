"""What the server publishes, every agent opens: one set of addresses, tried on both programs (guarantee S4)."""

from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtCore import QUrl

from agent.campaigns.link_policy import allowed_url
from server.campaigns.manifest_links import checked_address

HOSTS = ("northwind.example", "*.northwind.example", "xn--mnchen-3ya.example", "*.xn--mnchen-3ya.example")
ODD = 'https:// HTTPS:// // \\ @ ? # . .. %2e %zz % { } | ^ ` " < > [ ] ; _ é ü 。 ／ xn-- ⓝ :443 : :80 - user 127.1 0x7f ß'
PIECES = st.sampled_from(
    [*ODD.split(), "\t", " ", "northwind.example", "münchen.example", "team_wiki.", "a" * 70, "/page", "?a=b"]
)
ADDRESSES = (
    st.lists(PIECES, max_size=8).map("".join)
    | st.lists(PIECES, max_size=6).map("".join).map("https://northwind.example/{}".format)
    | st.lists(PIECES, max_size=3).map("".join).map("https://{}northwind.example/".format)
    | st.text(max_size=60).map("https://northwind.example/{}".format)
)


@given(ADDRESSES)
@example("https://team_wiki.northwind.example/page")
@example("https://intranet.northwind.example./page")
@example("https://intranet.northwind.example/a?id={c}|d%")
def test_an_address_that_the_server_publishes_is_opened_by_the_agent(address: str) -> None:
    refused: list[str] = []
    signed = checked_address(address, HOSTS, lambda what, what_to_do: refused.append(f"{what}; {what_to_do}"))
    if refused:
        return
    assert len(signed) <= 2_000
    assert allowed_url(signed, HOSTS) == signed
    browsers = QUrl(signed, QUrl.ParsingMode.StrictMode)
    assert browsers.isValid(), browsers.errorString()
    assert browsers.host(QUrl.ComponentFormattingOption.FullyEncoded) == urlsplit(signed).hostname
