"""The toolkit's URLs, with some of its views replaced by ours."""

from collections.abc import Iterable
from typing import Any, Final

from django.urls.resolvers import URLPattern
from oauth2_provider.urls import urlpatterns as toolkit

from . import metadata
from .device_views import (
    GrantDeviceAuthorizationView,
    GrantDeviceConfirmView,
    GrantDeviceUserCodeView,
)
from .mixins import once_set_up
from .token_views import (
    GrantIntrospectTokenView,
    GrantLogoutView,
    GrantTokenDeleteView,
    GrantTokenView,
    GrantUserInfoView,
)
from .views import GrantAuthorizationView

app_name = "oauth2_provider"

OURS: Final[dict[str, Any]] = {
    "authorize": GrantAuthorizationView,
    "token": GrantTokenView,
    "device-authorization": GrantDeviceAuthorizationView,
    "device": GrantDeviceUserCodeView,
    "device-confirm": GrantDeviceConfirmView,
    "introspect": GrantIntrospectTokenView,
    "authorized-token-delete": GrantTokenDeleteView,
    "rp-initiated-logout": GrantLogoutView,
    "user-info": GrantUserInfoView,
    **metadata.VIEWS,
}


def _view(pattern: URLPattern) -> Any:
    """The view of one of the toolkit's patterns, or ours in its place."""
    ours = OURS.get(pattern.name or "")
    return pattern.callback if ours is None else ours.as_view()


def with_ours(patterns: Iterable[URLPattern]) -> list[URLPattern]:
    """Patterns of the toolkit, with our views in place of some of its own."""
    return [
        URLPattern(one.pattern, once_set_up(_view(one)), one.default_args, one.name)
        for one in patterns
    ]


urlpatterns = with_ours(toolkit)
