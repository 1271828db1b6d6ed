"""The operations of the document: what a view declares, and what is said of it besides."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ... import urls
from ...api import health
from ...api.authlete.views import OrganizationView
from ...api.gm import GrantManagementView
from ...api.provisioning.tokens import OPERATIONS, TAKES_NONE
from ...api.provisioning.views import ProvisioningView
from ...api.self_service import grants as own_grants
from ...api.self_service.tokens import ISSUE, TokenView
from ...api.self_service.views import SelfServiceView
from ...api.shared_signals import views as signals
from ...api.store import standard
from ...api.store.views import StoreView
from ...api.views import ForeignOperationView, UnknownRouteView
from ...endpoint.messages import GM_MEMBERS
from ...fields.field import Field
from .doors import authlete, endpoint, provisioning, self_service, store, streams, webhooks
from .doors import health as healthy
from .paths import Route, routes
from .said import Key, Said
from .texts import texts_of

DOORS: Final = (
    *(endpoint, store, webhooks, streams, authlete, provisioning, self_service),
    healthy,
)
SAID: Final[dict[Key, Said]] = {key: said for door in DOORS for key, said in door.SAID.items()}
"""What is said of every operation."""
NOT_HERE: Final = (ForeignOperationView, UnknownRouteView)
"""Views of paths at which there is nothing."""
TAGS: Final = {
    "grant_management.api.gm": "Grant management API",
    "grant_management.api.draft": "Draft",
    "grant_management.api.store.webhooks": "Webhooks",
    "grant_management.api.store.standard": "RFC 7662 and RFC 7009",
    "grant_management.api.store": "Store",
    "grant_management.api.authlete": "Authlete's management operations",
    "grant_management.api.shared_signals": "Shared Signals",
    "grant_management.api.provisioning": "Provisioning",
    "grant_management.api.self_service": "Self-service",
    "grant_management.api.health": "Health",
}
"""The tag of an operation by the module that performs it; the first that fits."""


@dataclass(frozen=True)
class Described:
    """An operation of the document.

    `members` are those of the body, or of the query where the method has no body. `performed` is
    what its description is taken from.
    """

    path: str
    method: str
    id: str
    said: Said
    view: Any
    performed: Callable[..., Any]
    members: tuple[Field, ...] = ()
    takes_none: bool = False
    right: str = ""
    is_idempotent: bool = False
    is_form: bool = False

    @property
    def has_body(self) -> bool:
        """Whether the method has a body."""
        return self.method in ("POST", "PUT", "PATCH")

    @property
    def tag(self) -> str:
        """The door that it belongs to."""
        module = self.performed.__module__
        return next(tag for prefix, tag in TAGS.items() if module.startswith(prefix))

    @property
    def texts(self) -> tuple[str, str]:
        """The summary and the description."""
        return (self.said.summary, "") if self.said.summary else texts_of(self.performed)


def all_operations() -> Iterator[Described]:
    """Every operation of every door, in the order of the URLs; health last."""
    for route in routes(urls.urlpatterns):
        if not issubclass(route.view, NOT_HERE):
            yield from _of_route(route)
    for path, view in (("/livez", health.livez), ("/readyz", health.readyz)):
        yield Described(path, "GET", SAID[view].id, SAID[view], None, view)


def _of_route(route: Route) -> Iterator[Described]:
    methods = [one for one in route.view.methods if one != "HEAD"]
    for method in methods:
        key, performed, declared = _declared(route, method)
        said = SAID[key]
        is_another = method != methods[0] and not isinstance(key, tuple)
        name = _id(said.id, route) + (f"By{method.title()}" if is_another else "")
        if "{subject}" in route.path:
            name += "OfSubject"
        yield Described(route.path, method, name, said, route.view, performed, **declared)


def _id(name: str, route: Route) -> str:
    """The operation's ID. Two paths of one operation, and two kinds of tokens, need two."""
    if "kind" in route.chosen:
        plural = "s" if route.chosen["operation"] == "all" else ""
        return f"{name}{route.chosen['kind'].title()}Token{plural}"
    return (
        f"{name}AtGm" if route.view is GrantManagementView and "/auth/" not in route.path else name
    )


def _declared(route: Route, method: str) -> tuple[Key, Callable[..., Any], dict[str, Any]]:
    """The key of what is said, what performs the operation, and what its view declares."""
    view = route.view
    if issubclass(view, StoreView):
        return _of_store(view, method)
    if issubclass(view, signals.StreamView):
        perform, members, _status = view.operations[method]
        return (perform, method), perform, {"members": members, "right": signals.RIGHT}
    if issubclass(view, OrganizationView):
        perform = view.perform
        return perform, perform, {"members": view.members, "right": "can_manage_services"}
    if issubclass(view, ProvisioningView):
        return _of_provisioning(route.chosen["operation"])
    return (view, method), _performed(view), _of_view(view, method)


def _of_store(view: type[StoreView], method: str) -> tuple[Key, Callable[..., Any], dict[str, Any]]:
    operation = view.operation
    declared = {
        "members": operation.members,
        "takes_none": operation.takes_none,
        "right": operation.right,
        "is_idempotent": operation.writes and method == "POST",
        "is_form": operation.members == standard.TOKEN,
    }
    return operation.perform, operation.perform, declared


def _of_provisioning(name: str) -> tuple[Key, Callable[..., Any], dict[str, Any]]:
    perform = OPERATIONS[name]
    members = (*provisioning.COMMON, *provisioning.MEMBERS[perform])
    declared = {"members": members, "takes_none": name in TAKES_NONE, "right": "can_manage_tokens"}
    return perform, perform, declared


def _of_view(view: Any, method: str) -> dict[str, Any]:
    if view is GrantManagementView:
        return {"members": tuple(GM_MEMBERS)}
    if view is TokenView:
        return {"members": ISSUE, "right": "can_issue_self_service"}
    return {"members": own_grants.LIST} if view.__name__ == "GrantsView" else {}


def _performed(view: Any) -> Callable[..., Any]:
    """The method of the view whose docstring describes its answers."""
    performed: Callable[..., Any] = (
        view.perform if issubclass(view, SelfServiceView) else view.respond
    )
    return performed
