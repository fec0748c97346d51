"""The privacy windows in every state, for the gallery."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import msgspec
from PySide6.QtWidgets import QWidget

from agent.domain import errors
from agent.domain.model import Company, ConnectionState, FeedbackSignal, Region
from agent.domain.my_data_models import (
    ACKNOWLEDGEMENT,
    Comparison,
    Corrected,
    Detail,
    Difference,
    KeptReceipt,
    SentItem,
    SentStatus,
)
from agent.protocol import codec
from resources import i18n
from resources.i18n import _
from tests.support.ui import gallery_data as data
from ui.onboarding.first_run import FirstRunWindow
from ui.privacy.confirm_window import ConfirmWindow
from ui.privacy.details_window import DetailsWindow
from ui.privacy.receipt_page import ReceiptPage, ReceiptSays
from ui.privacy.receipts_window import ReceiptsWindow
from ui.privacy.window import PrivacyWindow
from ui.style.theme import Theme

EVENT = "8b0e7c0e-3a55-4f6e-9d5d-0b6f5a6d1c42"
RECEIPT = "5f0d3a52-9a3e-4d0c-8a62-1f3a0c9b7e11"


def _body(kind: str, campaign_id: str) -> bytes:
    event: dict[str, object] = {"signal": kind, "event_id": EVENT, "campaign_id": campaign_id}
    event |= {"date": "2026-11-23", "receipt_id": RECEIPT}
    extra: dict[str, dict[str, object]] = {"click": {"link_id": "l1"}, "like": {"value": 1, "seq": 20780001}}
    return json.dumps(event | extra.get(kind, {}), separators=(",", ":")).encode()


def _withdrawal(signal: FeedbackSignal) -> bytes:
    message = {"receipt_id": RECEIPT, "signal": signal, "status": "withdrawn", "notice_version": 3}
    return json.dumps(message | {"time": "2026-11-22T16:40:00Z", "language": "en"}).encode()


def sent() -> list[SentItem]:
    """Those of the design, and the rarer ones."""
    studio, vpn, canteen = (data.items()[index].campaign.variant("en").title for index in (0, 1, 3))
    answer = json.dumps({"results": [{"event_id": EVENT, "status": "stored", "reason": ""}]}).encode()
    confirmed = json.dumps({"event_id": EVENT, "status": "stored", "reason": ""}).encode()
    times = (0.0, 0.02, 0.9, 3.0, 4.0, 5.0, 6.0)
    moments = [data.NOW - timedelta(days=age) for age in times]
    return [
        SentItem(
            7, moments[0], "seen", "seen", "c-1", studio, _body("seen", "c-1"), SentStatus.STORED, answer
        ),
        SentItem(
            6, moments[1], "like", "like", "c-1", studio, _body("like", "c-1"), SentStatus.STORED, answer
        ),
        SentItem(
            8, moments[1], ACKNOWLEDGEMENT, "", "c-2", vpn,
            codec.encode_acknowledgement(EVENT, "c-2", moments[1]), SentStatus.STORED, confirmed,
        ),
        SentItem(
            5,
            moments[2],
            "withdrawn",
            "click",
            "",
            "",
            _withdrawal(FeedbackSignal.CLICK),
            SentStatus.ERASED,
            json.dumps({"receipt": receipt().document}).encode(),
            14,
        ),
        SentItem(4, None, "seen", "seen", "c-4", canteen, _body("seen", "c-4"), SentStatus.WAITING),
        SentItem(
            3, moments[4], "click", "click", "c-4", canteen, _body("click", "c-4"), SentStatus.DELETED, answer
        ),
        SentItem(
            2,
            moments[5],
            "seen",
            "seen",
            "c-5",
            "",
            _body("seen", "c-5"),
            SentStatus.REFUSED,
            answer,
            0,
            "Unknown campaign.",
        ),
        SentItem(
            1, moments[6], "correction", "", "", "", b'{"details":{"work_cell":"+33 6 00 00 00 00"}}',
            SentStatus.STORED, b'{"results":[{"field":"work_cell","status":"changed"}]}',
        ),
    ]  # fmt: skip


def receipt(
    signal: FeedbackSignal = FeedbackSignal.CLICK, *, genuine: bool | None = True, status: str = "withdrawn"
) -> KeptReceipt:
    content = {
        "receipt_id": RECEIPT, "controller": "Northwind SAS", "dpo_email": "dpo@northwind.example", "region": "eu",
        "purpose": "To know how announcements are received", "signal": signal, "notice_version": 3,
        "notice_sha256": "9f" * 32, "language": "en", "status": status, "time": "2026-11-22T16:40:00Z",
        "method": "tidings-agent", "agent_version": "0.1.0", "policy": ["seen", "click", "like"], "erased": 14,
    }  # fmt: skip
    envelope = {
        "v": 1,
        "iss": "northwind",
        "sub": RECEIPT,
        "ctr": 0,
        "iat": 1_795_365_600,
        "exp": 2_110_898_400,
    }
    parts = [{"alg": "Ed25519", "kid": "r1", "typ": "tidings-receipt"}, envelope | {"content": content}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    document = ".".join([*encoded, "c2lnbmF0dXJl" * 7])
    received = data.NOW - timedelta(days=0.9)
    return KeptReceipt(RECEIPT, signal, status, received, document, genuine, 14)


def withdrawal(status: SentStatus) -> SentItem:
    """Clicks, turned off just now."""
    return SentItem(8, None, "withdrawn", "click", "", "", _withdrawal(FeedbackSignal.CLICK), status)


def privacy(theme: Theme) -> PrivacyWindow:
    window = PrivacyWindow(theme, now=lambda: data.NOW)
    window.show_state(data.status(), data.choices(FeedbackSignal.SEEN, FeedbackSignal.LIKE))
    window.show_history(sent(), [receipt()])
    return window


def privacy_open(theme: Theme) -> QWidget:
    window = privacy(theme)
    window.sent.table.toggle(1)
    return window


def privacy_offline(theme: Theme) -> QWidget:
    """A signal turned off without a network, and a comparison that failed."""
    window = PrivacyWindow(theme, now=lambda: data.NOW)
    window.show_state(data.status(ConnectionState.OFFLINE), data.choices(FeedbackSignal.SEEN))
    waiting = withdrawal(SentStatus.WAITING)
    window.show_history([waiting, *sent()], [receipt()])
    fault = errors.ServerUnreachable()
    window.sent.show_verify_problem(fault.title, fault.message)
    return window


def privacy_halted(theme: Theme) -> QWidget:
    """The store could not be read at the start."""
    window = PrivacyWindow(theme, now=lambda: data.NOW)
    status = data.halted()
    window.show_state(status, data.choices(FeedbackSignal.SEEN))
    window.share.show_problem(status.troubles[0].title, status.troubles[0].message)
    window.sent.show_unreadable(status.troubles[0].title, status.troubles[0].message)
    return window


def privacy_empty(theme: Theme) -> QWidget:
    window = PrivacyWindow(theme, now=lambda: data.NOW)
    window.show_state(data.status(), data.choices())
    window.show_history([], [])
    return window


def privacy_locked(theme: Theme) -> QWidget:
    window = PrivacyWindow(theme, now=lambda: data.NOW)
    window.show_state(
        data.status(), data.choices(FeedbackSignal.SEEN, FeedbackSignal.CLICK, locked=FeedbackSignal.CLICK)
    )
    window.show_history(sent(), [receipt()])
    fault = errors.DiskFault()
    window.share.show_problem(fault.title, fault.message)
    window.sent.show_verifying()
    return window


def privacy_differences(theme: Theme) -> QWidget:
    window = privacy(theme)
    differences = (
        Difference("server", EVENT, "seen", "c-1"),
        Difference("computer", EVENT.replace("8", "9"), FeedbackSignal.LIKE, "c-77"),
    )
    window.sent.show_comparison(Comparison(12, differences))
    return window


def privacy_agreed(theme: Theme) -> QWidget:
    window = privacy(theme)
    window.sent.show_comparison(Comparison(14, ()))
    return window


def privacy_named(theme: Theme) -> QWidget:
    window = privacy(theme)
    status = msgspec.structs.replace(data.status(), company=named_company())
    window.show_state(status, data.choices(FeedbackSignal.SEEN))
    return window


def choose_named(theme: Theme) -> QWidget:
    window = FirstRunWindow(theme)
    window.show_choose(data.person(), named_company(), data.choices())
    return window


def named_company() -> Company:
    return msgspec.structs.replace(data.company(), named_reporting=True)


def receipts(theme: Theme) -> QWidget:
    window = ReceiptsWindow(theme)
    says = ReceiptSays(
        "Northwind SAS", "dpo@northwind.example", Region.EU, "To know how announcements are received", 3,
        "9f" * 32, data.NOW - timedelta(days=0.91),
    )  # fmt: skip
    pages = [ReceiptPage(receipt(), says), ReceiptPage(receipt(genuine=None, status="given"), says)]
    window.show_receipts(pages)
    window.note.tell("Saved" if i18n.language() == "en" else "Enregistré", "tidings-receipt-click.json")
    return window


def receipts_wrong(theme: Theme) -> QWidget:
    window = ReceiptsWindow(theme)
    window.show_receipts([ReceiptPage(receipt(genuine=False), None)])
    return window


def details() -> tuple[Detail, ...]:
    return (
        Detail("email", "lea.roux@northwind.example", "directory"),
        Detail("first_name", "Léa", "person"),
        Detail("last_name", "Roux", "person"),
        Detail("title", "Designer", "directory", "Lead designer"),
        Detail("work_landline", "+33 4 00 00 00 00", "person"),
        Detail("work_cell", "", "person"),
        Detail("site_addresses", ("12 rue des Tanneurs", "69001 Lyon"), "person"),
    )


def correct(theme: Theme) -> DetailsWindow:
    window = DetailsWindow(theme)
    window.show_details(details())
    return window


def correct_loading(theme: Theme) -> QWidget:
    window = DetailsWindow(theme)
    window.show_loading()
    return window


def correct_failed(theme: Theme) -> QWidget:
    window = DetailsWindow(theme)
    fault = errors.ServerUnreachable()
    window.show_load_problem(fault.title, fault.message)
    return window


def correct_done(theme: Theme) -> QWidget:
    window = correct(theme)
    window.fields["work_cell"].put("+33 6 00 00 00 00")
    window.fields["title"].put("Head of design")
    window.save_button.setEnabled(True)
    window.save_button.click()
    window.show_corrected([Corrected("title", "requested"), Corrected("work_cell", "changed")])
    return window


def correct_wrong(theme: Theme) -> QWidget:
    window = correct(theme)
    window.fields["email"].put("lea at northwind")
    window.save_button.setEnabled(True)
    window.save_button.click()
    return window


def confirm_delete(theme: Theme) -> QWidget:
    """The question as the window's owner asks it."""
    sentences = [
        _("All three switches are turned off."),
        _("The server of {company} deletes everything that you shared, from all your computers.").format(
            company="Northwind"
        ),
        _("It signs a receipt for each switch."),
        _(
            "The list of what was sent keeps your choices with their receipts, your corrections and confirmations."
        ),
        _("What you confirmed by name to have read stays with your company."),
        _("What is deleted cannot be brought back."),
    ]
    return ConfirmWindow(theme, _("Delete all you shared?"), sentences, _("Delete all I shared"))


SCREENS: dict[str, Callable[[Theme], QWidget]] = {
    "privacy": privacy,
    "privacy-open": privacy_open,
    "privacy-offline": privacy_offline,
    "privacy-halted": privacy_halted,
    "privacy-empty": privacy_empty,
    "privacy-locked": privacy_locked,
    "privacy-differences": privacy_differences,
    "privacy-agreed": privacy_agreed,
    "privacy-named": privacy_named,
    "choose-named": choose_named,
    "receipts": receipts,
    "receipts-wrong": receipts_wrong,
    "confirm-delete": confirm_delete,
    "correct": correct,
    "correct-loading": correct_loading,
    "correct-failed": correct_failed,
    "correct-done": correct_done,
    "correct-wrong": correct_wrong,
}
