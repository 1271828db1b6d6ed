"""allauth's URLs, in place of `allauth.idp.urls`, with some of its views replaced by ours."""

from collections.abc import Iterable
from typing import Any, Final

from allauth.idp.oidc.urls import urlpatterns as theirs
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver

from .authorization import GrantAuthorizationView
from .device import GrantDeviceCodeView
from .revocation import GrantLogoutView, GrantRevokeView
from .token import GrantTokenView
from .userinfo import GrantUserInfoView

app_name = "idp"

VIEWS: Final[dict[str, Any]] = {
    "authorization": GrantAuthorizationView,
    "device_code": GrantDeviceCodeView,
    "logout": GrantLogoutView,
    "revoke": GrantRevokeView,
    "token": GrantTokenView,
    "userinfo": GrantUserInfoView,
}
"""The views that take the place of allauth's, by the name of their URL."""


def replaced(patterns: Iterable[Any]) -> list[URLPattern | URLResolver]:
    """These patterns, with our views."""
    return [
        one.__class__(one.pattern, replaced(one.url_patterns), one.default_kwargs)
        if isinstance(one, URLResolver)
        else URLPattern(one.pattern, _view(one), one.default_args, one.name)
        for one in patterns
    ]


def _view(pattern: URLPattern) -> Any:
    ours = VIEWS.get(pattern.name or "")
    return pattern.callback if ours is None else ours.as_view()


urlpatterns = [path("", include((replaced(theirs), "oidc")))]
