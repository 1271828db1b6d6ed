"""The store's routes, below `/api/{serviceId}/`."""

from django.urls import re_path

from . import clients, grants, introspection, standard, tokens
from .views import door

_ID = r"(?P<grant_id>[^/]+)"

urlpatterns = [
    re_path(r"^auth/token/create\Z", door(tokens.create, is_authletes=True)),
    re_path(r"^auth/token/revoke\Z", door(tokens.revoke, is_authletes=True)),
    re_path(
        r"^auth/introspection\Z",
        door(introspection.introspect, writes=False, is_authletes=True),
    ),
    re_path(r"^tokens/refresh\Z", door(tokens.refresh)),
    re_path(r"^clients\Z", door(clients.save)),
    re_path(r"^grants\Z", door(grants.create)),
    re_path(r"^grants/check\Z", door(grants.check, writes=False)),
    re_path(r"^grants/list\Z", door(grants.list_grants, writes=False)),
    re_path(rf"^grants/{_ID}/get\Z", door(grants.get, writes=False, takes_none=True)),
    re_path(rf"^grants/{_ID}/merge\Z", door(grants.merge)),
    re_path(rf"^grants/{_ID}/replace\Z", door(grants.replace)),
    re_path(rf"^grants/{_ID}/revoke\Z", door(grants.revoke, takes_none=True)),
    re_path(r"^introspect\Z", door(standard.introspect, writes=False)),
    re_path(r"^revoke\Z", door(standard.revoke)),
]
