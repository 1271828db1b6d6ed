"""Routes below `/api/{serviceId}/` for what people are told, each with its members and its right.

Descriptions are settings of a service, so they need the right of those.
"""

from typing import Final

from django.urls import re_path

from ..store.views import door
from . import descriptions, profiles

_SERVICES: Final = "can_manage_services"
_CLIENTS: Final = "can_manage_clients"

urlpatterns = [
    re_path(r"^descriptions\Z", door(descriptions.save, descriptions.SAVE, right=_SERVICES)),
    re_path(
        r"^descriptions/get\Z",
        door(descriptions.get, descriptions.DESCRIBED, writes=False, right=_SERVICES),
    ),
    re_path(
        r"^descriptions/list\Z",
        door(
            descriptions.list_descriptions,
            descriptions.LIST,
            writes=False,
            takes_none=True,
            right=_SERVICES,
        ),
    ),
    re_path(
        r"^descriptions/delete\Z",
        door(descriptions.delete, descriptions.DESCRIBED, right=_SERVICES),
    ),
    re_path(r"^clients/profile\Z", door(profiles.save, profiles.SAVE, right=_CLIENTS)),
    re_path(
        r"^clients/profile/get\Z", door(profiles.get, profiles.GET, writes=False, right=_CLIENTS)
    ),
]
