"""The inbox: all announcements received, with search."""
