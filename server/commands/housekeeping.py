"""`tidings-server housekeeping`: what `serve` does daily, done now."""

import argparse
import sys

from django.utils.translation import gettext as _

from server.database import statistics
from server.health.alerts import tell_administrators
from server.retention.housekeeping import housekeeping


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server housekeeping`."""
    parser.add_argument("--dry-run", action="store_true", help=_("say what is due, and do nothing"))


def run(options: argparse.Namespace) -> int:
    """Do what is due, and say how much of each job; exit code 1 if a job failed."""
    statistics.refresh()
    outcomes = housekeeping(dry_run=options.dry_run)
    for outcome in outcomes:
        if not outcome.fault:
            print(outcome.job, outcome.count, sep="\t")
    faults = [outcome for outcome in outcomes if outcome.fault]
    if not options.dry_run:
        tell_administrators([outcome.job for outcome in faults])
    for outcome in faults:
        print(_("{job} failed: {reason}").format(job=outcome.job, reason=outcome.fault), file=sys.stderr)
    return 1 if faults else 0
