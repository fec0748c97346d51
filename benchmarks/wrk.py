"""Load from wrk, and what it measured."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
local tokens = {%(tokens)s}
local tags = {%(tags)s}
local next = 0
local others = 0
request = function()
  next = next %% #tokens + 1
  return wrk.format("GET", "/api/v1/feed", {
    ["Authorization"] = "Bearer " .. tokens[next],
    ["If-None-Match"] = tags[next],
    ["User-Agent"] = "tidings/0.1.0",
  })
end
response = function(status)
  if status ~= 304 then others = others + 1; print("answer " .. status) end
end
"""
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """Requests a second, the 99th percentile of their latency, and answers that were not a 304."""

    per_second: float
    p99_ms: float
    other_answers: int


def polls(
    url: str, tokens: Sequence[str], tags: Sequence[str], folder: Path, connections: int, seconds: int
) -> Load:
    """Poll with each token and its tag in turn, on kept-open connections.

    Raises:
        FileNotFoundError: wrk is not installed.
        subprocess.CalledProcessError: it failed.
    """
    script = folder / "polls.lua"
    quoted = {"tokens": ",".join(map(json.dumps, tokens)), "tags": ",".join(map(json.dumps, tags))}
    script.write_text(SCRIPT % quoted)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    latency = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if latency is None or rate is None:
        raise ValueError(f"wrk said something else than expected:\n{said}")
    failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = sum(map(int, failed.groups())) if failed else 0
    return Load(
        float(rate.group(1)),
        float(latency.group(1)) * UNITS_MS[latency.group(2)],
        said.count("answer ") + errors,
    )
