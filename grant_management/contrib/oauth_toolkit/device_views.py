"""The toolkit's views of the device flow (RFC 8628), with `grant_management_action` and `grant_id`
at the device authorization endpoint (draft §5.2).
"""

import json
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from oauth2_provider.models import get_application_model
from oauth2_provider.scopes import get_scopes_backend
from oauth2_provider.views import (
    DeviceAuthorizationView,
    DeviceConfirmView,
    DeviceUserCodeView,
)

from grant_management.contrib.bridge import consent
from grant_management.contrib.bridge.consent import PARAMETERS
from grant_management.db import primary
from grant_management.db.retry import retried
from grant_management.lifecycle import Authorization, LifecycleError

from . import bridge, device, rows
from .mixins import NeverFramed, describe
from .models import DeviceAuthorization


class GrantDeviceAuthorizationView(DeviceAuthorizationView):  # type: ignore[misc]
    """The toolkit's view. What the device asks to do to a grant is validated and kept."""

    def create_device_authorization_response(self, request: HttpRequest) -> Any:
        """The codes (RFC 8628 §3.2), or an error of RFC 6749 §5.2 or of draft §5.4."""
        headers, body, status = super().create_device_authorization_response(request)
        if status != 200:
            return headers, body, status
        application = get_application_model().objects.get(client_id=request.POST["client_id"])
        try:
            asked = _asked(request, application)
        except LifecycleError as error:
            said = {"error": error.error, "error_description": error.description}
            return headers, json.dumps(said), 400
        ends = timezone.now() + timedelta(seconds=body["expires_in"])
        device.keep(asked, body["device_code"], ends)
        _name_scopes(request, application)
        # oauthlib 4.0.1 adds this member, with which the toolkit's view fails (up to 3.4.1).
        return headers, {name: body[name] for name in body if name != "scope"}, status


class GrantDeviceUserCodeView(NeverFramed, DeviceUserCodeView):  # type: ignore[misc]
    """The toolkit's page on which the user enters the code; no page can frame it."""


class GrantDeviceConfirmView(NeverFramed, DeviceConfirmView):  # type: ignore[misc]
    """The toolkit's page on which the user decides. It says what happens to the grant."""

    def get_template_names(self) -> list[str]:
        """Our template for a request about a grant, the toolkit's for others."""
        kept = self._kept()
        if kept is None or not kept.action:
            return [self.template_name]
        return ["grant_management_oauth_toolkit/device_confirm.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add `grant_management_action`, `grant_id`, `grant_scopes_descriptions` (what the grant
        will hold), and `error` where the user cannot allow the request.
        """
        row, kept = self.get_object(), self._kept()
        application = get_application_model().objects.get(client_id=row.client_id)
        scopes = (row.scope or "").split()
        context: dict[str, Any] = super().get_context_data(**kwargs) | {
            "application": application,  # before 3.4 the toolkit does not set these
            "scopes": scopes,
            "scopes_descriptions": describe(scopes),
        }
        if kept is None or not kept.action:
            return context
        context |= dict(zip(PARAMETERS, (kept.action, kept.named_grant), strict=True))
        try:
            held = self._scopes_after(application, kept, scopes)
        except LifecycleError as error:
            return context | {"error": error}
        return context | {"grant_scopes_descriptions": describe(held)}

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the decision. Allowing writes the grant in the same transaction."""
        if form.cleaned_data["action"] != "accept":
            answer: HttpResponse = super().form_valid(form)
            return answer
        try:
            return self._allow(form)
        except LifecycleError as error:
            context = self.get_context_data(form=form, error=error)
            refused: HttpResponse = self.render_to_response(context, status=400)
            return refused

    @retried
    def _allow(self, form: Any) -> HttpResponse:
        """Http404: another request decided meanwhile."""
        with primary.atomic():
            row = self._held()
            if row.is_expired():  # it says so in the row, as the toolkit does elsewhere
                return HttpResponseRedirect(self.get_success_url())
            kept = self._kept()
            if kept is not None and kept.action:
                application = get_application_model().objects.get(client_id=row.client_id)
                device.allow(bridge.client(application), self.request.user, kept, row.scope or "")
            row.status = row.AUTHORIZED
            row.save(update_fields=["status"])
        return HttpResponseRedirect(self.get_success_url())

    def _held(self) -> Any:
        """The toolkit's row, locked. Http404: it is not waiting for the decision of this user."""
        mine = rows.device_codes().filter(user=self.request.user, **self.kwargs)
        row = mine.filter(status="authorization-pending").select_for_update().first()
        if row is None:
            raise Http404
        return row

    def _kept(self) -> DeviceAuthorization | None:
        return device.found(bridge.service(), self.get_object().device_code)

    def _scopes_after(
        self, application: Any, kept: DeviceAuthorization, scopes: list[str]
    ) -> list[str]:
        intended = device.intended(bridge.client(application), self.request.user, kept)
        return bridge.scopes_after(intended, bridge.consented(scopes, None, None))


def _asked(request: HttpRequest, application: Any) -> Authorization:
    """What the device asks to do to a grant. LifecycleError: an error for the client."""
    action, grant_id = consent.asked(request.POST)
    confidential = bridge.is_confidential(application)
    client = bridge.client(application)
    return device.begin(client, action, grant_id, confidential=confidential)


def _name_scopes(request: HttpRequest, application: Any) -> None:
    """Put the default scopes into a request without any, so that the user sees what is allowed.

    Before 3.4 the toolkit keeps such a code without scopes, and issues the defaults for it.
    """
    if not request.POST.get("scope", "").strip():
        scopes = get_scopes_backend().get_default_scopes(application=application)
        named = request.POST.copy()
        named["scope"] = " ".join(scopes)
        request.POST = named  # type: ignore[assignment]
