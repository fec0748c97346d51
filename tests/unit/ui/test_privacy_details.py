"""Correcting one's own details, from the form to the agent and back."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from agent.domain import errors
from tests.unit.ui.windows_fakes import Fakes, click, window
from ui.privacy.details_window import DetailsWindow
from ui.privacy.window import PrivacyWindow

pytestmark = pytest.mark.usefixtures("presses_count")


@pytest.fixture
def form(qtbot: QtBot, privacy: PrivacyWindow) -> DetailsWindow:
    click(qtbot, privacy.share.correct_button)
    found = window(DetailsWindow)
    assert isinstance(found, DetailsWindow)
    qtbot.waitUntil(lambda: bool(found.fields))
    return found


def test_each_field_says_whose_it_is_and_what_waits(form: DetailsWindow) -> None:
    assert form.fields["first_name"].owner.text() == "Yours to change, at once."
    title = form.fields["title"].owner.text()
    assert title.startswith("From your company's directory: your request goes to the administrator.")
    assert "“Lead designer”" in title


def test_only_what_was_changed_is_sent_and_each_field_says_what_became_of_it(
    qtbot: QtBot, fakes: Fakes, form: DetailsWindow
) -> None:
    assert not form.save_button.isEnabled()
    for name in ("first_name", "title"):
        edit = form.fields[name].edit
        edit.clear()
        qtbot.keyClicks(edit, "Lena ")
    click(qtbot, form.save_button)
    qtbot.waitUntil(lambda: form.note.title.text() == "Your correction was sent")
    assert form.fields["first_name"].result.text().startswith("Changed.")
    assert form.fields["title"].result.text() == "Requested: your administrator decides."
    assert not form.fields["last_name"].result.isVisible()
    assert "“Lena”" in form.fields["title"].owner.text()
    by_field = {detail.field: detail.value for detail in fakes.agent.my_data.details}
    assert by_field["first_name"] == "Lena"


def test_all_of_it_can_be_scrolled_to_after_saving(
    qtbot: QtBot, qapp: QApplication, form: DetailsWindow
) -> None:
    qtbot.keyClicks(form.fields["last_name"].edit, "-Morel")
    click(qtbot, form.save_button)
    qtbot.waitUntil(lambda: form.note.title.text() == "Your correction was sent")
    qapp.processEvents()
    fields = list(form.fields.values())
    assert all(field.height() >= field.sizeHint().height() for field in fields)
    assert fields[-1].y() > fields[-2].y() > fields[0].y()


def test_a_correction_can_be_undone(qtbot: QtBot, fakes: Fakes, form: DetailsWindow) -> None:
    edit = form.fields["site_addresses"].edit
    edit.setPlainText("1 quai Perrache\n\n 69002 Lyon ")
    assert form.changes == {"site_addresses": ("1 quai Perrache", "69002 Lyon")}
    click(qtbot, form.save_button)
    qtbot.waitUntil(lambda: bool(form.note.buttons))
    click(qtbot, form.note.buttons[0])
    original = ("12 rue des Tanneurs", "69001 Lyon")
    qtbot.waitUntil(lambda: fakes.agent.my_data.details[-1].value == original)
    qtbot.waitUntil(lambda: form.fields["site_addresses"].value == original)


def test_an_address_that_cannot_be_right_is_not_sent(qtbot: QtBot, fakes: Fakes, form: DetailsWindow) -> None:
    field = form.fields["email"]
    qtbot.keyClicks(field.edit, " and more")
    click(qtbot, form.save_button)
    assert field.problem.isVisible()
    assert field.problem.text() in field.edit.accessibleDescription()
    assert fakes.agent.my_data.details[0].value == "lea@northwind.example"


def test_what_the_server_refuses_leaves_what_was_typed(
    qtbot: QtBot, fakes: Fakes, form: DetailsWindow
) -> None:
    fakes.agent.my_data.fault = errors.InvalidInput("last_name: too long")
    form.fields["last_name"].edit.setText("R")
    qtbot.keyClicks(form.fields["last_name"].edit, "x")
    click(qtbot, form.save_button)
    qtbot.waitUntil(lambda: form.note.close_button.isVisible())
    assert "Nothing was changed; what you typed is still here." in form.note.text.text()
    assert form.changes == {"last_name": "Rx"}
    assert form.save_button.isEnabled()


def test_without_a_network_the_form_says_so_and_asks_again(
    qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
) -> None:
    fakes.agent.my_data.fault = errors.ServerUnreachable("no route")
    click(qtbot, privacy.share.correct_button)
    form = window(DetailsWindow)
    assert isinstance(form, DetailsWindow)
    qtbot.waitUntil(lambda: bool(form.note.buttons))
    fakes.agent.my_data.fault = None
    click(qtbot, form.note.buttons[0])
    qtbot.waitUntil(lambda: bool(form.fields))
