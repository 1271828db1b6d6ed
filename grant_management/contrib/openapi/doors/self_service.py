"""Self-service: the token for a person's page, the person's own grants, and logos."""

from typing import Final

from ....api.self_service.tokens import TokenView
from ....api.self_service.views import GrantsView, GrantView, LogoView
from ....fields import members as m
from ....protocol.results import Result
from ..said import Key, Said
from ..schemas import Schema, told
from ..shapes import FLAG, SECONDS, STAMP, TEXT, Shape, array_of, done, members, of
from .common import CONTENT, NAMES

R = Result
SELF_TOKEN: Final = done(
    "SelfServiceToken",
    {
        **of("token", "subject", schema=TEXT),
        **members(m.ACCESS),
        "expiresIn": SECONDS,
        "expiresAt": STAMP,
    },
)
_PERMISSION: Final = Shape(
    "Permission",
    {},
    {
        **of("scope", "authorizationType", "name", "sentence", "language", schema=TEXT),
        **members(m.SENSITIVITY),
        "resources": NAMES,
    },
)
_SHOWN_CLIENT: Final = Shape(
    "ShownClient",
    {"clientIdentifier": TEXT},
    of("name", "language", "site", "contact", "terms", "logo", schema=TEXT),
)
OWN_GRANT: Final = Shape(
    "OwnGrant",
    {"grantId": TEXT, "client": _SHOWN_CLIENT.ref, "status": told(m.STATUS), "locked": FLAG},
    {
        "permissions": array_of(_PERMISSION.ref),
        **CONTENT,
        **of("createdAt", "lastUpdatedAt", "lastUsedAt", "expiresAt", "revokedAt", schema=STAMP),
    },
)
OWN_GRANTS: Final = Shape("OwnGrants", {"grants": array_of(OWN_GRANT.ref)}, {"cursor": TEXT})
PICTURE: Final[Schema] = {"description": "The bytes of a logo, which are no JSON."}
_UNKNOWN: Final = (R.SELF_SERVICE_GRANT_UNKNOWN,)
SAID: Final[dict[Key, Said]] = {
    (TokenView, "POST"): Said(
        "issueSelfServiceToken",
        SELF_TOKEN,
        needs=("subject",),
        summary="A token for one person's own grants.",
    ),
    (GrantsView, "GET"): Said(
        "listOwnGrants", OWN_GRANTS, summary="A page of the person's grants, newest first."
    ),
    (GrantView, "GET"): Said(
        "getOwnGrant", OWN_GRANT, _UNKNOWN, summary="One of the person's grants."
    ),
    (GrantView, "DELETE"): Said(
        "revokeOwnGrant",
        None,
        (*_UNKNOWN, R.SELF_SERVICE_VIEWS_ALONE),
        summary="Revoke one of the person's grants.",
    ),
    (LogoView, "GET"): Said("getLogo", PICTURE, summary="The logo of a client."),
}
