"""System checks of the bridge."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import router
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_grant_model,
    get_refresh_token_model,
)

from grant_management.db import primary

from .models import AuthorizedCode, LinkedToken


@register(Tags.models)
def check_one_database(**kwargs: Any) -> list[CheckMessage]:
    """E001: the toolkit, this app and the bridge are not all in one database.

    Tokens die on both sides in one transaction, which needs that.
    """
    models = [
        get_application_model(),
        get_grant_model(),
        get_access_token_model(),
        get_refresh_token_model(),
        AuthorizedCode,
        LinkedToken,
    ]
    if {router.db_for_write(model) for model in models} == {primary.alias()}:
        return []
    message = "django-oauth-toolkit, grant_management and what ties them are in several databases."
    hint = "Let your DATABASE_ROUTERS send all three apps to one database."
    return [Error(message, hint=hint, id="grant_management_oauth_toolkit.E001")]
