"""The device authorization endpoint: allauth's serves public clients alone, so it has no grants."""

from typing import Any

from allauth.idp.oidc.views import DeviceCodeView
from django.http import HttpRequest, HttpResponse

from grant_management import lifecycle
from grant_management.contrib.bridge import consent
from grant_management.lifecycle import LifecycleError

from . import answers, rows


class GrantDeviceCodeView(DeviceCodeView):  # type: ignore[misc]
    """allauth's view, which refuses what it cannot do instead of ignoring it."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The device code, or `invalid_request` where a grant is asked for, or required."""
        client = rows.client(request.POST.get("client_id", ""))
        try:
            if client is not None:
                asked = consent.asked(request.POST)
                ours = rows.our_client(client)
                lifecycle.begin(ours, None, *asked, confidential=False)
        except LifecycleError as error:
            return answers.error(error)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response
