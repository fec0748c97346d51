"""The agent without a screen. Runs with no Qt installed."""

__version__ = "0.1.0"
