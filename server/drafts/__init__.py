"""Campaigns that are being written in the console."""
