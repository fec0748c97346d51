"""Figures about a campaign, honest about who shares."""
