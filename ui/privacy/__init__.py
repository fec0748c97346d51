"""Privacy: what I share, what was sent about me, and my data."""

from ui.privacy.window import PrivacyWindow

__all__ = ["PrivacyWindow"]
