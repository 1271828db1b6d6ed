"""The first run: a checklist from an empty database to the first call that arrived."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.clock import CLOCK_TOLERANCE
from ..db.ids import first_uuid7
from ..models import ApiToken, Call, Organization, Service
from .first_call import EXPECTED, VARIABLE, address, programs
from .kit.display import link, state
from .kit.making import FIRST_RUN
from .kit.read_only import limited
from .kit.utc import exact_tag

NEAR: Final = CLOCK_TOLERANCE + timedelta(minutes=1)
"""How long after the time of a call its row is written, at most."""
NEEDED: Final = ("add_service", "manage_apitoken")
"""The permissions of the steps that every first run has."""


@dataclass(frozen=True)
class Step:
    """A step of the list: whether it is done, what is known of it, and the form that does it."""

    title: Any
    done: bool
    shown: Any = ""
    url: str = ""
    label: Any = ""


def may_begin(request: HttpRequest) -> bool:
    """Whether the operator has the permissions of the first run."""
    return all(request.user.has_perm(f"grant_management.{name}") for name in NEEDED)


def is_empty() -> bool:
    """Whether there is no service yet, deleted ones included."""
    return not Service.objects.exists()


def newest_token(request: HttpRequest) -> ApiToken | None:
    """The active API token that the operator sees and that was issued last."""
    rows = limited(ApiToken.objects.active(clock.now()), request, "organization")
    return rows.select_related("service", "organization").order_by("-created_at").first()


def checklist(request: HttpRequest, site: str) -> dict[str, Any]:
    """The template's context: `steps`, the first `open` one, and the programs of the call."""
    token = newest_token(request)
    services = limited(Service.objects.filter(deleted_at=None), request, "organization")
    service = _service_of(token, services)
    organization = limited(Organization.objects.order_by("name"), request, "pk").first()
    steps = [
        _made(_("Create an organization"), organization, "organization", site),
        _made(_("Create a service"), service, "service", site),
        _issued(token, service, site),
        _called(token, site),
    ]
    context: dict[str, Any] = {"steps": steps, "next": _first_open(steps)}
    if service is not None and token is not None:
        context |= call_of(request, service)
        context["arrived_url"] = _url("organization_arrived", site)
    return context | {"all_done": all(step.done for step in steps), "more": _more(site)}


def call_of(request: HttpRequest, service: Service, token: str = "") -> dict[str, Any]:
    """The context of the programs of the first call; with the token's value, where it is shown."""
    url = address(request, service.pk)
    shown = {"call_url": url, "programs": programs(url, token), "expected": EXPECTED}
    return shown | {"variable": VARIABLE, "service": service}


def _service_of(token: ApiToken | None, services: Any) -> Service | None:
    """The service that the token opens, or one of those that the operator sees."""
    if token is not None and token.service is not None:
        return token.service
    rows = services if token is None else services.filter(organization=token.organization_id)
    found: Service | None = rows.order_by("name", "pk").first()
    return found


def _made(title: Any, row: Any, model: str, site: str) -> Step:
    if row is None:
        url = f"{_url(f'{model}_create', site)}?then={FIRST_RUN}"
        return Step(title, False, url=url, label=title)
    return Step(title, True, link(_url(f"{model}_change", site, row.pk), row))


def _issued(token: ApiToken | None, service: Service | None, site: str) -> Step:
    title = _("Issue an API token")
    if token is None:
        of = "" if service is None else f"&service={service.pk}"
        url = f"{_url('apitoken_issue', site)}?then={FIRST_RUN}{of}"
        return Step(title, False, url=url, label=title)
    named = f"{token} {token.description}"
    return Step(title, True, link(_url("apitoken_change", site, token.pk), named))


def _called(token: ApiToken | None, site: str) -> Step:
    title = _("Make the first call")
    if token is None or token.last_used_at is None:
        return Step(title, False, url=_url("call_changelist", site), label=_("Calls"))
    at, source = exact_tag(token.last_used_at), token.last_used_from or _("an unknown address")
    said = state("active", _("The call arrived"))
    call = _call_of(token)
    logged = "" if call is None else link(_url("call_change", site, call.pk), _("Look at the call"))
    return Step(title, True, format_html("{} {} {} {}", said, at, source, logged))


def _call_of(token: ApiToken) -> Call | None:
    """The call that was noted as the last use of the token, by its time; None: it is not logged.

    Another token's call is of another moment. The keys come from another clock than the times do.
    """
    at = token.last_used_at
    if at is None:
        return None
    near = {"pk__gte": first_uuid7(at - CLOCK_TOLERANCE), "pk__lt": first_uuid7(at + NEAR)}
    services = Service.objects.filter(organization=token.organization_id)
    opened = [token.service_id] if token.service_id else services.values_list("pk", flat=True)
    return Call.objects.filter(service__in=list(opened), at=at, **near).order_by("pk").first()


def _first_open(steps: list[Step]) -> int:
    """The number of the first step that is not done, from 1; 0: all are."""
    return next((number for number, step in enumerate(steps, 1) if not step.done), 0)


def _more(site: str) -> list[tuple[Any, str]]:
    """What comes after the first call: a label and a URL for each."""
    return [
        (_("Create a client"), _url("client_create", site)),
        (_("Add another operator"), _url("organizationmember_operator_create", site)),
        (_("Change the service's settings"), _url("service_changelist", site)),
    ]


def _url(page: str, site: str, *arguments: Any) -> str:
    return reverse(f"admin:grant_management_{page}", args=arguments, current_app=site)
