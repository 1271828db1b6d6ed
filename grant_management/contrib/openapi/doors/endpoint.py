"""The grant management API, the draft's own endpoint (§6), and the metadata (RFC 8414)."""

from typing import Final

from ....api.draft import GrantResourceView, MetadataView
from ....api.gm import GrantManagementView
from ....fields import members as m
from ....protocol.results import Action, Result
from ..said import Key, Said
from ..schemas import told
from ..shapes import FLAG, NUMBER, TEXT, Shape, acted, of
from .common import FLOW, NAMES

R = Result
GM: Final = acted(
    "GrantManagementAnswer",
    [one.value for one in Action],
    [R.QUERIED, *FLOW],
    of("responseContent", "dpopNonce", schema=TEXT),
)
GRANT_OF_DRAFT: Final = Shape(
    "DraftGrant",
    {},
    {
        "scopes": told(m.SCOPES),
        "claims": told(m.CLAIMS),
        "authorization_details": told(m.DETAILS),
        **of("created_at", "expires_at", "last_updated_at", schema=NUMBER),
        "updated_by": told(m.UPDATED_BY),
    },
)
OAUTH_ERROR: Final = Shape("OAuthError", {"error_description": TEXT}, {"error": TEXT})
METADATA: Final = Shape(
    "AuthorizationServerMetadata",
    {
        "issuer": TEXT,
        "grant_management_actions_supported": told(m.ACTIONS_SUPPORTED),
        "grant_management_endpoint": TEXT,
        "grant_management_action_required": FLAG,
        "dpop_signing_alg_values_supported": NAMES,
    },
)
SAID: Final[dict[Key, Said]] = {
    (GrantManagementView, "POST"): Said(
        "manageGrant",
        GM,
        needs=("gmAction", "grantId"),
        summary="Query or revoke a grant for an OAuth client: what to answer is in `action`.",
    ),
    (GrantResourceView, "GET"): Said(
        "queryGrant", GRANT_OF_DRAFT, summary="The grant (draft §6.4)."
    ),
    (GrantResourceView, "DELETE"): Said(
        "revokeGrantOfDraft", None, summary="Revoke the grant (draft §6.5)."
    ),
    (MetadataView, "GET"): Said(
        "getMetadata", METADATA, summary="The metadata (RFC 8414, draft §7.1)."
    ),
}
