"""S4: a link leads by https to a host that the company allows, as any browser reads it, and says to which."""

import random

import ada_url
import pytest

from agent.campaigns.link_policy import allowed_url
from agent.domain import errors
from agent.domain.model import Link
from server.campaigns.manifest_links import checked_address
from tests.support.proofs import Proof

HOSTS = ("northwind.example", "*.northwind.example", "xn--mnchen-3ya.example")
GOOD = (
    "northwind.example",
    "intranet.northwind.example",
    "xn--mnchen-3ya.example",
    "münchen.example",
    "a_b.northwind.example",
)
EVIL = (
    "evil.example",
    "nоrthwind.example",
    "northwind.example.evil.example",
    "127.0.0.1",
    "[::1]",
    "0x7f.1",
    "evil。example",
    "xn--nrthwind-nbh.example",
)
SCHEMES = (
    "https://",
    "HTTPS://",
    "https:",
    "https:/",
    "https:///",
    "https:\\\\",
    "http://",
    "//",
    "javascript:",
    "data:text/html,",
    "file://",
    "\thttps://",
    "https://\u200b",
    "ht\ntps://",
)
BETWEEN = (
    "",
    "@",
    ":443@",
    ":x@",
    "%40",
    "\\",
    "\\@",
    "/",
    "?",
    "#",
    ".",
    "..",
    "%2e",
    "%2f",
    "%00",
    ";",
    ",",
    "\t",
    "\n",
    " ",
    "\u2028",
    "／",
    "．",
    "﹒",
    "ß",
    "\u00ad",
    "\u200d",
    ":443",
    ":8443",
    "*.",
    "-",
)
ENDS = (
    "",
    "/",
    ":443/",
    ":8443/",
    ".",
    "./",
    "/a?b=c#d",
    "/%zz{}|",
    "\\",
    "?@evil.example",
    "#@evil.example/",
    "/..//evil.example",
    "/é",
)


def addresses(count: int) -> list[str]:
    """Addresses that mix allowed and hostile hosts in every order, the same on each run."""
    chance = random.Random(4)
    made: dict[str, None] = {}
    while len(made) < count:
        hosts = chance.choices([*GOOD, *EVIL], k=chance.randrange(1, 4))
        parts = [part for host in hosts for part in (host, chance.choice(BETWEEN) if len(hosts) > 1 else "")]
        made[
            chance.choice(SCHEMES[: 1 + 13 * chance.randrange(2)]) + "".join(parts) + chance.choice(ENDS)
        ] = None
    return list(made)


def leads_astray(url: str) -> bool:
    """Whether a browser (URL Standard) would go elsewhere than by https to an allowed host."""
    try:
        read = ada_url.URL(url)
    except ValueError:
        return True
    allowed = read.hostname in HOSTS or read.hostname.endswith(".northwind.example")
    return read.protocol != "https:" or bool(read.username or read.password or read.port) or not allowed


@pytest.mark.proves("S4")
def test_no_address_leads_astray(proof: Proof) -> None:
    escapes: list[str] = []
    opened: list[str] = []
    for address in addresses(1_000):
        try:
            opened.append(allowed_url(address, HOSTS))
        except errors.InvalidInput:
            continue
    published = [
        signed
        for address in addresses(1_000)
        if (refused := [], signed := checked_address(address, HOSTS, lambda *said: refused.append(said)))
        and not refused
    ]
    assert opened
    assert published
    escapes = [url for url in opened + published if leads_astray(url)]
    proof.found("addresses that led elsewhere, of those opened by the agent", len(escapes), 1_000)
    assert escapes == []
    unsaid = [url for url in published if ada_url.URL(url).hostname not in Link("l1", "x", url).destination]
    proof.found("links that did not say the host that a browser goes to", len(unsaid), len(published))
    assert unsaid == []


def test_the_judge_of_addresses_sees_an_escape() -> None:
    assert leads_astray("https://evil.example\\@northwind.example/")
    assert leads_astray("https://northwind.example:8443/")
    assert not leads_astray("https://intranet.northwind.example/")
