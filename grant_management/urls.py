"""The URLs of the app, which a host includes under any prefix.

Paths below `api/` may have a slash in front: clients whose base URL ends in a slash send `//api/…`.
"""

from typing import Final

from django.urls import include, re_path

from .api.authlete import services
from .api.authlete.views import organization_door
from .api.draft import GrantResourceView, MetadataView
from .api.gm import GrantManagementView
from .api.provisioning.views import ProvisioningView
from .api.self_service.views import GrantsView, GrantView, LogoView
from .api.shared_signals.metadata import ConfigurationView, KeysView
from .api.views import ForeignOperationView, UnknownRouteView

app_name = "grant_management"

# Operations in Authlete's API description, version 3, that this server does not have. What comes
# behind them in a path is an identifier.
_FOREIGN: Final = "|".join(
    [
        r"auth/authorization(?:/(?:fail|issue|ticket/(?:info|update)))?",
        r"auth/userinfo(?:/issue)?",
        r"auth/token(?:/(?:fail|issue|create/batch(?:/status/.+)?))?",
        r"auth/revocation",
        r"service/(?:configuration|jwks/get)",
        r"client/registration(?:/(?:get|update|delete))?",
        r"client/extension/requestable_scopes/(?:get|update|delete)/.+",
        r"client/(?:secret/(?:refresh|update)|lock_flag/update|authorization/update)/.+",
        r"backchannel/authentication(?:/(?:issue|fail|complete))?",
        r"device/(?:authorization|verification|complete)",
        r"federation/(?:configuration|registration)",
        r"vci/(?:metadata|jwtissuer|jwks|offer/(?:create|info))",
        r"vci/(?:single|batch|deferred)/(?:parse|issue)",
        r"hsk/(?:create|get/list|(?:get|delete)/.+)",
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
        r"^(?:/)?api/(?P<service_id>[0-9]{1,19})/", include("grant_management.api.authlete.urls")
    ),
    re_path(
        r"^(?:/)?api/(?P<service_id>[0-9]{1,19})/",
        include("grant_management.api.provisioning.urls"),
    ),
    re_path(
        r"^(?:/)?api/(?P<service_id>[0-9]{1,19})/",
        include("grant_management.api.self_service.urls"),
    ),
    re_path(
        r"^(?:/)?api/(?P<service_id>[0-9]{1,19})/",
        include("grant_management.api.shared_signals.urls"),
    ),
    re_path(r"^(?:/)?api/service/create\Z", organization_door(services.create, services.SAVE)),
    re_path(
        r"^(?:/)?api/service/get/list\Z",
        organization_door(services.list_services, services.LIST, methods=("GET", "HEAD")),
    ),
    re_path(
        r"^gm/(?P<service_id>[0-9]{1,19})/(?P<grant_id>[^/]+)\Z",
        GrantResourceView.as_view(),
        name="grant",
    ),
    re_path(r"^self/(?P<service_id>[0-9]{1,19})/grants\Z", GrantsView.as_view()),
    re_path(r"^self/(?P<service_id>[0-9]{1,19})/grants/(?P<grant_id>[^/]+)\Z", GrantView.as_view()),
    re_path(
        r"^self/(?P<service_id>[0-9]{1,19})/logos/(?P<digest>[0-9a-f]{64})\Z",
        LogoView.as_view(),
        name="logo",
    ),
    re_path(
        r"^\.well-known/oauth-authorization-server/(?P<service_id>[0-9]{1,19})\Z",
        MetadataView.as_view(),
        name="metadata",
    ),
    re_path(
        r"^\.well-known/ssf-configuration/(?P<service_id>[0-9]{1,19})\Z",
        ConfigurationView.as_view(),
        name="ssf_configuration",
    ),
    re_path(r"^ssf/(?P<service_id>[0-9]{1,19})/jwks\Z", KeysView.as_view(), name="ssf_jwks"),
    re_path(rf"^(?:/)?api/[0-9]{{1,19}}/(?:{_FOREIGN})\Z", ForeignOperationView.as_view()),
    re_path(r"^(?:/)?api/[\s\S]*\Z", UnknownRouteView.as_view()),
]
