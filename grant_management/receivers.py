"""Users of the host who go, and their memberships with them."""

from typing import Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete

from .db import primary
from .models import Actor, OrganizationMember
from .models.event import ActorKind

ACTOR: Final = Actor(ActorKind.SYSTEM, "deletion of the user")
"""Who deleted the user is not known here: Django's own log of the admin says it."""


def connect() -> None:
    """Called once, when the app is ready. Proxies send the signal under their own name."""
    user = get_user_model()
    for model in apps.get_models():
        if model._meta.concrete_model is user._meta.concrete_model:
            post_delete.connect(
                remove_memberships, sender=model, dispatch_uid=("grant_management", model)
            )


def remove_memberships(instance: Any, **kwargs: Any) -> None:
    """In the transaction of the deletion, where users are in the same database."""
    with primary.atomic():
        for member in OrganizationMember.objects.filter(user_id=instance.pk):
            member.username = instance.get_username()
            member.remove(ACTOR)
