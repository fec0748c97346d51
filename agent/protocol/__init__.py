"""Bytes to models and back: what travels between agent and server."""
