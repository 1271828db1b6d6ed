"""The store's routes below `/api/{serviceId}/`: the operation of each, and its members."""

from django.urls import re_path

from . import clients, grants, introspection, standard, tokens
from .views import door

_ID = r"(?P<grant_id>[^/]+)"

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
    re_path(r"^introspect\Z", door(standard.introspect, standard.TOKEN, writes=False)),
    re_path(r"^revoke\Z", door(standard.revoke, standard.TOKEN)),
]
