"""Builds what is installed on employees' computers, and tries it: `python -m installer --help`."""
