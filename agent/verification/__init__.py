"""Signed documents and receipts: what is believed, and why."""
