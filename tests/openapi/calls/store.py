from grant_management.events.delivering import number_waiting
from grant_management.models import Client, Reason

from ...world import BY_TEST, now
from ..scene import ACCESS_TOKEN, GRANT, REFRESH_TOKEN, Call

OF_APP = {"clientIdentifier": "app-1", "subject": "user-1"}
HELD = {"grantId": GRANT}
SCOPES = [
    {"scope": "contacts read", "resource": ["https://rs.example.com/api"]},
    {"scope": "openid"},
]
DETAILS = [{"type": "account_information", "actions": ["list_accounts"]}]
FORM = "application/x-www-form-urlencoded"


def published(scene):
    scene.service.change({"publishes_events": True}, BY_TEST, Reason(""))
    number_waiting()


def locked(scene):
    Client.objects.update(locked_at=now())


CALLS = [
    Call("checkGrant", "A merge", body=OF_APP | {"grantManagementAction": "merge"} | HELD),
    Call(
        "checkGrant",
        "No such grant",
        body=OF_APP | {"grantManagementAction": "merge", "grantId": "unknown"},
    ),
    Call("checkGrant", "No such client", body={"clientIdentifier": "unknown"}),
    Call(
        "createGrant",
        "Scopes, claims and authorization details",
        body=OF_APP
        | {"scopes": SCOPES, "claims": ["email"], "authorizationDetails": DETAILS, "active": True},
    ),
    Call(
        "createGrant", "No such client", body={"clientIdentifier": "unknown", "subject": "user-1"}
    ),
    Call("createGrant", "A subject of a wrong type", body=OF_APP | {"subject": 1}),
    Call("mergeGrant", "More scopes", HELD, {"scopes": SCOPES}),
    Call("mergeGrant", "No such grant", {"grantId": "unknown"}, {"scopes": SCOPES}),
    Call("replaceGrant", "Other scopes", HELD, {"scopes": SCOPES}),
    Call("getGrant", "The grant", HELD),
    Call("getGrant", "No such grant", {"grantId": "unknown"}),
    Call(
        "revokeGrant", "With a reason", HELD, {"reason": "requested by user", "note": "By phone."}
    ),
    Call("listGrants", "Those of a person", body={"subject": "user-1"}),
    Call("listGrants", "Nobody in particular", body={"limit": 10}),
    Call("saveClient", "A new client", body={"clientIdentifier": "app-2", "name": "Tax App"}),
    Call("saveClient", "A client is locked", body={"clientIdentifier": "app-1", "locked": True}),
    Call(
        "createTokens",
        "For a grant",
        body=OF_APP | {"grantType": "AUTHORIZATION_CODE", "scopes": ["openid"]} | HELD,
    ),
    Call(
        "createTokens",
        "A locked client",
        body=OF_APP | {"grantType": "AUTHORIZATION_CODE"},
        prepare=locked,
    ),
    Call("createTokens", "An unknown grant type", body=OF_APP | {"grantType": "UNKNOWN"}),
    Call(
        "refreshTokens",
        "New tokens",
        body={"clientIdentifier": "app-1", "refreshToken": REFRESH_TOKEN},
    ),
    Call(
        "refreshTokens",
        "An unknown refresh token",
        body={"clientIdentifier": "app-1", "refreshToken": "unknown"},
    ),
    Call("revokeTokens", "By a person", body={"subject": "user-1"}),
    Call("introspectAccessToken", "It may go on", body={"token": ACCESS_TOKEN}),
    Call(
        "introspectAccessToken",
        "A scope is missing",
        body={"token": ACCESS_TOKEN, "scopes": ["payments"]},
    ),
    Call("introspectAccessToken", "An unknown token", body={"token": "unknown"}),
    Call("introspectToken", "An active token", body={"token": ACCESS_TOKEN}, media_type=FORM),
    Call("introspectToken", "An unknown token", body={"token": "unknown"}, media_type=FORM),
    Call("revokeToken", "It is revoked", body={"token": REFRESH_TOKEN}, media_type=FORM),
    Call("listEvents", "From the first one on", query="?after=0", prepare=published),
    Call("listEvents", "They are not published"),
]
