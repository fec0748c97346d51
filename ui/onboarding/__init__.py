"""The first run: connect, then choose."""
