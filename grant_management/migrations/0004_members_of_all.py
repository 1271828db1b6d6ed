"""Who saw all organizations because of having no membership becomes a member of all.

From here on an operator without a membership sees nothing. Those who are there keep what they saw:
active users with a permission of this app, by themselves or by a group, who are no superusers. Of a
user model without Django's permissions nothing is known here, nor where users are in another
database: there an administrator adds the members.
"""

from django.conf import settings
from django.db import migrations
from django.db.models import Q

from ..db import clock
from ..models.event import Actor, EventKind
from ..db.ids import uuid7

APP = "grant_management"


def keep_what_they_saw(apps, schema_editor):
    database = schema_editor.connection.alias
    Member = apps.get_model(APP, "OrganizationMember")
    Event = apps.get_model(APP, "OrganizationEvent")
    limited = set(Member.objects.using(database).values_list("user_id", flat=True))
    actor = Actor.command("migrate")
    for user in operators(apps, database):
        if user.pk not in limited:
            Member.objects.using(database).create(user_id=user.pk, organization_id=None)
            now = clock.now()
            Event.objects.using(database).create(
                id=uuid7(now),
                kind=EventKind.MEMBER_ADDED,
                at=now,
                actor_kind=actor.kind,
                actor=actor.name,
                actor_id=actor.id,
                details={"user": str(getattr(user, name_field())), "user_id": str(user.pk)},
            )


def operators(apps, database):
    """Active users who are no superusers and have a permission of this app, where that is known."""
    from django.db import router

    app, name = settings.AUTH_USER_MODEL.split(".")
    User = apps.get_model(app, name)
    known = {field.name for field in User._meta.get_fields()}
    if not {"groups", "user_permissions", "is_superuser"} <= known:
        return []
    if router.db_for_write(User) != database:
        return []
    ours = {"content_type__app_label": APP}
    given = Q(**{f"user_permissions__{path}": value for path, value in ours.items()})
    given |= Q(**{f"groups__permissions__{path}": value for path, value in ours.items()})
    active = {"is_active": True} if "is_active" in known else {}
    rows = User._base_manager.using(database).filter(given, is_superuser=False, **active)
    return rows.order_by("pk").distinct()


def name_field():
    from django.contrib.auth import get_user_model

    return get_user_model().USERNAME_FIELD


class Migration(migrations.Migration):
    dependencies = [
        (APP, "0003_one_clock_one_trail"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(keep_what_they_saw, migrations.RunPython.noop)]
