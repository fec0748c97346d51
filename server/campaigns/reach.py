"""For how many people an audience is, as it is told to those who may not list people.

A sum over groups and names would tell whether somebody who is named is in a group: names are counted apart, and groups that
are excluded take nobody away from them. A small group with another one is counted as if they had nobody in common, since
its name may say who is in it. See ADR 61.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from server.directory.models import SMALLEST_GROUP


@dataclass(frozen=True)
class Chosen:
    """Everybody, or the numbers of groups; without the people of those that are excluded."""

    everyone: bool
    groups: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()

    @property
    def is_single(self) -> bool:
        """Whether it is one group and nothing else."""
        return not self.everyone and len(self.groups) == 1 and not self.excluded

    @property
    def alone(self) -> "list[Chosen]":
        """Each group that it has something to do with, for itself; nothing where it has to do with one alone."""
        groups = {*self.groups, *self.excluded}
        return [Chosen(False, (group,)) for group in sorted(groups)] if len(groups) > 1 else []


@dataclass(frozen=True)
class Reach:
    """`in_groups`: of everybody or of groups, at most where `is_most`; `named`: by name, whether in these groups or not."""

    in_groups: int
    named: int
    is_most: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether one number says it."""
        return not (self.is_most or (self.in_groups and self.named))

    @property
    def most(self) -> int:
        """It is for no more people than that."""
        return self.in_groups + self.named


def reach(chosen: Chosen, named: int, sizes: Callable[[Collection[Chosen]], dict[Chosen, int]]) -> Reach:
    """What may be told of this audience. `named`: how many people it names; `sizes`: counts."""
    alone = {one.groups[0]: size for one, size in sizes(chosen.alone).items()}
    small = {group for group, size in alone.items() if size < SMALLEST_GROUP}
    large = Chosen(
        chosen.everyone,
        tuple(group for group in chosen.groups if group not in small),
        tuple(group for group in chosen.excluded if group not in small),
    )
    counted = sizes([large])[large] if large.everyone or large.groups else 0
    apart = 0 if chosen.everyone else sum(alone[group] for group in chosen.groups if group in small)
    is_named_apart = bool(named and chosen.excluded)
    return Reach(counted + apart, 0 if chosen.everyone else named, bool(small) or is_named_apart)
