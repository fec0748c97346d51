"""The icon and its menu, and whether there is a tray."""
