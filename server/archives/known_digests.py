"""The tokens of a company that arrives are nobody else's: a computer could else come in as another one, or lock it out."""

from collections import Counter
from collections.abc import Iterator, Sequence

from django.db.models import Model
from django.utils.translation import gettext as _

from server.archives.row_lines import wrong_row
from server.devices.models import Device, SpentToken


def refuse_known_digests(model: type[Model], rows: Sequence[Model], first: int) -> None:
    """Refuse computers, and replaced tokens, with a digest that is in another row, of whatever company.

    `first`: the number of the first row. Raises `Refused`.
    """
    if model not in (Device, SpentToken):
        return
    own = Counter(digest for row in rows for _column, digest in _digests(row))
    known = _known(list(own)) | {digest for digest, times in own.items() if times > 1}
    for number, row in enumerate(rows, first):
        for column, digest in _digests(row):
            if digest in known:
                reason = _("there is such a token already")
                raise wrong_row(model, number, f"{column}: {reason}")


def _digests(row: Model) -> Iterator[tuple[str, str]]:
    yield "token_hash", str(row.token_hash)  # type: ignore[attr-defined]
    if isinstance(row, Device) and row.next_hash is not None:
        yield "next_hash", row.next_hash


def _known(digests: list[str]) -> set[str]:
    return {
        digest
        for model, column in ((Device, "token_hash"), (Device, "next_hash"), (SpentToken, "token_hash"))
        for digest in model._default_manager.filter(**{f"{column}__among": digests}).values_list(
            column, flat=True
        )
    }
