"""The challenge of a service: what the client of the authorization server is told."""

from ..models import Service
from ..models.token import Token
from ..protocol.challenge import challenge_of
from ..protocol.results import Refused


def challenge_by(
    service: Service, refusal: Refused, token: Token | None = None, scope: str = ""
) -> str:
    """The value of `WWW-Authenticate`, in the scheme of the token that was presented, if any.

    `scope`: what the token lacks.
    """
    return challenge_of(
        refusal,
        realm=service.realm or service.name,
        algs=service.dpop_signing_algs,
        is_key_bound=token is not None and bool(token.jkt),
        scope=scope,
    )
