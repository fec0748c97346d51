"""Campaigns, their files and their links."""
