"""`/auth/introspection/standard`: RFC 7662 for servers that pass on a request's parameters."""

import json
from typing import Final

from ...fields import members as m
from ...fields.reading import FORM, parse_body, read
from ...protocol.results import Refused
from ...protocol.strict_json import dumps
from ..store import standard
from ..store.answer import ActionRefused, Answer, done
from ..store.request import StoreRequest

INTROSPECT: Final = (m.PARAMETERS,)


def introspect(request: StoreRequest) -> Answer:
    """The JSON to send to the resource server, in `responseContent`.

    ActionRefused BAD_REQUEST: the parameters are no form, or have no token; `responseContent` is
    the error to send (RFC 6749 §5.2). Answers in JWTs (RFC 9701) are no part of this server.
    """
    try:
        sent = parse_body(FORM, request.values.get("parameters", "").encode())
        asked = request._replace(values=read(sent, standard.TOKEN))
        content = standard.introspect(asked)
    except Refused as refusal:
        error = {"error": "invalid_request", "error_description": refusal.message}
        more = {"responseContent": json.dumps(error)}
        raise ActionRefused(refusal, "BAD_REQUEST", more) from None
    return done({"responseContent": dumps(content)}, "OK")
