from ..scene import ACCESS_TOKEN, ORGANIZATION_TOKEN, Call

APP, PERSON = {"client": "app-1"}, {"subject": "user-1"}
BOTH = APP | PERSON
PARAMETERS = {"parameters": f"token={ACCESS_TOKEN}"}


def of_organization(*call, **more):
    return Call(*call, token=ORGANIZATION_TOKEN, **more)


CALLS = [
    of_organization("createService", "A new service", body={"serviceName": "Business"}),
    Call("createService", "Without the right", body={"serviceName": "Business"}),
    of_organization("listServices", "The first page"),
    of_organization("getService", "The service"),
    of_organization("updateService", "A nonce is required", body={"dpopNonceRequired": True}),
    of_organization("deleteService", "It is hidden"),
    Call("createClient", "A new client", body={"clientIdAlias": "app-2", "clientName": "Tax App"}),
    Call("createClient", "It exists", body={"clientIdAlias": "app-1"}),
    Call("listClients", "The first page", query="?start=0&end=10"),
    Call("getClient", "The client", APP),
    Call("getClient", "No such client", {"client": "unknown"}),
    Call("updateClient", "A new name", APP, {"clientName": "Budgets"}),
    Call("deleteClient", "It is hidden", APP),
    Call("listAccessTokens", "Those of a person", query="?subject=user-1"),
    Call(
        "updateAccessToken",
        "Fewer scopes",
        body={"accessToken": ACCESS_TOKEN, "scopes": ["openid"]},
    ),
    Call("updateAccessToken", "An unknown token", body={"accessToken": "unknown"}),
    Call("deleteToken", "It is revoked", {"token": ACCESS_TOKEN}),
    Call("introspectParameters", "An active token", body=PARAMETERS),
    Call("introspectParameters", "No token", body={"parameters": "token_type_hint=access_token"}),
    Call("listAuthorizedClients", "By the query", query="?subject=user-1"),
    Call("listAuthorizedClientsOfSubject", "By the path", PERSON),
    Call("listAuthorizedClientsByPost", "By the body", body=PERSON),
    Call("listAuthorizedClientsByPostOfSubject", "By the path", PERSON),
    Call("deleteAuthorization", "By the query", APP, query="?subject=user-1"),
    Call("deleteAuthorizationOfSubject", "By the path", BOTH),
    Call("deleteAuthorizationByPost", "By the body", APP, PERSON),
    Call("deleteAuthorizationByPostOfSubject", "By the path", BOTH),
    Call("getGrantedScopes", "By the query", APP, query="?subject=user-1"),
    Call("getGrantedScopesOfSubject", "By the path", BOTH),
    Call("getGrantedScopesByPost", "By the body", APP, PERSON),
    Call("getGrantedScopesByPostOfSubject", "By the path", BOTH),
    Call("deleteGrantedScopes", "By the query", APP, query="?subject=user-1"),
    Call("deleteGrantedScopesOfSubject", "By the path", BOTH),
    Call("deleteGrantedScopesByPost", "By the body", APP, PERSON),
    Call("deleteGrantedScopesByPostOfSubject", "By the path", BOTH),
]
