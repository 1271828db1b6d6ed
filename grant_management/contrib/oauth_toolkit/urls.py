"""The toolkit's URLs, with four of its views replaced by ours."""

from typing import Any, Final

from django.urls.resolvers import URLPattern
from oauth2_provider.urls import urlpatterns as toolkit

from .views import (
    GrantAuthorizationView,
    GrantIntrospectTokenView,
    GrantLogoutView,
    GrantTokenDeleteView,
)

app_name = "oauth2_provider"

OURS: Final[dict[str, Any]] = {
    "authorize": GrantAuthorizationView.as_view(),
    "introspect": GrantIntrospectTokenView.as_view(),
    "authorized-token-delete": GrantTokenDeleteView.as_view(),
    "rp-initiated-logout": GrantLogoutView.as_view(),
}

urlpatterns = [
    URLPattern(one.pattern, OURS.get(one.name, one.callback), one.default_args, one.name)
    for one in toolkit
]
