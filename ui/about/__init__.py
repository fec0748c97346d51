"""About Tidings."""
