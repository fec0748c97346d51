"""Figures are counted at times that nobody can choose, and are the same for everybody until the next time (ADR 25).

Once an hour on the first day of a campaign, and once a day afterwards: who looks every minute cannot see somebody act.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef

from server.campaigns.models import Campaign
from server.core import clock
from server.core.clock import utc_text
from server.database.transactions import Pieces, reading, take_turns
from server.reports.blocks import form, turn
from server.reports.figures import Report, report_of, sizes_of, without_figures
from server.reports.models import Block, Snapshot
from server.reports.tallies import Sums, Tally, counted, kept
from server.signals.models import Signal

FIRST_DAY = timedelta(days=1)
AT_FIRST = timedelta(hours=1)
"""Between two snapshots, and between a campaign's start and its first, on its first day."""
LATER = timedelta(days=1)


def newest(campaign: Campaign) -> Report:
    """The figures of the newest snapshot, without the blocks that somebody has left since; all hidden before the first.

    Those of a closed campaign are kept. Before anybody who is counted did something, nothing is told, not even that it was
    counted: `make_due` counts only where something came in, so it would say that somebody shares who is not counted.
    """
    if campaign.result is not None:
        return Report.from_json(campaign.result)
    found = _of_snapshot(campaign)
    if any(figure.people for figure in found.figures):
        return found
    return without_figures(campaign)


def _of_snapshot(campaign: Campaign) -> Report:
    with reading():
        snapshot = Snapshot.objects.filter(campaign=campaign).first()
        if snapshot is None:
            return without_figures(campaign)
        sums = kept(campaign) if snapshot.sums is None else Sums.from_json(snapshot.sums)
        return report_of(campaign, sums, snapshot.sizes, utc_text(snapshot.made_at))


def due_at(campaign: Campaign) -> datetime:
    """When the next snapshot may be made."""
    return due_after(
        campaign, Snapshot.objects.filter(campaign=campaign).values_list("made_at", flat=True).first()
    )


def due_after(campaign: Campaign, last: datetime | None) -> datetime:
    """When the next one may be made after the `last`."""
    since = last or campaign.starts
    return since + (AT_FIRST if since < campaign.starts + FIRST_DAY else LATER)


def make_if_due(campaign: Campaign) -> bool:
    """Count anew, if it is time. Long reads lock nobody out, and blocks are formed in short transactions."""
    if campaign.closed_at is not None or clock.now() < due_at(campaign):
        return False
    form(campaign)
    now = clock.now()
    with reading():
        counts: list[tuple[int, str]] = []
        sums = Sums.of(_each(counted(campaign), counts), campaign.smallest_group)
        sizes = sizes_of(campaign)
    with Pieces().piece():
        take_turns(turn(campaign.company_id))
        if clock.now() < due_at(campaign):  # somebody else was quicker
            return False
        _keep(counts)
        nobody_left = _kept_blocks(campaign) == len(counts)
        Snapshot.objects.update_or_create(
            campaign=campaign,
            defaults={"made_at": now, "sizes": sizes, "sums": sums.as_json() if nobody_left else None},
        )
    add_up(campaign)
    return True


def add_up(campaign: Campaign) -> bool:
    """Add up what was counted: of a new snapshot, or again where somebody has left since. Answers whether that was done.

    A page does the same as long as it is not, each time.
    """
    with reading():
        snapshot = Snapshot.objects.filter(campaign=campaign, sums__isnull=True).first()
        if snapshot is None:
            return False
        blocks, sums = _kept_blocks(campaign), kept(campaign)
    with Pieces().piece():
        take_turns(turn(campaign.company_id))
        same = Snapshot.objects.filter(campaign=campaign, made_at=snapshot.made_at)
        # Blocks are counted with a snapshot only, and otherwise leave: as many are the same ones.
        return _kept_blocks(campaign) == blocks and bool(same.update(sums=sums.as_json()))


def _each(tallies: Iterable[tuple[int, Tally]], counts: list[tuple[int, str]]) -> Iterator[Tally]:
    """Each, and put what is kept of its block into `counts`."""
    for pk, tally in tallies:
        counts.append((pk, tally.counts.text))
        yield tally


def _kept_blocks(campaign: Campaign) -> int:
    return Block.objects.filter(campaign=campaign, live=True, counts__isnull=False).count()


def make_due() -> int:
    """Count what is due of all open campaigns of which anything came in. Answers of how many."""
    now = clock.now()
    started = Campaign.objects.filter(closed_at=None, starts__lte=now - AT_FIRST)
    told = started.filter(Exists(Signal.objects.filter(campaign=OuterRef("pk"))))
    told = told.exclude(snapshot__made_at__gt=now - AT_FIRST)
    told = told.exclude(starts__lte=now - FIRST_DAY - LATER, snapshot__made_at__gt=now - LATER)
    numbers = list(told.order_by("-starts").values_list("pk", flat=True))
    made = 0
    for number in numbers:
        campaign = Campaign.objects.select_related("company").filter(pk=number).first()
        made += campaign is not None and make_if_due(campaign)
    left = Campaign.objects.filter(closed_at=None, snapshot__isnull=False, snapshot__sums__isnull=True)
    for campaign in list(left.order_by("pk")):
        add_up(campaign)
    return made


def _keep(counts: Sequence[tuple[int, str]]) -> None:
    """Store what was counted of each block.

    One that somebody left meanwhile is not touched, nor one of which nothing new is known.
    """
    table = Block._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} SET counts = new.counts::jsonb"
                " FROM unnest(%s::bigint[], %s::text[]) AS new (id, counts)"
                f" WHERE {table}.id = new.id AND live AND {table}.counts IS DISTINCT FROM new.counts::jsonb",
                [[pk for pk, _text in counts], [text for _pk, text in counts]],
            )
            return
        cursor.executemany(
            f"UPDATE {table} SET counts = %s WHERE id = %s AND live AND counts IS NOT %s",
            [(text, pk, text) for pk, text in counts],
        )
