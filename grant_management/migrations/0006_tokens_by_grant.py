"""The index of a grant's tokens begins with the grant, since the database's own check of the
foreign key looks for it: where a grant was deleted, it read all tokens.

Before that, the indexes that 0002 and 0003 left to this migration, which may make them without
blocking writers. A database in which 0002 and 0003 have made them already keeps them. Adding is before
removing, so that there is an index at any time.
"""

from django.db import migrations, models

from ._indexes import AddIndex, AddMissingIndex, RemoveIndex, RemoveLeftIndex

LEFT = [
    ("accesstoken", "gm_accesstoken_tokens"),
    ("grant", "gm_grant_newest"),
    ("grant", "gm_grant_expires"),
    ("grantevent", "gm_event_newest"),
    ("grantevent", "gm_event_client"),
    ("grantevent", "gm_event_subject"),
    ("grantevent", "gm_event_actor"),
    ("refreshtoken", "gm_refreshtoken_tokens"),
    ("accesstoken", "gm_accesstoken_subject"),
    ("accesstoken", "gm_accesstoken_endless"),
    ("grantevent", "gm_event_job"),
    ("refreshtoken", "gm_refreshtoken_subject"),
    ("refreshtoken", "gm_refreshtoken_endless"),
]


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY has to be outside of a transaction

    dependencies = [("grant_management", "0005_purge_run")]

    operations = [
        *(AddMissingIndex(model_name, name) for model_name, name in LEFT),
        RemoveLeftIndex(
            model_name="grant",
            index=models.Index(
                condition=models.Q(("revoked_at", None)),
                fields=["service", "-created_at"],
                name="gm_grant_live",
            ),
        ),
        RemoveLeftIndex(
            model_name="grantevent",
            index=models.Index(fields=["service", "-at"], name="gm_event_at"),
        ),
        *(
            operation
            for token in ("accesstoken", "refreshtoken")
            for operation in (
                AddIndex(
                    model_name=token,
                    index=models.Index(
                        fields=["grant", "service", "-id"], name=f"gm_{token}_grant"
                    ),
                ),
                RemoveIndex(model_name=token, name=f"gm_{token}_tokens"),
            )
        ),
    ]
