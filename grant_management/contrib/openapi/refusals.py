"""The refusals of an operation, by HTTP status."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from ...api.authlete.views import OrganizationView
from ...api.draft import STATUS, GrantResourceView
from ...api.gm import GrantManagementView
from ...api.provisioning.views import ProvisioningView
from ...api.self_service.tokens import TokenView
from ...api.self_service.views import SelfServiceView
from ...api.shared_signals.views import StreamView
from ...api.store.views import StoreView
from ...protocol.results import Result
from .doors.common import FLOW
from .operations import Described

R = Result
ByStatus = dict[int, tuple[Result, ...]]
BY_API_TOKEN: Final = (
    StoreView,
    TokenView,
    GrantManagementView,
    OrganizationView,
    ProvisioningView,
    StreamView,
)
"""Views that an API token opens."""
_CALLER: Final = (
    R.AUTHORIZATION_MISSING,
    R.AUTHORIZATION_MALFORMED,
    R.API_TOKEN_INVALID,
    R.THROTTLED,
)
_BODY: Final = (
    R.BODY_UNREADABLE,
    R.BODY_TOO_LARGE,
    R.LENGTH_REQUIRED,
    R.MEDIA_TYPE_UNSUPPORTED,
)
_PERSON: Final = (R.SELF_SERVICE_TOKEN_INVALID, R.ORIGIN_NOT_ALLOWED, R.THROTTLED)
_TRY_AGAIN: Final = (R.DATABASE_AWAY, R.DATABASE_BUSY, R.DATABASE_CONFLICT)

_ORDINARY: Final = {
    400: {R.AUTHORIZATION_MALFORMED, R.BODY_UNREADABLE},
    401: {R.AUTHORIZATION_MISSING, R.API_TOKEN_INVALID},
    403: {R.SERVICE_NOT_ALLOWED},
    404: {R.ROUTE_UNKNOWN},
    409: {R.STORE_KEY_REUSED},
    429: {R.THROTTLED},
    500: {R.SERVER_FAILED},
    503: set(_TRY_AGAIN),
}
"""What most operations refuse with a status: their schemas have the shortest names."""


def name_of(status: int, results: Iterable[Result]) -> str:
    """The name of the schema of these refusals of one status."""
    found = list(dict.fromkeys(results))
    ordinary = _ORDINARY.get(status, set(found))
    named = [one for one in found if one not in ordinary or not ordinary <= set(found)]
    return f"Refusal{status}" + "".join(one.name.title().replace("_", "") for one in named)


def refusals_of(operation: Described) -> ByStatus:
    """Every refusal that the operation may answer in the API's shape, by status."""
    found: dict[int, list[Result]] = defaultdict(list)
    for one in (*_of_every(operation), *operation.said.refusals):
        if one not in found[one.status]:
            found[one.status].append(one)
    for status, results in _failures(operation.view).items():
        found[status].extend(results)
    return {status: tuple(results) for status, results in sorted(found.items())}


def _of_every(operation: Described) -> Iterable[Result]:
    """Those of every operation of its kind."""
    yield R.METHOD_NOT_ALLOWED
    if operation.view is None:  # health
        return
    yield from (R.ROUTE_UNKNOWN, R.BODY_UNREADABLE)
    if issubclass(operation.view, BY_API_TOKEN):
        yield from _of_api_token(operation)
    if issubclass(operation.view, SelfServiceView):
        yield from _PERSON
    if operation.has_body:
        yield from _BODY if operation.takes_none else (R.BODY_MISSING, *_BODY)


def _of_api_token(operation: Described) -> Iterable[Result]:
    yield from _CALLER
    if issubclass(operation.view, ProvisioningView):
        yield R.MANAGEMENT_NOT_ALLOWED
    elif operation.right:
        yield R.RIGHT_MISSING
    if "{serviceId}" in operation.path:
        yield R.SERVICE_NOT_ALLOWED
    if operation.is_idempotent:
        yield R.STORE_KEY_REUSED


def _failures(view: Any) -> ByStatus:
    """The failures of the server. Authlete's operations say 500 also where a retry helps."""
    if view is None:
        return {}
    if view.is_authletes:
        return {500: (R.SERVER_FAILED, *_TRY_AGAIN)}
    return {500: (R.SERVER_FAILED,), 503: _TRY_AGAIN}


def of_the_draft(operation: Described) -> dict[int, list[Result]]:
    """What the draft's endpoint answers in the shape of OAuth (RFC 6750 §3.1), by status."""
    found: dict[int, list[Result]] = defaultdict(list)
    if operation.view is GrantResourceView:
        for one in FLOW:
            found[STATUS.get(one.action, 500) if one.action else 500].append(one)
    return found
