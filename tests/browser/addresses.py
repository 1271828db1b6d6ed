"""`python -m tests.browser.addresses`: a row of everything beside those of the database that is
served, and an address for the name of each URL, as JSON. A name that is new is there by itself.
"""

import json
import sys

import django

django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.urls import URLResolver, reverse  # noqa: E402

from grant_management.contrib.self_service import urls as self_service  # noqa: E402
from grant_management.models import GrantEvent, Logo, OrganizationMember, Service  # noqa: E402

from ..test_roles import fill  # noqa: E402
from ..world import BY_TEST, make_world  # noqa: E402

PERSONS = "grant_management_self_service"


def main(person):
    """Print them for the pages of the admin, and for those of the person with this subject."""
    persons = dict(_of_person(Service.objects.first(), person))
    rows = _rows()
    print(json.dumps({"admin": dict(_of_admin(rows)), "person": persons}))


def _rows():
    world = make_world(name="Another")
    rows = fill(world)
    user = get_user_model().objects.get(username="demo")
    member = OrganizationMember.objects.create(user=user, organization=None)
    job = {"job": rows["sweep"].pk, "grant_id": rows["grant"].grant_id}
    GrantEvent.objects.record("revoked", world.service.pk, rows["grant"].created_at, BY_TEST, **job)
    return rows | {"user": user, "group": Group.objects.first(), "organizationmember": member}


def _of_admin(rows):
    """The name of each URL, and an address with the keys of the rows that it is about."""
    entries = list(admin.site.get_urls())
    while entries:
        one = entries.pop()
        if isinstance(one, URLResolver):
            entries += one.url_patterns
        elif one.name:
            yield one.name, reverse(f"admin:{one.name}", kwargs=_values(one, rows))


def _values(route, rows):
    model = route.name.removeprefix("grant_management_").removeprefix("auth_").partition("_")[0]
    key = rows[model].pk if model in rows else 1
    values = {"user": rows["user"].pk, "job": rows["sweep"].pk, "app_label": "auth"}
    values |= {"content_type_id": 1, "url": "nowhere/", "number": 1}
    return {name: values.get(name, key) for name in _named(route)}


def _of_person(service, person):
    """About an app of theirs, and a logo of their service."""
    app = service.client_set.filter(grant__subject=person).first()
    logo = Logo.objects.filter(client__service=service).first()
    values = {"number": app.pk, "digest": bytes(logo.digest).hex()}
    for one in self_service.urlpatterns:
        yield one.name, reverse(f"{PERSONS}:{one.name}", kwargs={k: values[k] for k in _named(one)})


def _named(route):
    """The names in a pattern: a path has converters, a regular expression has groups."""
    return getattr(route.pattern, "converters", None) or route.pattern.regex.groupindex


if __name__ == "__main__":
    main(sys.argv[1])
