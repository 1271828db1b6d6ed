"""Every member of a request or a record, declared once.

Records have names in snake_case and times in seconds. The API has the same members under the names
that Authlete or this API gives them (`named`), with times in milliseconds.
"""

from typing import Final

from ..protocol import jwk, uris
from ..protocol.event_payload import TYPES
from ..protocol.marked import marked as _
from ..protocol.numbers import MAX_NUMBER
from ..protocol.standard_webhooks import KINDS
from . import signals
from .field import Field
from .granted import THUMBPRINT, Claims, Confirmation, Details, ScopeNames, Scopes
from .numeric import Time, When, WholeNumber, WholeNumberOrText
from .strings import (
    Anything,
    Choice,
    Choices,
    Credential,
    Digest,
    Flag,
    Opaque,
    Pattern,
    Text,
    Unset,
    Uuid,
)
from .urls import Endpoint, WebhookUrl
from .web import CONTACT, NAME_SHOWN, SENTENCE, SITE, TERMS, Origins, Picture, Texts

SECONDS: Final = _("seconds")
"""The unit of durations in rules."""
MAX_ID: Final = 2**63 - 1
"""The largest number of an organization or a service."""
MAX_INTEGER: Final = 2**31 - 1
"""The largest value of an integer column."""
MAX_GENERATION: Final = MAX_INTEGER - 1_000_000
"""The largest generation that a record may have. It leaves room for a million merges and revokes,
each of which raises it by one."""
ACTIONS: Final = ("query", "revoke", "create", "merge", "replace")
"""What a service can support (draft §7.1)."""

# Organizations, services, API tokens and clients.
ORGANIZATION_ID = WholeNumber("id", least=1, most=MAX_ID)
SERVICE_ID = ORGANIZATION_ID
NAME = Text("name")
API_TOKEN_ID = Uuid("id")
API_TOKEN_KIND = Choice("kind", choices=("service", "organization"))
PREFIX = Text("prefix", shortest=0, longest=16)
DESCRIPTION = Text("description", shortest=0)
CAN_MANAGE_TOKENS = Flag("can_manage_tokens")
RIGHTS: Final[tuple[Field, ...]] = (
    CAN_MANAGE_TOKENS,
    Flag("can_manage_services"),
    Flag("can_manage_clients"),
    Flag("can_issue_self_service"),
    Flag("can_manage_webhooks"),
    Flag("can_manage_streams"),
    Flag("can_read_events"),
)
CREATED_BY = Text("created_by", shortest=0)
CLIENT_NUMBER = WholeNumber("id", least=1, most=MAX_NUMBER)
CLIENT_ID = Text("client_id")
CLIENT_NAME = Text("name", shortest=0)
LOCKED_AT = Time("locked_at", when=When.PAST)
NOT_BEFORE = Time("not_before", when=When.PAST)
DELETED_AT = Time("deleted_at", when=When.PAST)

# The settings of a service.
ENDPOINT = Endpoint("grant_management_endpoint")
NONCE_DURATION = WholeNumber("dpop_nonce_duration", least=1, most=86_400, unit=SECONDS)
MAX_AGE = WholeNumber("dpop_max_age", most=3_600, unit=SECONDS)
CLOCK_SKEW = MAX_AGE.named("dpop_clock_skew")
TOKEN_DURATION = WholeNumber("access_token_duration", least=1, most=MAX_INTEGER, unit=SECONDS)
CALL_LOG_SIZE = WholeNumber("call_log_size", most=1_000_000)
REALM = Text("realm", shortest=0)
SIGNING_ALGS = Choices("dpop_signing_algs", choices=tuple(jwk.REQUIREMENTS), least=1)
SELF_SERVICE_ORIGINS = Origins("self_service_origins")
ACTIONS_SUPPORTED = Choices("actions_supported", choices=ACTIONS)
SETTINGS: Final[tuple[Field, ...]] = (
    NAME,
    ENDPOINT,
    Flag("dpop_nonce_required"),
    NONCE_DURATION,
    SIGNING_ALGS,
    MAX_AGE,
    CLOCK_SKEW,
    Choice("ownership", choices=("client_and_subject", "client")),
    Flag("revoke_access_tokens"),
    Flag("show_timestamps"),
    ACTIONS_SUPPORTED,
    Flag("action_required"),
    TOKEN_DURATION,
    TOKEN_DURATION.named("refresh_token_duration"),
    CALL_LOG_SIZE,
    Flag("track_last_used"),
    REALM,
    SELF_SERVICE_ORIGINS,
)

# Grants.
GRANT_ID = Pattern(
    "grant_id",
    pattern=uris.GRANT_ID,
    what=_("1 to 255 unreserved characters (RFC 3986, section 2.3), and not . or .."),
)
SUBJECT = Text("subject")
SCOPES = Scopes("scopes")
CLAIMS = Claims("claims")
DETAILS = Details("authorization_details")
CREATED_AT = Time("created_at", when=When.PAST)
LAST_UPDATED_AT = Time("last_updated_at", when=When.PAST)
UPDATED_BY = Choice("updated_by", choices=("client", "authorization_server"))
ENDS_AT = Time("expires_at")
REVOKED_AT = Time("revoked_at", when=When.PAST)
PENDING = Flag("pending")
GENERATION = WholeNumber("generation", most=MAX_GENERATION)

# Tokens.
TOKEN = Credential("token")
TOKEN_SHA256 = Digest("token_sha256")
TOKEN_SCOPES = ScopeNames("scopes", or_string=True)
ISSUED_AT = Time("issued_at", when=When.PAST)
ROTATED_AT = Time("rotated_at", when=When.PAST)
FAMILY = Uuid("family")
CNF = Confirmation("cnf")

# What people are told of scopes, authorization types and clients.
SENSITIVITIES: Final = ("low", "medium", "high")
SENSITIVITY = Choice("sensitivity", choices=SENSITIVITIES)
DESCRIPTION_TEXTS = Texts("texts", parts=(NAME_SHOWN, SENTENCE), needed=frozenset({"name"}))
PROFILE_TEXTS = Texts("texts", parts=(NAME_SHOWN, SITE, CONTACT, TERMS))
LOGO = Picture("logo")
AFTER = Text("after")
"""The name behind which a page of descriptions starts."""

# Self-service.
ACCESS = Choice("access", choices=("view", "revoke"))
SELF_SERVICE_SECONDS = WholeNumber("expiresIn", least=1, most=900, unit=SECONDS)

# The reason that an operator or a caller gives.
REASON = Text("reason", shortest=0, longest=50)
NOTE = Text("note", shortest=0, longest=2_000, lines=True)
TICKET = Text("ticket", shortest=0)

# Filters for revoking many grants.
SCOPE = Pattern(
    "scope",
    pattern=r"[\x21\x23-\x5B\x5D-\x7E]{1,255}",
    what=_("the name of a scope (RFC 6749, section 3.3), of 1 to 255 characters"),
)
AUTHORIZATION_TYPE = Text("authorization_type")
CREATED_BEFORE = Time("created_before", when=When.PAST)

# A call of the grant management API, and credentials that other calls present.
GM_ACTION = Opaque("gmAction")
ACCESS_TOKEN = Opaque("accessToken")
CERTIFICATE = Opaque("clientCertificate")
DPOP = Opaque("dpop")
HTM = Opaque("htm")
HTU = Opaque("htu")
ASKED_GRANT_ID = Opaque("grantId")
ASKED_TOKEN = Opaque("token", may_be_empty=False)
TOKEN_TYPE_HINT = Opaque("token_type_hint")
REFRESH_TOKEN = Opaque("refreshToken", may_be_empty=False)
ACCESS_TOKEN_IDENTIFIER = Opaque("accessTokenIdentifier", may_be_empty=False)
REFRESH_TOKEN_IDENTIFIER = Opaque("refreshTokenIdentifier", may_be_empty=False)
NONCE_REQUIRED = Flag("dpopNonceRequired")

# The store.
CLIENT: Final[tuple[Field, ...]] = (
    CLIENT_NUMBER.named("clientId"),
    CLIENT_ID.named("clientIdentifier"),
)
"""The two names of a client. Where both are given they must agree."""
PROOF: Final[tuple[Field, ...]] = (CERTIFICATE, DPOP, HTM, HTU, NONCE_REQUIRED)
CONTENT: Final[tuple[Field, ...]] = (SCOPES, CLAIMS, DETAILS.named("authorizationDetails"))
EXPIRES_AT = Time("expires_at", when=When.COMING).in_milliseconds("expiresAt")
GRANT_ACTION = Opaque("grantManagementAction")
ACTIVE = Flag("active")
LOCKED = Flag("locked")
STATUS = Choice("status", choices=("active", "pending", "expired", "revoked", "cut_off"))
LIMIT = WholeNumber("limit", least=1, most=1_000)
LIMIT_IN_QUERY = WholeNumberOrText("limit", least=1, most=1_000)
CURSOR = Text("cursor", longest=100)
GRANT_TYPE = Text("grantType", longest=50)
ASKED_SCOPES = ScopeNames("scopes")
LIFETIME = WholeNumber("accessTokenDuration", most=MAX_INTEGER, unit=SECONDS)
PROPERTIES = Anything("properties", what="an array")
"""The element whose key is `grant_id` names the grant."""
NEW_ACCESS_TOKEN = Credential("accessToken")
NEW_REFRESH_TOKEN = Credential("refreshToken")
CERTIFICATE_THUMBPRINT = THUMBPRINT.named("certificateThumbprint")
KEY_THUMBPRINT = THUMBPRINT.named("dpopKeyThumbprint")

# Authlete's management operations.
START = WholeNumberOrText("start", most=100_000)
END = WholeNumberOrText("end", most=100_000)
DEVELOPER = Opaque("developer")
CLIENT_ALIAS = CLIENT_ID.named("clientIdAlias")
ACCESS_TOKEN_HASH = Opaque("accessTokenHash")
TOKEN_ID = Uuid("tokenId")
NEW_EXPIRY = ENDS_AT.in_milliseconds("accessTokenExpiresAt")
EXPIRES_ON_SCOPE_UPDATE = Flag("accessTokenExpiresAtUpdatedOnScopeUpdate")
PERSISTENT = Flag("accessTokenPersistent")
PARAMETERS = Opaque("parameters")
NOT_CHANGED_HERE: Final[tuple[Field, ...]] = (
    Unset("refreshTokenExpiresAt"),
    Unset("accessTokenValueUpdated"),
    Unset("forExternalAttachment"),
    Unset("authorizationDetails"),
)
"""Members of an access token's update."""

# The API that issues API tokens.
ASKED_ORGANIZATION = WholeNumberOrText("organizationId", least=1, most=MAX_ID)
ASKED_SERVICE = ASKED_ORGANIZATION.named("serviceId")
API_SERVER = WholeNumberOrText("apiServerId", most=MAX_ID)
ASKED_API_TOKEN = API_TOKEN_ID.named("tokenId")

# Webhooks.
WEBHOOK_URL = WebhookUrl("url")
EVENT_TYPES = Choices("eventTypes", choices=tuple(TYPES.values()))
SIGNATURE = Choice("signature", choices=KINDS)
ENABLED = Flag("enabled")
OVERLAP = WholeNumber("overlap", most=604_800, unit=SECONDS)
EVENT_ID = Uuid("eventId")
FROM = Time("from", when=When.PAST).in_milliseconds("from")
UNTIL = Time("until").in_milliseconds("until")
EVENTS_AFTER = WholeNumberOrText("after", most=MAX_ID)
EVENTS_LIMIT = WholeNumberOrText("limit", least=1, most=1_000)
DELIVERY_STATE = Choice("state", choices=("pending", "delivered", "dead"))
SHARED_SIGNALS: Final = signals.MEMBERS

# Commands.
EXPIRES_IN = WholeNumber("expires_in", least=1, most=100 * 366 * 86_400, unit=SECONDS)
BATCH_SIZE = WholeNumber("batch_size", least=1, most=30_000)
"""SQLite takes at most 32,766 parameters in a statement."""
