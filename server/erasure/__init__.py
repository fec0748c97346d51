"""Erase everything about people."""
