"""The region of this server, which is set once and never crossed."""
