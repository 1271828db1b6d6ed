"""Authlete's management operations below `/api/{serviceId}/`, each with its members and its right.

An identifier in a path may be a credential or have slashes, so the last one takes the whole rest.
Where a subject may follow, a client whose ID has slashes is named by its number.
"""

from typing import Any, Final

from django.urls import URLPattern, re_path

from ..store.views import door
from . import clients, consents, introspection, services, tokens

_READS: Final[dict[str, Any]] = {"methods": ("GET", "HEAD"), "writes": False}
_DELETES: Final[dict[str, Any]] = {"methods": ("DELETE",), "is_empty": True}
_CLIENT: Final = r"(?P<client>[\s\S]+)"
_CLIENT_OF: Final = r"(?P<client>[^/]+)"
_SUBJECT: Final = r"(?:/(?P<subject>[\s\S]+))?"


def _of_authlete(path: str, perform: Any, members: Any = (), **declared: Any) -> URLPattern:
    view = door(perform, members, is_authletes=True, **declared)
    pattern: URLPattern = re_path(rf"^{path}\Z", view)
    return pattern


def _of_service(path: str, *operation: Any, **declared: Any) -> URLPattern:
    return _of_authlete(f"service/{path}", *operation, right="can_manage_services", **declared)


def _of_client(path: str, *operation: Any, **declared: Any) -> URLPattern:
    return _of_authlete(f"client/{path}", *operation, right="can_manage_clients", **declared)


urlpatterns = [
    _of_service("get", services.get, **_READS),
    _of_service("update", services.update, services.SAVE),
    _of_service("delete", services.delete, **_DELETES),
    _of_client("create", clients.create, clients.SAVE),
    _of_client("get/list", clients.list_clients, clients.LIST, **_READS),
    _of_client(f"get/{_CLIENT}", clients.get, **_READS),
    _of_client(f"update/{_CLIENT}", clients.update, clients.SAVE),
    _of_client(f"delete/{_CLIENT}", clients.delete, **_DELETES),
    _of_authlete("auth/token/get/list", tokens.list_tokens, tokens.LIST, **_READS),
    _of_authlete("auth/token/update", tokens.update, tokens.UPDATE),
    _of_authlete(r"auth/token/delete/(?P<token>[\s\S]+)", tokens.delete, **_DELETES),
    _of_authlete(
        "auth/introspection/standard",
        introspection.introspect,
        introspection.INTROSPECT,
        writes=False,
    ),
    # SDKs in TypeScript send GET and DELETE, with the subject in the path; others POST it.
    _of_authlete(
        f"client/authorization/get/list{_SUBJECT}",
        consents.list_clients,
        consents.LIST,
        methods=("GET", "HEAD", "POST"),
        writes=False,
    ),
    _of_authlete(
        f"client/authorization/delete/{_CLIENT_OF}{_SUBJECT}",
        consents.delete_authorization,
        consents.SUBJECT,
        methods=("DELETE", "POST"),
    ),
    _of_authlete(
        f"client/granted_scopes/get/{_CLIENT_OF}{_SUBJECT}",
        consents.get_scopes,
        consents.SUBJECT,
        methods=("GET", "HEAD", "POST"),
        writes=False,
    ),
    _of_authlete(
        f"client/granted_scopes/delete/{_CLIENT_OF}{_SUBJECT}",
        consents.delete_scopes,
        consents.SUBJECT,
        methods=("DELETE", "POST"),
    ),
]
