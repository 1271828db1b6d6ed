"""Operators, created and changed: users of the admin with roles and memberships, with events."""

from dataclasses import asdict
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from ..db import apart, clock, primary
from ..models import Actor, EventKind, Organization, OrganizationEvent, OrganizationMember, Reason
from ..roles import ROLES
from .kit.read_only import limited, operator

ALL: Final = None
"""In place of an organization: all of them."""


@apart.in_first
def create(request: HttpRequest, values: dict[str, Any], why: Reason) -> Any:
    """Create the user that a form describes, with its event and one for each membership."""
    model: Any = get_user_model()
    with primary.atomic():
        user = model(is_staff=True, is_active=values["may_log_in"])
        setattr(user, model.USERNAME_FIELD, values["username"])
        user.set_password(values["password"])
        user.save(force_insert=True)
        user.groups.set(values["roles"])
        details = {"after": shown(user)}
        _record(EventKind.OPERATOR_CREATED, user, values, operator(request), why, details)
        _join(request, user, values, why)
    return user


@apart.in_first
def change(request: HttpRequest, user: Any, values: dict[str, Any], why: Reason) -> None:
    """Change the user to what a form describes, with an event where something differs.

    Groups that are no roles stay, and so do memberships that the acting operator cannot see.
    """
    with primary.atomic():
        before = shown(user)
        user.is_active = values["may_log_in"]
        if values["password"]:
            user.set_password(values["password"])
        user.save()
        kept = user.groups.exclude(name__in=ROLES)
        user.groups.set([*kept, *values["roles"]])
        details = {"before": before, "after": shown(user)}
        if values["password"]:
            details["after"]["password_changed"] = True
        if details["before"] != details["after"]:
            _record(EventKind.OPERATOR_CHANGED, user, values, operator(request), why, details)
        _join(request, user, values, why)


def shown(user: Any) -> dict[str, Any]:
    """What the events of an operator show."""
    roles = sorted(user.groups.filter(name__in=ROLES).values_list("name", flat=True))
    return {"may_log_in": user.is_active, "roles": roles}


def _record(
    kind: EventKind,
    user: Any,
    values: dict[str, Any],
    actor: Actor,
    why: Reason,
    details: dict[str, Any],
) -> None:
    """Add the event: of the operator's only organization, else of all of them."""
    joined = list(values["organizations"])
    of = joined[0].pk if len(joined) == 1 else None
    about = {"user": user.get_username(), "user_id": str(user.pk)}
    fields = {"details": about | details, **asdict(why)}
    OrganizationEvent.objects.record(kind, of, clock.now(), actor, **fields)


def _join(request: HttpRequest, user: Any, values: dict[str, Any], why: Reason) -> None:
    """Add and remove memberships until the user has those of the form."""
    wanted = {one.pk for one in values["organizations"]}
    wanted |= {ALL} if values.get("all_organizations") else set()
    rows = limited(OrganizationMember.objects.filter(user_id=user.pk), request, "organization")
    held = {row.organization_id: row for row in rows}
    actor = operator(request)
    for key in sorted(held.keys() - wanted, key=str):
        held[key].remove(actor, why)
    for key in sorted(wanted - held.keys(), key=str):
        organization = None if key is ALL else Organization(pk=key)
        OrganizationMember(user_id=user.pk, organization=organization).add(actor, why)
