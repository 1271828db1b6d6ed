from grant_management.models import AccessToken, Reason

from ...world import BY_TEST, Key
from ..scene import ACCESS_TOKEN, GRANT, Call

QUERY = {"gmAction": "QUERY", "grantId": GRANT, "accessToken": ACCESS_TOKEN}
BEARER = {"Authorization": f"Bearer {ACCESS_TOKEN}"}


def bound(scene):
    """The access token is bound to a key."""
    AccessToken.objects.update(jkt=Key().jkt)


def revoked(scene):
    scene.held.revoke(BY_TEST, Reason(""))


def without_scope(scene):
    AccessToken.objects.update(scopes="openid")


def called(operation):
    yield Call(operation, "QUERY", body=QUERY)
    yield Call(operation, "REVOKE", body=QUERY | {"gmAction": "REVOKE"})
    yield Call(operation, "An unknown access token", body=QUERY | {"accessToken": "unknown"})
    yield Call(operation, "An access token without the scope", body=QUERY, prepare=without_scope)
    yield Call(operation, "An access token that needs a DPoP proof", body=QUERY, prepare=bound)
    yield Call(operation, "No such grant", body=QUERY | {"grantId": "unknown"})
    yield Call(operation, "Another action", body=QUERY | {"gmAction": "CREATE"})
    yield Call(operation, "A member of a wrong type", body=QUERY | {"grantId": 1})
    yield Call(operation, "No API token", body=QUERY, token="")
    yield Call(operation, "An unknown API token", body=QUERY, token="unknown")
    yield Call(operation, "Another service", {"serviceId": 1002}, QUERY)


CALLS = [
    *called("manageGrant"),
    Call("manageGrantAtGm", "QUERY", body=QUERY),
    Call("queryGrant", "The grant", {"grantId": GRANT}, token=ACCESS_TOKEN),
    Call("queryGrant", "An unknown access token", {"grantId": GRANT}, token="unknown"),
    Call("queryGrant", "No such grant", {"grantId": "unknown"}, token=ACCESS_TOKEN),
    Call(
        "queryGrant",
        "Without the scope",
        {"grantId": GRANT},
        token=ACCESS_TOKEN,
        prepare=without_scope,
    ),
    Call("revokeGrantOfDraft", "The grant is revoked", {"grantId": GRANT}, token=ACCESS_TOKEN),
    Call("getMetadata", "The metadata", token=""),
    Call("getMetadata", "No such service", {"serviceId": 1002}, token=""),
]
