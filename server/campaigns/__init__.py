"""Campaigns as they are stored and addressed, and the files that they are written in."""
