"""Lists of the admin: indexes of what they are ordered and searched by, what operators keep of
them, and counters by hour.

On PostgreSQL no writer waits for an index, and the migration can be run again after it was
interrupted: indexes come first, and all tables come with one transaction.
"""


import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from ._indexes import AddIndex

WITH_TICKET = ~Q(ticket="")
HEADS = Q(job=None) | Q(id=F("job")) | Q(kind="job_started") | Q(kind="cut_off")


class InOneTransaction(migrations.operations.SeparateDatabaseAndState):
    """Operations that are all done or none, in a migration that is not one transaction."""

    atomic = True

    def __init__(self, together):
        super().__init__(database_operations=together, state_operations=together)

    def deconstruct(self):
        return (self.__class__.__qualname__, [self.database_operations], {})


def user():
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name="user",
    )


def key():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


def index(model, fields, name, **condition):
    return AddIndex(model_name=model, index=models.Index(fields=fields, name=name, **condition))


TABLES = [
    migrations.CreateModel(
        name="HourlyCount",
        fields=[
            ("id", key()),
            ("hour", models.DateTimeField(verbose_name="hour")),
            ("client_id", models.CharField(blank=True, default="", max_length=255, verbose_name="client ID")),
            ("kind", models.CharField(max_length=20, verbose_name="what")),
            ("number", models.PositiveBigIntegerField(verbose_name="number")),
            ("service", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="grant_management.service", verbose_name="service")),
        ],
        options={
            "verbose_name": "hourly count",
            "verbose_name_plural": "hourly counts",
            "default_permissions": (),
            "base_manager_name": "objects",
            "constraints": [
                models.UniqueConstraint(fields=("service", "kind", "hour", "client_id"), name="gm_hourly_count_unique")
            ],
        },
    ),
    migrations.CreateModel(
        name="ListColumns",
        fields=[
            ("id", key()),
            ("of", models.CharField(max_length=50, verbose_name="list")),
            ("names", models.JSONField(default=list, verbose_name="columns")),
            ("user", user()),
        ],
        options={
            "verbose_name": "columns of a list",
            "verbose_name_plural": "columns of lists",
            "default_permissions": (),
            "base_manager_name": "objects",
            "constraints": [models.UniqueConstraint(fields=("user", "of"), name="gm_columns_unique")],
        },
    ),
    migrations.CreateModel(
        name="SavedView",
        fields=[
            ("id", key()),
            ("of", models.CharField(max_length=50, verbose_name="list")),
            ("name", models.CharField(max_length=100, verbose_name="name")),
            ("query", models.CharField(max_length=2000, verbose_name="query")),
            ("user", user()),
        ],
        options={
            "verbose_name": "saved view",
            "verbose_name_plural": "saved views",
            "default_permissions": (),
            "base_manager_name": "objects",
            "constraints": [
                models.UniqueConstraint(fields=("user", "of", "name"), name="gm_saved_view_unique")
            ],
        },
    ),
    migrations.AddField(
        model_name="tally", name="hours_until", field=models.DateTimeField(null=True)
    ),
]


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY has to be outside of a transaction

    dependencies = [
        ('grant_management', '0010_console_first_run'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        index("accesstoken", ["service", "-id"], "gm_accesstoken_newest"),
        index("refreshtoken", ["service", "-id"], "gm_refreshtoken_newest"),
        index("client", ["service", "name", "id"], "gm_client_sorted"),
        index("grantevent", ["service", "-at", "-id"], "gm_event_heads", condition=HEADS),
        index(
            "grantevent",
            ["service", "ticket", "-at", "-id"],
            "gm_event_ticket",
            condition=WITH_TICKET,
        ),
        index(
            "grantevent",
            ["service", "ticket", "-at", "-id"],
            "gm_event_ticket_heads",
            condition=WITH_TICKET & HEADS,
        ),
        InOneTransaction(TABLES),
    ]
