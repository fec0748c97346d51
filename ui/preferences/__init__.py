"""The preferences window."""

from ui.preferences.window import PreferencesWindow

__all__ = ["PreferencesWindow"]
