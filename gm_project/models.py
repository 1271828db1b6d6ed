"""The table of the standalone project: counts of logins that failed."""

from django.db import models

from grant_management.db.primary import PrimaryQuerySet


class LoginCount(models.Model):
    """How often logins with something in common failed, until `ends_at`; then it counts as 0.

    `key` is a keyed digest of what they have in common: neither names nor addresses are stored.
    Two kinds of rows count nothing: until `ends_at` an address is known to an account; and the row
    of the key "" is locked while counts are read and changed.
    """

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)

    objects = PrimaryQuerySet["LoginCount"].as_manager()

    def __str__(self) -> str:
        return self.key[:8]
