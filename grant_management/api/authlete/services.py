"""`service/{create,get,get/list,update,delete}`: services, in Authlete's shape."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ...db import apart, primary
from ...fields import members as m
from ...fields.field import Field
from ...fields.numeric import WholeNumber
from ...fields.strings import Flag
from ...models import Actor, ApiToken, Reason, Service
from ...protocol.results import Refused, Result
from ..store.answer import Answer, compact
from ..store.request import StoreRequest
from .paging import PAGE, cut

BY_API: Final = Reason("requested through the API")


def _or_unset(field: WholeNumber, name: str) -> WholeNumber:
    """The rule with 0 accepted as well: SDKs send it for a number that was never set."""
    return replace(field, name=name, least=0)


COLUMNS: Final[Mapping[str, Field]] = {
    "name": m.NAME.named("serviceName"),
    "grant_management_endpoint": m.ENDPOINT.named("grantManagementEndpoint"),
    "action_required": Flag("grantManagementActionRequired"),
    "access_token_duration": _or_unset(m.TOKEN_DURATION, "accessTokenDuration"),
    "refresh_token_duration": _or_unset(m.TOKEN_DURATION, "refreshTokenDuration"),
    "dpop_nonce_required": m.NONCE_REQUIRED.named("dpopNonceRequired"),
    "dpop_nonce_duration": _or_unset(m.NONCE_DURATION, "dpopNonceDuration"),
    "dpop_clock_skew": _or_unset(m.CLOCK_SKEW, "allowableClockSkew"),
}
"""Authlete's members by the settings that they are here."""
SAVE: Final = tuple(COLUMNS.values())


class OrganizationRequest(NamedTuple):
    """An operation on the services of the caller's organization."""

    caller: ApiToken
    values: Mapping[str, Any]


def create(request: OrganizationRequest) -> Answer:
    """A new service of the caller's organization. Refused: `serviceName` is missing."""
    settings = _settings(request.values)
    if "name" not in settings:
        raise Refused(Result.BODY_UNREADABLE, "'serviceName' is missing.")
    service = Service(organization=request.caller.organization, **settings)
    with apart.service(service.pk), primary.atomic():
        service.save(force_insert=True)
        service.record_creation(Actor.api_token(request.caller))
    return show(service)


def list_services(request: OrganizationRequest) -> Answer:
    """A page of the organization's services, by number."""
    organization = request.caller.organization_id
    rows = Service.objects.filter(organization_id=organization, deleted_at=None).order_by("pk")
    page = cut(rows, request.values)
    return page.shown | {"services": [show(service) for service in page.rows]}


def get(request: StoreRequest) -> Answer:
    """The service."""
    return show(_whole(request.service))


def update(request: StoreRequest) -> Answer:
    """Change the settings that are given; the next call uses them."""
    service = _whole(request.service)
    service.change(_settings(request.values), request.caller, BY_API)
    return show(service)


def delete(request: StoreRequest) -> Answer:
    """Cut the service off and hide it: no API token opens it any more."""
    if not _whole(request.service).hide(request.caller, BY_API):
        raise Refused(Result.SERVICE_NOT_ALLOWED)
    return {}


LIST: Final = PAGE


def show(service: Service) -> Answer:
    """The members of a service that this server has. `apiKey` is its number."""
    shown = {field.name: getattr(service, column) for column, field in COLUMNS.items()}
    return compact({"apiKey": service.pk, **shown})


def _settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are given, by column; a number that is 0 is not."""
    given = {column: values[one.name] for column, one in COLUMNS.items() if one.name in values}
    return {column: value for column, value in given.items() if value is False or value != 0}


def _whole(service: Service) -> Service:
    """The service with all columns: the query that finds a caller leaves some out."""
    found = Service.objects.filter(pk=service.pk, deleted_at=None).first()
    if found is None:
        raise Refused(Result.SERVICE_NOT_ALLOWED)
    return found
