"""Delete all rows of a company, in short transactions."""

from collections import Counter

from django.db import IntegrityError
from django.db.models import Model
from django.utils.translation import gettext as _

from server.access.models import AccessToken
from server.accounts.attempts import forget_strangers
from server.accounts.models import Account
from server.archives.rows import company_models, label, rows_of
from server.core.progress import Bar, no_bar
from server.database.transactions import Pieces
from server.devices.models import Device, SpentToken
from server.directory.models import Company

ROWS_AT_ONCE = 500
FOUND_AT_ONCE = 100_000
MOST_ROUNDS = 5
"""Requests under way when the tokens went may still leave a row."""


def lock_out(company_id: str) -> Counter[str]:
    """End every token and account of the company: from here on nobody is answered. Answers how many rows went, by model."""
    tokens: tuple[type[Model], ...] = (SpentToken, Device, AccessToken, Account)
    # A few rows at a time: PostgreSQL takes 65,535 values in a statement.
    pieces = Pieces()
    return +Counter({label(model): _delete_all(model, company_id, pieces) for model in tokens})


def delete_rows(company_id: str, bar: Bar = no_bar) -> Counter[str]:
    """Delete every row, the company's own last. Answers how many, by model. To be done again where it was interrupted.

    Raises `django.db.IntegrityError` when somebody goes on adding rows.
    """
    deleted: Counter[str] = Counter()
    pieces = Pieces()
    others = [model for model in reversed(company_models()) if model is not Company]
    for left in reversed(range(MOST_ROUNDS)):
        tick = bar(_("Deleting"), len(others))
        for done, model in enumerate(others, start=1):
            deleted[label(model)] += _delete_all(model, company_id, pieces)
            tick(done)
        try:
            with pieces.piece():
                forget_strangers()
                deleted[label(Company)] += Company.objects.filter(pk=company_id).delete()[0]
        except IntegrityError:
            if not left:
                raise
        else:
            break
    return +deleted


def _delete_all(model: type[Model], company_id: str, pieces: Pieces) -> int:
    count = 0
    while True:
        # Found for many pieces: to find the first rows, all may have to be looked at.
        found = list(rows_of(model, company_id).order_by().values_list("pk", flat=True)[:FOUND_AT_ONCE])
        for start in range(0, len(found), ROWS_AT_ONCE):
            with pieces.piece():
                rows = model._base_manager.filter(pk__in=found[start : start + ROWS_AT_ONCE])
                count += rows.delete()[1].get(model._meta.label, 0)
        if len(found) < FOUND_AT_ONCE:
            return count
