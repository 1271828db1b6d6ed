"""The store's routes below `/api/{serviceId}/`: the operation of each, and its members."""

from typing import Any

from django.urls import re_path

from . import clients, events, grants, introspection, standard, tokens, webhooks
from .views import door

_ID = r"(?P<grant_id>[^/]+)"
_WEBHOOK = r"(?P<webhook_id>[0-9a-f-]{36})"
_MAY: dict[str, Any] = {"right": "can_manage_webhooks"}
_ALONE = _MAY | {"takes_none": True}
_READS = _ALONE | {"writes": False}

urlpatterns = [
    re_path(r"^auth/token/create\Z", door(tokens.create, tokens.CREATE, is_authletes=True)),
    re_path(r"^auth/token/revoke\Z", door(tokens.revoke, tokens.REVOKE, is_authletes=True)),
    re_path(
        r"^auth/introspection\Z",
        door(introspection.introspect, introspection.INTROSPECT, writes=False, is_authletes=True),
    ),
    re_path(r"^tokens/refresh\Z", door(tokens.refresh, tokens.REFRESH)),
    re_path(r"^clients\Z", door(clients.save, clients.SAVE)),
    re_path(r"^grants\Z", door(grants.create, grants.CREATE)),
    re_path(r"^grants/check\Z", door(grants.check, grants.CHECK, writes=False)),
    re_path(r"^grants/list\Z", door(grants.list_grants, grants.LIST, writes=False)),
    re_path(rf"^grants/{_ID}/get\Z", door(grants.get, (), writes=False, takes_none=True)),
    re_path(rf"^grants/{_ID}/merge\Z", door(grants.merge, grants.CHANGE)),
    re_path(rf"^grants/{_ID}/replace\Z", door(grants.replace, grants.CHANGE)),
    re_path(rf"^grants/{_ID}/revoke\Z", door(grants.revoke, grants.REVOKE, takes_none=True)),
    re_path(
        r"^events\Z",
        door(
            events.list_events,
            events.LIST,
            methods=("GET", "HEAD"),
            writes=False,
            right="can_read_events",
        ),
    ),
    re_path(r"^webhooks\Z", door(webhooks.create, webhooks.CREATE, **_MAY)),
    re_path(r"^webhooks/list\Z", door(webhooks.list_webhooks, (), **_READS)),
    re_path(rf"^webhooks/{_WEBHOOK}/get\Z", door(webhooks.get, (), **_READS)),
    re_path(rf"^webhooks/{_WEBHOOK}/update\Z", door(webhooks.update, webhooks.UPDATE, **_MAY)),
    re_path(rf"^webhooks/{_WEBHOOK}/delete\Z", door(webhooks.delete, (), **_ALONE)),
    re_path(rf"^webhooks/{_WEBHOOK}/rotate\Z", door(webhooks.rotate, webhooks.ROTATE, **_ALONE)),
    re_path(rf"^webhooks/{_WEBHOOK}/test\Z", door(webhooks.test, (), **_ALONE)),
    re_path(rf"^webhooks/{_WEBHOOK}/replay\Z", door(webhooks.replay, webhooks.REPLAY, **_MAY)),
    re_path(
        rf"^webhooks/{_WEBHOOK}/deliveries\Z",
        door(webhooks.deliveries, webhooks.DELIVERIES, **_READS),
    ),
    re_path(r"^introspect\Z", door(standard.introspect, standard.TOKEN, writes=False)),
    re_path(r"^revoke\Z", door(standard.revoke, standard.TOKEN)),
]
