"""The URLs of the app, which a host includes under any prefix.

Paths below `api/` may have a slash in front: clients whose base URL ends in a slash send `//api/…`.
"""

from typing import Final

from django.urls import include, re_path

from .api.draft import GrantResourceView, MetadataView
from .api.gm import GrantManagementView
from .api.provisioning.views import ProvisioningView
from .api.views import ForeignOperationView, UnknownRouteView

app_name = "grant_management"

# Operations in Authlete's API description, version 3, that this server does not have.
_FOREIGN: Final = "|".join(
    [
        r"auth/(?:authorization|userinfo)(?:/.+)?",
        r"auth/token(?:/(?:fail|issue|update|get/list|delete/.+|create/batch(?:/.+)?))?",
        r"auth/(?:revocation|introspection/standard)",
        r"(?:service|client|backchannel|device|federation|vci|hsk)/.+",
        r"pushed_auth_req|idtoken/reissue|jose/verify|nativesso(?:/logout)?",
    ]
)

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
    re_path(r"^(?:/)?api/(?P<service_id>[0-9]{1,19})/", include("grant_management.api.store.urls")),
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
    re_path(rf"^(?:/)?api/[0-9]{{1,19}}/(?:{_FOREIGN})\Z", ForeignOperationView.as_view()),
    re_path(r"^(?:/)?api/service/(?:create|get/list)\Z", ForeignOperationView.as_view()),
    re_path(r"^(?:/)?api/[\s\S]*\Z", UnknownRouteView.as_view()),
]
