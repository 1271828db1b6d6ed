"""Indexes for what operators search for: tickets of organizations' events, names of clients, prefixes of API tokens, and the
calls of a client. The last one takes the place of the index of calls without a known client.

On PostgreSQL no writer waits for it, and it can be run again after it was interrupted.
"""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower

from ._indexes import AddIndex, RemoveIndex


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY has to be outside of a transaction

    dependencies = [("grant_management", "0011_console_lists")]

    operations = [
        AddIndex(
            model_name="call",
            index=models.Index(fields=["service", "client_id", "-id"], name="gm_call_client"),
        ),
        RemoveIndex(model_name="call", name="gm_call_anonymous"),
        AddIndex(
            model_name="client",
            index=models.Index(F("service"), Lower("name"), name="gm_client_name"),
        ),
        AddIndex(
            model_name="organizationevent",
            index=models.Index(
                fields=["ticket"], name="gm_org_event_ticket", condition=~Q(ticket="")
            ),
        ),
        AddIndex(
            model_name="apitoken",
            index=models.Index(fields=["prefix"], name="gm_api_token_prefix"),
        ),
    ]
