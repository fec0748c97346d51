"""`tidings-server check`: what is missing or broken, and what to do about it."""

import argparse
import json
from dataclasses import asdict

from django.utils.translation import gettext as _

from server.health.findings import findings

MARKS = {"ok": "✓", "warning": "!", "fault": "✗"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server check`."""
    parser.add_argument("--json", action="store_true", help=_("as JSON"))


def run(options: argparse.Namespace) -> int:
    """Say each finding; exit code 1 if one of them is a fault."""
    found = list(findings())
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    else:
        width = max(len(finding.name) for finding in found)
        for finding in found:
            print(MARKS[finding.state], f"{finding.name:<{width}}", finding.message)
    return 1 if any(finding.state == "fault" for finding in found) else 0
