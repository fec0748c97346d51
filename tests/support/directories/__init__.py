"""Directories for tests: processes that speak what Google Workspace and Microsoft 365 speak, with scripted faults.

What they answer is written after the vendors' documentation. `python3 -m tasks prove-vendors` holds it against what they
wrote: Google's discovery document, and the clients of both. They refuse what they do not know, so that a connector that asks
for something else fails here and is not answered by a guess.
"""
