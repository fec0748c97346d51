"""What the people who share let one expect of all, if the others are like them."""

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""The standard normal quantile that leaves 2.5 % on each side: a confidence of 95 %."""


@dataclass(frozen=True)
class Interval:
    """Two shares of 1, `low <= high`."""

    low: float
    high: float


def wilson(did: int, counted: int, assigned: int) -> Interval:
    """The 95 % score interval of E. B. Wilson (1927, J. Am. Stat. Assoc. 22:209-212) for the share of all assigned people.

    With the finite population correction: who is counted is taken as a sample without replacement of those whom the
    campaign is for, so the variance `p (1 - p) / n` of Wilson's score has the factor `(N - n) / (N - 1)` of the
    hypergeometric distribution. Solved for `p` this is Wilson's formula with `z²` times that factor; when all are
    counted nothing is left to guess.

    Raises `ValueError` unless `0 <= did <= counted <= assigned` and `counted > 0`.
    """
    if not (0 <= did <= counted <= assigned and counted > 0):
        raise ValueError(f"{did} of {counted} of {assigned}")
    z2 = Z_95**2 * ((assigned - counted) / (assigned - 1) if assigned > 1 else 0.0)
    share = did / counted
    centre = (share + z2 / (2 * counted)) / (1 + z2 / counted)
    reach = math.sqrt(z2 * (share * (1 - share) / counted + z2 / (4 * counted**2))) / (1 + z2 / counted)
    # Of the counted it is known what they did: the rest can be none of all, or all.
    certain = Interval(did / assigned, (did + assigned - counted) / assigned)
    return Interval(max(certain.low, centre - reach), min(certain.high, centre + reach))
