"""The pop-up: one card that pages through all that is due."""

from ui.popup.card import PopupCard
from ui.popup.page import PopupLink, PopupPage

__all__ = ["PopupCard", "PopupLink", "PopupPage"]
