"""Where a link leads can be read before it is pressed (guarantee S4)."""

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from agent.domain.model import Link
from tests.support.ui import gallery_data as data
from tests.support.ui.gallery_emergency import emergency_page
from tests.unit.ui.memory_agent import ManualTime
from ui.inbox.detail import Detail
from ui.popup.pages import PopupLink
from ui.popup.widgets.card import PopupCard
from ui.popup.widgets.emergency import EmergencyCover
from ui.style.theme import Theme

MUNICH = "münchen.example (xn--mnchen-3ya.example)"


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("https://intranet.northwind.example/a?b=c#d", "intranet.northwind.example"),
        ("https://INTRANET.Northwind.example:443/", "intranet.northwind.example"),
        ("https://xn--mnchen-3ya.example/", MUNICH),
        ("https://a.xn--nrthwind-nbh.example/", "a.nоrthwind.example (a.xn--nrthwind-nbh.example)"),
        ("https://xn--9.example/", "xn--9.example"),
        ("https://xn--a-ecp.example/", "xn--a-ecp.example"),
        ("https://[/", "https://[/"),
    ],
)
def test_a_host_is_shown_as_people_read_it_and_in_ascii_where_that_differs(
    url: str, destination: str
) -> None:
    assert Link("l1", "Read", url).destination == destination


def test_a_pop_up_says_where_its_link_leads(qtbot: QtBot, theme: Theme) -> None:
    card = PopupCard(theme, translucent=True)
    qtbot.addWidget(card)
    card.show_page(replace(data.urgent_page(), links=(PopupLink("l1", "Details", MUNICH),)))
    card.show()
    assert card.destinations.isVisible()
    assert card.destinations.text() == f"Leads to {MUNICH}"
    assert MUNICH in card.links.buttons[0].accessibleDescription()
    assert MUNICH in card.links.buttons[0].toolTip()
    card.show_page(replace(data.urgent_page(), links=()))
    assert not card.destinations.isVisible()


def test_links_to_several_hosts_are_told_apart(qtbot: QtBot, theme: Theme) -> None:
    card = PopupCard(theme, translucent=True)
    qtbot.addWidget(card)
    links = (PopupLink("l1", "Details", "a.example"), PopupLink("l2", "Form", "b.example"))
    card.show_page(replace(data.urgent_page(), links=links))
    assert card.destinations.text().splitlines() == ["a.example · “Details”", "b.example · “Form”"]


def test_an_emergency_says_where_its_link_leads(qtbot: QtBot, theme: Theme) -> None:
    cover = EmergencyCover(theme, ManualTime(), bypass=True)
    qtbot.addWidget(cover)
    cover.show_page(emergency_page(), anew=True)
    assert cover.destinations.text() == f"Leads to {data.INTRANET}"


def test_the_inbox_says_where_a_link_leads(qtbot: QtBot, theme: Theme) -> None:
    detail = Detail(theme, lambda: data.NOW)
    qtbot.addWidget(detail)
    item = next(item for item in data.items() if item.campaign.variant("en").links)
    detail.show_item(item, data.media_path, "")
    assert item.campaign.variant("en").links[0].destination in detail.destinations.text()
    assert item.campaign.variant("en").links[0].destination in detail.links.buttons[0].accessibleDescription()


@pytest.mark.parametrize("picture", [False, True])
def test_a_pop_up_has_room_for_every_host(qtbot: QtBot, theme: Theme, picture: bool) -> None:
    """Also when the page before it had fewer."""
    card = PopupCard(theme, translucent=True)
    qtbot.addWidget(card)
    page = data.video_page() if picture else data.urgent_page()
    for count in (1, 2, 5, 3):
        links = tuple(PopupLink(f"l{n}", f"Details {n}", f"{n}.example") for n in range(count))
        card.show_page(replace(page, links=links))
        card.show()
        hosts = card.destinations
        assert card.middle.verticalScrollBar().maximum() == 0
        assert hosts.height() >= hosts.heightForWidth(hosts.width())
