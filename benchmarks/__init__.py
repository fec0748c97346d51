"""Measures agent and server against references measured in the same run: `python -m benchmarks --help`."""
