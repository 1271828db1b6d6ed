"""System checks of the bridge."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import router
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from grant_management.db import primary


@register(Tags.models)
def check_one_database(**kwargs: Any) -> list[CheckMessage]:
    """What dies on one side dies on the other in the same transaction: that takes one database."""
    theirs = {router.db_for_write(m()) for m in (get_access_token_model, get_refresh_token_model)}
    if theirs == {primary.alias()}:
        return []
    message = "django-oauth-toolkit's tokens and grant_management are in different databases."
    hint = "Let your DATABASE_ROUTERS send both apps to one database."
    return [Error(message, hint=hint, id="grant_management_oauth_toolkit.E001")]
