"""Reroutes a whole process of a test: Python imports this at its start where `rerouting.environment` is in force."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[4]))

from tests.support.directories import rerouting

ports = dict(pair.split("=") for pair in os.environ[rerouting.VARIABLE].split(","))
kept = rerouting.rerouted({host: int(port) for host, port in ports.items()})
kept.__enter__()
