"""Removes what is kept of a user whom the host deletes: memberships and preferences."""

from typing import Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete

from .db import apart, primary
from .models import Actor, ListColumns, OperatorPreference, OrganizationMember, SavedView
from .models.event import ActorKind

ACTOR: Final = Actor(ActorKind.SYSTEM, "deletion of the user")
"""The actor in the event. A signal does not say who deleted the user; the admin's log does."""


def connect() -> None:
    """Connect the receiver; called once, when the app is ready.

    A proxy of the user model sends the signal with itself as the sender, so it is connected too.
    """
    user = get_user_model()
    for model in apps.get_models():
        if model._meta.concrete_model is user._meta.concrete_model:
            post_delete.connect(
                remove_memberships, sender=model, dispatch_uid=("grant_management", model)
            )


@apart.in_first
def remove_memberships(instance: Any, **kwargs: Any) -> None:
    """Remove the memberships of a deleted user, each with its event, and the user's preferences.

    This is part of the deletion's transaction where users are in the same database.
    """
    with primary.atomic():
        for member in OrganizationMember.objects.filter(user_id=instance.pk):
            member.username = instance.get_username()
            member.remove(ACTOR)
        for model in (ListColumns, OperatorPreference, SavedView):
            model._default_manager.filter(user_id=instance.pk).delete()
