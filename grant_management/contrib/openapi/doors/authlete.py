"""Authlete's management operations."""

from typing import Final

from ....api.authlete import clients, consents, introspection, services, tokens
from ....protocol.results import Result
from ..said import Key, Said
from ..schemas import Schema
from ..shapes import (
    COUNT,
    FLAG,
    NUMBER,
    STAMP,
    TEXT,
    UUID,
    Shape,
    acted,
    array_of,
    done,
    members,
    of,
)
from .common import DONE, NAMES, PROPERTIES

R = Result
_PAGE: Final = of("start", "end", "totalCount", schema=COUNT)
_A_CLIENT: Final[tuple[dict[str, Schema], dict[str, Schema]]] = (
    {"clientId": NUMBER, **of("clientIdAliasEnabled", "locked", schema=FLAG)},
    of("clientIdAlias", "clientName", schema=TEXT),
)
AUTHLETE_CLIENT: Final = Shape("AuthleteClient", *_A_CLIENT)
AUTHLETE_CLIENTS: Final = Shape(
    "AuthleteClients", {**_PAGE, "clients": array_of(AUTHLETE_CLIENT.ref)}
)
AUTHLETE_SERVICE: Final = Shape("AuthleteService", {"apiKey": NUMBER}, members(*services.SAVE))
AUTHLETE_SERVICES: Final = Shape(
    "AuthleteServices", {**_PAGE, "services": array_of(AUTHLETE_SERVICE.ref)}
)
_ACCESS_TOKEN: Final = Shape(
    "AuthleteAccessToken",
    {"accessTokenHash": TEXT, "createdAt": STAMP, "clientId": NUMBER},
    {
        "accessTokenExpiresAt": STAMP,
        "subject": TEXT,
        "scopes": NAMES,
        "properties": PROPERTIES,
    },
)
ACCESS_TOKENS: Final = Shape(
    "AuthleteAccessTokens",
    {**_PAGE, "accessTokens": array_of(_ACCESS_TOKEN.ref)},
    {"subject": TEXT, "client": AUTHLETE_CLIENT.ref},
)
CHANGED_TOKEN: Final = acted(
    "AuthleteChangedToken",
    ["OK", "BAD_REQUEST", "FORBIDDEN", "NOT_FOUND"],
    [R.STORE_DONE, R.STORE_REFUSED, R.STORE_TOKEN_NOT_FOUND],
    {
        "accessToken": TEXT,
        "accessTokenExpiresAt": STAMP,
        "scopes": NAMES,
        "tokenType": TEXT,
        "tokenId": UUID,
        "properties": PROPERTIES,
    },
)
PASSED_ON: Final = acted(
    "AuthleteIntrospected",
    ["OK", "BAD_REQUEST"],
    [R.STORE_DONE, R.BODY_MISSING, R.BODY_UNREADABLE],
    {"responseContent": TEXT},
)
AUTHORIZED_CLIENTS: Final = Shape(
    "AuthleteAuthorizedClients",
    {"subject": TEXT, **_PAGE, "clients": array_of(AUTHLETE_CLIENT.ref)},
)
ABOUT: Final = done(
    "AuthleteEndedAuthorization",
    {**of("serviceApiKey", "clientId", schema=NUMBER), "subject": TEXT},
)
GRANTED_SCOPES: Final = done(
    "AuthleteGrantedScopes",
    {**of("serviceApiKey", "clientId", schema=NUMBER), "subject": TEXT},
    {**of("latestGrantedScopes", "mergedGrantedScopes", schema=NAMES), "modifiedAt": STAMP},
)
_NO_CLIENT: Final = (R.STORE_CLIENT_NOT_FOUND,)
SAID: Final[dict[Key, Said]] = {
    services.create: Said("createService", AUTHLETE_SERVICE, needs=("serviceName",)),
    services.list_services: Said("listServices", AUTHLETE_SERVICES),
    services.get: Said("getService", AUTHLETE_SERVICE),
    services.update: Said("updateService", AUTHLETE_SERVICE),
    services.delete: Said("deleteService", None),
    clients.create: Said("createClient", AUTHLETE_CLIENT, (R.STORE_REFUSED,)),
    clients.list_clients: Said("listClients", AUTHLETE_CLIENTS),
    clients.get: Said("getClient", AUTHLETE_CLIENT, _NO_CLIENT),
    clients.update: Said("updateClient", AUTHLETE_CLIENT, (*_NO_CLIENT, R.STORE_REFUSED)),
    clients.delete: Said("deleteClient", None, _NO_CLIENT),
    tokens.list_tokens: Said("listAccessTokens", ACCESS_TOKENS, _NO_CLIENT),
    tokens.update: Said("updateAccessToken", CHANGED_TOKEN),
    tokens.delete: Said("deleteToken", None),
    introspection.introspect: Said("introspectParameters", PASSED_ON, needs=("parameters",)),
    consents.list_clients: Said("listAuthorizedClients", AUTHORIZED_CLIENTS),
    consents.delete_authorization: Said("deleteAuthorization", ABOUT, _NO_CLIENT),
    consents.get_scopes: Said("getGrantedScopes", GRANTED_SCOPES, _NO_CLIENT),
    consents.delete_scopes: Said("deleteGrantedScopes", DONE, _NO_CLIENT),
}
