"""The one table of results: every code that an answer can carry, on one line each."""

from enum import Enum, StrEnum

from ..home import REPOSITORY


class GMAction(StrEnum):
    """The request's action. The last three belong to authorization requests (draft §5.2)."""

    QUERY = "QUERY"
    REVOKE = "REVOKE"
    CREATE = "CREATE"
    REPLACE = "REPLACE"
    MERGE = "MERGE"


class Action(StrEnum):
    """The response's action: what the authorization server does next."""

    OK = "OK"
    NO_CONTENT = "NO_CONTENT"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    CALLER_ERROR = "CALLER_ERROR"
    AUTHLETE_ERROR = "AUTHLETE_ERROR"


# The errors of challenges: RFC 6750 §3.1, RFC 9449 §7.1 and §9, and the draft's §5.4.
INVALID_REQUEST = "invalid_request"
INVALID_TOKEN = "invalid_token"  # noqa: S105 - an error code, no credential
INSUFFICIENT_SCOPE = "insufficient_scope"
INVALID_GRANT = "invalid_grant"  # RFC 6749 §5.2
INVALID_SCOPE = "invalid_scope"  # RFC 6749 §5.2
INVALID_GRANT_ID = "invalid_grant_id"
INVALID_DPOP_PROOF = "invalid_dpop_proof"
USE_DPOP_NONCE = "use_dpop_nonce"
SERVER_ERROR = "server_error"  # RFC 6749 §4.1.2.1


def printable(text: str) -> str:
    """`text` with a ? for each character that RFC 6750 §3 forbids in an `error_description`."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text)


AUTHLETE_PAGE = f"{REPOSITORY}/blob/main/docs/reference/authlete.md"
"""The page with the operations of Authlete's that this server has."""


class Result(Enum):
    """The code, the HTTP status, the action, the error of the challenge, and the text.

    The action is None where the answer has no action, the error where the challenge has no error.
    """

    # fmt: off
    QUERIED = ("A277001", 200, Action.OK, None, "The grant was found.")
    REVOKED = ("A277001", 200, Action.NO_CONTENT, None, "The grant was revoked.")
    SERVER_FAILED = ("A277101", 500, Action.AUTHLETE_ERROR, SERVER_ERROR, "This server failed to process the request.")
    DATABASE_AWAY = ("A277102", 500, Action.AUTHLETE_ERROR, SERVER_ERROR, "This server cannot reach its database, or may not write to it.")
    DATABASE_BUSY = ("A277103", 500, Action.AUTHLETE_ERROR, SERVER_ERROR, "The database of this server is busy: try again.")
    OUTCOME_UNKNOWN = ("A277103", 500, Action.AUTHLETE_ERROR, SERVER_ERROR, "The database of this server is busy: whether this request was done is unknown.")
    DATABASE_CONFLICT = ("A277104", 500, Action.AUTHLETE_ERROR, SERVER_ERROR, "Another request changed the same rows at the same moment: try again.")

    GM_ACTION_MISSING = ("A278201", 200, Action.CALLER_ERROR, INVALID_REQUEST, "'gmAction' is missing: send QUERY or REVOKE.")
    GM_ACTION_UNKNOWN = ("A278202", 200, Action.CALLER_ERROR, INVALID_REQUEST, "'gmAction' is not an action: send QUERY or REVOKE, in upper case.")
    GM_ACTION_NOT_HERE = ("A278203", 200, Action.CALLER_ERROR, INVALID_REQUEST, "This 'gmAction' belongs to authorization requests: send QUERY or REVOKE.")
    GRANT_ID_MISSING = ("A278204", 200, Action.CALLER_ERROR, INVALID_REQUEST, "'grantId' is missing.")
    HTU_UNKNOWN = ("A278205", 200, Action.CALLER_ERROR, INVALID_REQUEST, "The URL of the client's request is not known: send 'htu' as an absolute http or https URL, or give the service a grant management endpoint.")

    ACCESS_TOKEN_MISSING = ("A279301", 200, Action.UNAUTHORIZED, None, "The request has no access token.")
    ACCESS_TOKEN_UNKNOWN = ("A279306", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The access token does not exist at this service.")
    ACCESS_TOKEN_EXPIRED = ("A280301", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The access token has expired.")
    ACCESS_TOKEN_REVOKED = ("A280302", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The access token was revoked.")
    TOKEN_GRANT_DEAD = ("A280303", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The grant behind the access token was revoked or replaced, or has expired.")
    CLIENT_LOCKED = ("A280304", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The client of the access token is locked.")

    CERTIFICATE_MISSING = ("A281301", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The access token is bound to a client certificate, and the request has none.")
    CERTIFICATE_UNREADABLE = ("A281302", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The client certificate cannot be read.")
    CERTIFICATE_DIFFERS = ("A281304", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The access token is bound to another client certificate.")
    PROOF_MISSING = ("A281305", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The access token is bound to a key, and the request has no DPoP proof.")
    PROOF_KEY_DIFFERS = ("A281306", 200, Action.UNAUTHORIZED, INVALID_TOKEN, "The access token is bound to another key than that of the DPoP proof.")
    PROOF_INVALID = ("A281307", 200, Action.UNAUTHORIZED, INVALID_DPOP_PROOF, "The DPoP proof is not valid:")
    PROOF_REPLAYED = ("A281308", 200, Action.UNAUTHORIZED, INVALID_DPOP_PROOF, "The DPoP proof was used before: make a new one for each request.")
    NONCE_REQUIRED = ("A281309", 200, Action.UNAUTHORIZED, USE_DPOP_NONCE, "The DPoP proof needs the nonce that this answer carries.")

    SCOPE_MISSING = ("A282301", 200, Action.FORBIDDEN, INSUFFICIENT_SCOPE, "The access token lacks the scope")
    GRANT_NOT_FOUND = ("A283301", 200, Action.NOT_FOUND, INVALID_GRANT_ID, "There is no such grant.")
    GRANT_OF_OTHER_CLIENT = ("A284301", 200, Action.FORBIDDEN, INSUFFICIENT_SCOPE, "The grant belongs to another client.")
    GRANT_OF_OTHER_SUBJECT = ("A284302", 200, Action.FORBIDDEN, INSUFFICIENT_SCOPE, "The grant belongs to another subject.")

    STORE_DONE = ("A291001", 200, None, None, "Done.")
    STORE_REFUSED = ("A291201", 400, Action.CALLER_ERROR, INVALID_REQUEST, "The store refused this:")
    STORE_CLIENT_UNKNOWN = ("A291202", 400, Action.CALLER_ERROR, INVALID_REQUEST, "There is no such client, or 'clientId' and 'clientIdentifier' do not agree.")
    STORE_GRANT_UNKNOWN = ("A291203", 404, None, None, "There is no such grant at this service.")
    STORE_CLIENT_NOT_FOUND = ("A291205", 404, None, None, "There is no such client at this service.")
    STORE_TOKEN_NOT_FOUND = ("A291304", 200, None, None, "There is no such active access token at this service.")
    STORE_KEY_REUSED = ("A291204", 409, None, None, "This Idempotency-Key came with another request before.")
    STORE_REFRESH_REFUSED = ("A291301", 400, Action.CALLER_ERROR, INVALID_GRANT, "The refresh token is refused:")
    STORE_SCOPE_REFUSED = ("A291303", 400, Action.CALLER_ERROR, INVALID_SCOPE, "The refresh token does not have these scopes:")
    TOKEN_OF_OTHER_SUBJECT = ("A291302", 200, Action.FORBIDDEN, INSUFFICIENT_SCOPE, "The access token is another subject's.")

    MANAGEMENT_NOT_ALLOWED = ("A292301", 403, None, None, "The API token may not manage these tokens: an organization token of the same organization with that right is needed.")
    RIGHT_MISSING = ("A292302", 403, None, None, "The API token lacks a right that this operation needs:")
    DESCRIPTION_UNKNOWN = ("A295201", 404, None, None, "There is no such description at this service.")
    SELF_SERVICE_TOKEN_INVALID = ("A295301", 401, None, None, "The self-service token is not valid: it is missing, unknown or expired, or what issued it may not any more.")
    SELF_SERVICE_VIEWS_ALONE = ("A295302", 403, None, None, "The self-service token may view, and not revoke: one with the access 'revoke' is needed.")
    ORIGIN_NOT_ALLOWED = ("A295303", 403, None, None, "The origin of the request is none of the service's 'self_service_origins'.")
    SELF_SERVICE_GRANT_UNKNOWN = ("A295304", 404, None, None, "The person has no such grant at this service.")
    API_TOKEN_UNKNOWN = ("A292201", 404, None, None, "The organization has no such active API token.")

    WEBHOOK_UNKNOWN = ("A293201", 404, None, None, "There is no such webhook at this service.")
    WEBHOOK_EVENT_UNKNOWN = ("A293202", 404, None, None, "There is no such event among those that the service published.")
    WEBHOOK_DISABLED = ("A293205", 409, None, None, "The webhook is disabled, so nothing is sent there: enable it first.")
    EVENTS_NOT_PUBLISHED = ("A293204", 409, None, None, "The service does not publish its events: the operator has to run publish_events.")
    WEBHOOKS_NOT_CONFIGURED = ("A293203", 409, None, None, "This server has no encryption keys, so it can have no webhooks.")

    STREAM_UNKNOWN = ("A296201", 404, None, None, "There is no such stream of this receiver at this service.")
    SUBJECT_UNKNOWN = ("A296202", 404, None, None, "No event here is about such a subject.")
    STREAMS_NOT_CONFIGURED = ("A296203", 409, None, None, "This service can have no streams: the server has no encryption keys, or the service no 'grant_management_endpoint'.")
    VERIFIED_JUST_BEFORE = ("A296204", 429, None, None, "The last verification of this stream was asked for less than 30 seconds ago.")

    AUTHORIZATION_MISSING = ("A001202", 401, None, None, "The request has no API token: send it as 'Authorization: Bearer'.")
    AUTHORIZATION_MALFORMED = ("A001203", 400, Action.CALLER_ERROR, INVALID_REQUEST, "The Authorization header is not a Bearer credential.")
    API_TOKEN_INVALID = ("A458101", 401, None, None, "The API token is not valid: it is unknown, expired or revoked.")
    SERVICE_NOT_ALLOWED = ("A458201", 403, None, None, "The API token is not for this service.")
    METHOD_NOT_ALLOWED = ("A001205", 405, None, None, "The method is not allowed here.")
    BODY_TOO_LARGE = ("A001206", 413, None, None, "The body is too large.")
    THROTTLED = ("A001207", 429, None, None, "Too many requests: wait the number of seconds in Retry-After.")
    ROUTE_UNKNOWN = ("A001208", 404, None, None, "There is nothing at this URL.")
    LENGTH_REQUIRED = ("A001209", 411, None, None, "The length of the body is not known: send it with a Content-Length.")
    OPERATION_NOT_HERE = ("A001210", 404, None, None, f"This operation of Authlete's is not part of this server. Those that are: {AUTHLETE_PAGE}")
    BODY_MISSING = ("A126203", 400, Action.CALLER_ERROR, INVALID_REQUEST, "The request has no body.")
    BODY_UNREADABLE = ("A126202", 400, Action.CALLER_ERROR, INVALID_REQUEST, "The request cannot be read:")
    MEDIA_TYPE_UNSUPPORTED = ("A258201", 415, None, None, "The media type is not supported: send application/json.")
    # fmt: on

    def __init__(
        self, code: str, status: int, action: Action | None, error: str | None, text: str
    ) -> None:
        self.code = code
        self.status = status
        self.action = action
        self.error = error
        self.text = text

        self._message = printable(f"[{code}] {text}")

    def message(self, detail: str = "") -> str:
        """The `resultMessage`: "[CODE] text detail", which is fit for an `error_description`."""
        return f"{self._message} {printable(detail)}" if detail else self._message


class Refused(Exception):
    """The request ends here, with this result. `detail` is appended to the text of its message."""

    def __init__(self, result: Result, detail: str = "") -> None:
        super().__init__(result.code)
        self.result = result
        self.message = result.message(detail)
