"""The pages: connected apps, one app, and the removal of its access."""

from typing import Any, ClassVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.timezone import get_current_timezone_name
from django.views import View
from django.views.decorators.csrf import csrf_protect

from grant_management.api.logo import logo_response
from grant_management.conf import app_settings
from grant_management.db import clock
from grant_management.models import Client, Logo
from grant_management.models.plain_words import (
    PlainWords,
    names_in,
    of_clients,
    reader_languages,
)

from . import history
from .connected import apps_of, clients_with_access
from .guard import guarded
from .one_app import active_grants, client_of, grants_of, held, outliving, remove_access
from .paging import page_of
from .person import Person, person_of

APPS = 20
"""Apps of a page."""
GRANTS = 10
"""Grants of a page."""
CHANGES = 50
"""Entries of the history on a page of its own."""


@method_decorator(csrf_protect, name="dispatch")
class PersonView(View):
    """A page for the person who has logged in; anybody else is sent to the login."""

    template: ClassVar[str]
    person: Person

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The response of the method. PermissionDenied: the user is no person with grants here."""
        person = person_of(request)
        if person is None:
            return guarded(_to_login(request))
        self.person = person
        return guarded(super().dispatch(request, *args, **kwargs))

    def page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        """A page of the host's base template."""
        frame = {
            "base_template": app_settings.self_service_template,
            "zone": get_current_timezone_name(),
        }
        name = f"grant_management_self_service/{self.template}"
        return TemplateResponse(request, name, frame | context)


class AppsView(PersonView):
    """Connected apps; those without access any more where the query string has `ended`."""

    template = "apps.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """A page of the list."""
        now, ended = clock.now(), "ended" in request.GET
        page = page_of(request, clients_with_access(self.person, now, ended=ended), APPS)
        return self.page(
            request,
            page=page,
            apps=apps_of(self.person, page.rows, now, reader_languages()),
            ended=ended,
            tracked=self.person.service.track_last_used,
        )


class AppView(PersonView):
    """One app: all that it holds, and the history of changes."""

    template = "app.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """The app's page. Http404: the person never gave it anything."""
        person, now = self.person, clock.now()
        client = client_of(person, number)
        page = page_of(request, grants_of(person, number), GRANTS)
        events = list(history.events_of(person, client)[: CHANGES + 1])
        names = names_in(page.rows) | history.names_in(events)
        words = PlainWords(person.service, names, reader_languages())
        return self.page(
            request,
            **_about(client),
            page=page,
            held=[held(person, grant, words, now) for grant in page.rows],
            is_active=active_grants(person, client, now).exists(),
            changes=list(history.changes(events[:CHANGES], words)),
            more_changes=len(events) > CHANGES,
            tracked=person.service.track_last_used,
            removed="removed" in request.GET,
        )


class HistoryView(PersonView):
    """The whole history of an app, page by page."""

    template = "history.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """A page of it. Http404: the person never gave the app anything."""
        client = client_of(self.person, number)
        page = page_of(request, history.events_of(self.person, client), CHANGES)
        events = list(page.rows)
        words = PlainWords(self.person.service, history.names_in(events), reader_languages())
        changes = list(history.changes(events, words))
        return self.page(request, **_about(client), page=page, changes=changes)


class RemoveView(PersonView):
    """Says what removing an app's access stops, asks once, and does it."""

    template = "remove.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """The question; the app's page where there is nothing to remove. Http404 as there."""
        now, client = clock.now(), client_of(self.person, number)
        found = clients_with_access(self.person, now).filter(client=number)
        apps = apps_of(self.person, list(found), now, reader_languages())
        if not apps:
            return _to_app(number)
        until = outliving(self.person, client, now)
        return self.page(request, **_about(client), app=apps[0], outliving=until)

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Remove it, and lead to the app's page, which is safe to reload. Http404 as there."""
        remove_access(self.person, client_of(self.person, number))
        return _to_app(number, "?removed")


class LogoView(View):
    """The logo of a client of the person's service."""

    def get(self, request: HttpRequest, digest: str) -> HttpResponse:
        """The picture. Http404: nobody has logged in, or no client of the service has it."""
        person = person_of(request)
        logo = Logo.objects.shown(person.service.pk, digest) if person else None
        if logo is None:
            raise Http404
        return logo_response(logo, "private")


def _about(client: Client) -> dict[str, Any]:
    return {"client": client, "words": of_clients([client], reader_languages())[client.pk]}


def _to_app(number: int, query: str = "") -> HttpResponse:
    url = reverse("grant_management_self_service:app", args=[number])
    return HttpResponseRedirect(url + query)


def _to_login(request: HttpRequest) -> HttpResponse:
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:  # a login would only lead back here
        raise PermissionDenied
    return redirect_to_login(request.get_full_path())
