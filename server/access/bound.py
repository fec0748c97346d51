"""Who may be bound to groups: accounts, and tokens of the administration API."""

from collections.abc import Sequence
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext as _

from server.campaigns.scopes import Scope
from server.directory.models import Group


class Bound(models.Model):
    """What addresses people: everybody, or those of some groups alone."""

    is_bound = models.BooleanField(
        default=False, help_text="It addresses the people of `bound_groups`, and sees what is for them alone."
    )
    bound_groups = models.ManyToManyField(Group, related_name="+", blank=True)

    publishes_as: ClassVar[str]
    """The column of `campaigns.Publisher` that has it."""

    class Meta:
        abstract = True

    @property
    def scope(self) -> Scope:
        """Whom it may address, as it is in the database."""
        groups = frozenset(self.bound_groups.values_list("pk", flat=True)) if self.is_bound else None
        return Scope(groups, (self.publishes_as, self.pk))

    @property
    def group_names(self) -> list[str] | None:
        """Of the groups to which it is bound; None: it addresses everybody."""
        return sorted(group.name for group in self.bound_groups.all()) if self.is_bound else None

    def told_scope(self) -> str:
        """The same in words."""
        return scope_words(self.group_names, _("everybody"))


def scope_words(groups: Sequence[str] | None, everybody: str) -> str:
    """The groups to which somebody is bound, and `everybody` where they are bound to none."""
    return everybody if groups is None else ", ".join(groups) or "-"
