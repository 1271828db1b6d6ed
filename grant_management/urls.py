"""What a host includes, under any prefix.

An optional slash in front: clients whose base URL ends in one send `//api/…`.
"""

from django.urls import include, re_path

from .provisioning.views import ProvisioningView
from .resource import GrantResourceView, MetadataView
from .views import GrantManagementView, UnknownRouteView

app_name = "grant_management"

urlpatterns = [
    re_path(
        r"^(?:/)?api/(?P<service_id>[0-9]{1,19})/(?:auth/)?gm\Z",
        GrantManagementView.as_view(),
        name="gm",
    ),
    re_path(
        r"^(?:/)?api/(?P<kind>service|organization)token/(?P<operation>create|all|update|rotate|revoke)\Z",
        ProvisioningView.as_view(),
        name="provisioning",
    ),
    re_path(r"^(?:/)?api/(?P<service_id>[0-9]{1,19})/", include("grant_management.store.urls")),
    re_path(
        r"^gm/(?P<service_id>[0-9]{1,19})/(?P<grant_id>[^/]+)\Z",
        GrantResourceView.as_view(),
        name="grant",
    ),
    re_path(
        r"^\.well-known/oauth-authorization-server/(?P<service_id>[0-9]{1,19})\Z",
        MetadataView.as_view(),
        name="metadata",
    ),
    re_path(r"^(?:/)?api/[\s\S]*\Z", UnknownRouteView.as_view()),
]
