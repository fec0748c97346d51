"""The inbox: all announcements received, with search."""

from ui.inbox.window import InboxWindow

__all__ = ["InboxWindow"]
