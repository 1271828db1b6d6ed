"""`/self/{serviceId}/…`: a person's own grants, for web pages; and the logos of clients."""

import re
from datetime import datetime
from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation.trans_real import parse_accept_lang_header

from ...fields.reading import FORM, parse_body, read
from ...models import Access, Actor, Grant, Logo, Reason, SelfServiceToken, Service
from ...protocol.results import Refused, Result
from ...protocol.strict_json import dumps
from ..body import refuse_body
from ..draft import find_service
from ..errors import MethodNotAllowed, failure_response, json_response, no_content, refusal_response
from ..logo import logo_response
from ..store.grants import page_of
from ..store.request import StoreRequest
from ..views import JSONView, method_of
from . import cors, grants

BY_PERSON: Final = Reason("requested by user")
# RFC 6750 §2.1. The scheme's name is case-insensitive (RFC 9110 §11.1).
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)\Z", re.IGNORECASE)


class SelfServiceView(JSONView):
    """A view for a person's web page: a self-service token opens it, from the service's origins."""

    door = "self_service"

    methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD")

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The response of `perform`, or a JSON response for the exception that it raised.

        Either can be read by web pages of the service's origins.
        """
        service: Service | None = None
        try:
            service, now = find_service(kwargs.pop("service_id"))
            response = self._checked(request, service, now, kwargs)
        except Refused as refusal:
            response = refusal_response(refusal)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            response = failure_response(error, request)
        return cors.share(request, response, service)

    def _checked(
        self, request: HttpRequest, service: Service, now: datetime, kwargs: dict[str, str]
    ) -> HttpResponse:
        cors.check_origin(request, service)
        if cors.is_preflight(request):
            return cors.preflight_response(self.methods)
        if method_of(request) not in self.methods:
            raise MethodNotAllowed(*self.methods)
        token = _token(request, service, now)
        request.auth = token  # type: ignore[attr-defined] # what the throttle counts by
        request.gm_service = service.pk  # type: ignore[attr-defined] # for `api.answered`
        self.throttle(request)
        refuse_body(request)
        return self.perform(request, token, service, now, **kwargs)

    def perform(
        self,
        request: HttpRequest,
        token: SelfServiceToken,
        service: Service,
        now: datetime,
        **kwargs: str,
    ) -> HttpResponse:
        """The response to a request that may be answered. Refused: it cannot be."""
        raise NotImplementedError


class GrantsView(SelfServiceView):
    """`GET /self/{serviceId}/grants`."""

    def perform(
        self,
        request: HttpRequest,
        token: SelfServiceToken,
        service: Service,
        now: datetime,
        **kwargs: str,
    ) -> HttpResponse:
        """200 with a page of the person's grants, newest first, whatever their status."""
        query = request.META.get("QUERY_STRING", "").encode("latin-1")
        members = parse_body(FORM, query) if query.strip() else {}
        asked = StoreRequest(service, _person(token), read(members, grants.LIST), now)
        page, cursor = page_of(Grant.objects.of_person(service, token.subject), asked)
        shown = grants.show_all(service, page, preferred(request), now)
        return json_response(dumps({"grants": shown} | ({"cursor": cursor} if cursor else {})))


class GrantView(SelfServiceView):
    """`GET` and `DELETE /self/{serviceId}/grants/{grantId}`."""

    methods = ("GET", "HEAD", "DELETE")

    def perform(
        self,
        request: HttpRequest,
        token: SelfServiceToken,
        service: Service,
        now: datetime,
        **kwargs: str,
    ) -> HttpResponse:
        """200 with the grant; 204 once it is revoked, or where it was revoked before.

        Refused: the person has no such grant, or the token may only view.
        """
        if method_of(request) == "DELETE" and token.access != Access.REVOKE:
            raise Refused(Result.SELF_SERVICE_VIEWS_ALONE)
        grant = grants.find(token, service, kwargs["grant_id"])
        if method_of(request) == "DELETE":
            grant.revoke(_person(token), BY_PERSON)
            return no_content()
        return json_response(dumps(grants.show_all(service, [grant], preferred(request), now)[0]))


class LogoView(JSONView):
    """`GET /self/{serviceId}/logos/{digest}`: public, as it is on every consent page."""

    door = "logo"

    methods = ("GET", "HEAD")

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with the picture. Refused: no client of this service has it."""
        if method_of(request) not in self.methods:
            raise MethodNotAllowed(*self.methods)
        refuse_body(request)
        service, _now = find_service(kwargs["service_id"])
        logo = Logo.objects.shown(service.pk, kwargs["digest"])
        if logo is None:
            raise Refused(Result.ROUTE_UNKNOWN)
        return logo_response(logo, "public")


def preferred(request: HttpRequest) -> list[str]:
    """The languages that the reader asks for (RFC 9110 §12.5.4), the best one first."""
    header = request.headers.get("Accept-Language", "")
    return [tag for tag, _quality in parse_accept_lang_header(header) if tag != "*"]


def _token(request: HttpRequest, service: Service, now: datetime) -> SelfServiceToken:
    credential = _BEARER.match(request.META.get("HTTP_AUTHORIZATION", ""))
    value = credential[1] if credential else ""
    token = SelfServiceToken.objects.usable(service, value, now) if value else None
    if token is None:
        raise Refused(Result.SELF_SERVICE_TOKEN_INVALID)
    return token


def _person(token: SelfServiceToken) -> Actor:
    return Actor.subject(token.subject)
