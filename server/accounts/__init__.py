"""Accounts of the console: who they are, how they are invited and ended, and their sessions."""
