"""Publish a campaign, and take it back."""
