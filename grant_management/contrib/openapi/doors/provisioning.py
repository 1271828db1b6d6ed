"""The API that issues API tokens, and what people are told of scopes and clients."""

from typing import Final

from ....api.provisioning import descriptions, profiles, tokens
from ....fields import members as m
from ....fields.field import Field
from ....protocol.results import Result
from ..said import Key, Said
from ..schemas import Schema
from ..shapes import NUMBER, TEXT, UUID, Shape, array_of, done, members, of
from .common import CLIENT_NAMES, DONE, EMPTY

R = Result
API_TOKEN: Final = Shape(
    "ApiToken",
    {"organizationId": NUMBER, "tokenId": UUID, "description": TEXT},
    {"serviceId": NUMBER, "apiServerId": {}},
)
NEW_API_TOKEN: Final = Shape("NewApiToken", API_TOKEN.always | {"accessToken": TEXT}, API_TOKEN.may)
_DESCRIPTION: Final[tuple[dict[str, Schema], dict[str, Schema]]] = (
    members(m.SENSITIVITY),
    members(m.DESCRIPTION_TEXTS) | of("scope", "authorizationType", schema=TEXT),
)
DESCRIPTION: Final = done("Description", *_DESCRIPTION)
DESCRIPTIONS: Final = done(
    "Descriptions",
    {"descriptions": array_of(Shape("ListedDescription", *_DESCRIPTION).ref)},
    {"after": TEXT},
)
PROFILE: Final = done(
    "ClientProfile", CLIENT_NAMES, {**members(m.PROFILE_TEXTS), "logoSha256": TEXT}
)
_UNKNOWN: Final = (R.API_TOKEN_UNKNOWN,)
_NO_DESCRIPTION: Final = (R.DESCRIPTION_UNKNOWN,)
_NO_CLIENT: Final = (R.STORE_CLIENT_UNKNOWN,)
MEMBERS: Final[dict[Key, tuple[Field, ...]]] = {
    tokens.create: (m.ASKED_SERVICE, m.DESCRIPTION),
    tokens.list_all: (m.ASKED_SERVICE,),
    tokens.update: (m.ASKED_API_TOKEN, m.DESCRIPTION),
    tokens.rotate: (m.ASKED_API_TOKEN,),
    tokens.revoke: (m.ASKED_API_TOKEN,),
}
"""The members of each operation on API tokens, besides `COMMON`."""
COMMON: Final = (m.ASKED_ORGANIZATION, m.API_SERVER)
SAID: Final[dict[Key, Said]] = {
    tokens.create: Said("create", NEW_API_TOKEN),
    tokens.list_all: Said("list", array_of(API_TOKEN.ref)),
    tokens.update: Said("update", API_TOKEN, _UNKNOWN, ("tokenId",)),
    tokens.rotate: Said("rotate", NEW_API_TOKEN, _UNKNOWN, ("tokenId",)),
    tokens.revoke: Said("revoke", EMPTY, _UNKNOWN, ("tokenId",)),
    descriptions.save: Said("saveDescription", DESCRIPTION),
    descriptions.get: Said("getDescription", DESCRIPTION, _NO_DESCRIPTION),
    descriptions.list_descriptions: Said("listDescriptions", DESCRIPTIONS),
    descriptions.delete: Said("deleteDescription", DONE, _NO_DESCRIPTION),
    profiles.save: Said("saveClientProfile", PROFILE, _NO_CLIENT),
    profiles.get: Said("getClientProfile", PROFILE, _NO_CLIENT),
}
