"""The challenge for the OAuth client, with the realm and the algorithms of a service."""

from ..models import Service
from ..models.token import Token
from ..protocol.challenge import challenge_of
from ..protocol.results import Refused


def challenge_by(
    service: Service, refusal: Refused, token: Token | None = None, scope: str = ""
) -> str:
    """The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1).

    `token` is the presented token, if it was found: its binding decides the scheme. `scope` is
    what the token lacks, or "".
    """
    return challenge_of(
        refusal,
        realm=service.realm or service.name,
        algs=service.dpop_signing_algs,
        is_key_bound=token is not None and bool(token.jkt),
        scope=scope,
    )
