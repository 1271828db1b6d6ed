"""What an operator keeps of a list: the columns that it shows, and views with a name."""

from typing import Any, Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import apart, primary

MOST: Final = 50
"""The most views that an operator keeps of one list."""
LONGEST_NAME: Final = 100
"""Characters of a view's name, at most."""
LONGEST_QUERY: Final = 2_000
"""Characters of a view's query string, at most."""


class TooManyViews(ValueError):
    """The operator has as many views of this list as can be kept."""


class OfOperator(models.Model):
    """A row of one operator. As for memberships, neither constraint nor join connects it with the
    user, who may be in another database.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        verbose_name=_("user"),
        related_name="+",
    )
    of = models.CharField(_("list"), max_length=50)

    class Meta:
        abstract = True


class ListColumns(OfOperator):
    """The columns that an operator chose for a list, by their keys."""

    names = models.JSONField(_("columns"), default=list)

    objects = primary.PrimaryManager["ListColumns"]()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("columns of a list")
        verbose_name_plural = _("columns of lists")
        constraints = [models.UniqueConstraint(fields=["user", "of"], name="gm_columns_unique")]

    def __str__(self) -> str:
        return f"{self.of}: {', '.join(self.names)}"


class SavedViewManager(primary.PrimaryManager["SavedView"]):
    """The store of saved views."""

    def of_list(self, user: Any, of: str) -> "models.QuerySet[SavedView]":
        """The views that this operator saved of a list, by name."""
        return self.filter(user_id=user.pk, of=of).order_by("name")

    @apart.in_first
    def keep(self, user: Any, of: str, name: str, query: str) -> "SavedView":
        """Save a view, in place of one of the same name.

        TooManyViews: there are `MOST` others already.
        """
        with primary.atomic():
            others = self.of_list(user, of).exclude(name=name)
            if others.count() >= MOST:
                raise TooManyViews
            about = {"user_id": user.pk, "of": of, "name": name}
            return self.update_or_create(**about, defaults={"query": query})[0]


class SavedView(OfOperator):
    """Filters and order of a list under a name, as a query string without a cursor."""

    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    query = models.CharField(_("query"), max_length=LONGEST_QUERY)

    objects = SavedViewManager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["user", "of", "name"], name="gm_saved_view_unique")
        ]

    def __str__(self) -> str:
        return self.name
