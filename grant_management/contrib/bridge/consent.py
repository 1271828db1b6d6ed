"""An authorization request about a grant, and what the user consents to (draft §5)."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Protocol

from grant_management.fields.granted import grant_limits
from grant_management.lifecycle import Authorization, GrantAction, LifecycleError
from grant_management.models import Grant
from grant_management.protocol import strict_json
from grant_management.protocol.content import MAX_RESOURCE, Content, is_resource
from grant_management.protocol.results import INVALID_REQUEST

PARAMETERS: Final = ("grant_management_action", "grant_id")
"""Parameters of an authorization request and of a device authorization request (draft §5.2)."""
INVALID_TARGET: Final = "invalid_target"  # RFC 8707 §2


class Parameters(Protocol):
    """The parameters of a request: Django's `QueryDict`, or what behaves like it."""

    def getlist(self, key: str) -> list[str]:
        """All values of a parameter."""


class Asked(NamedTuple):
    """What a request asks for about a grant (draft §5.2); "": the parameter is absent."""

    action: str = ""
    grant_id: str = ""


def asked(parameters: Parameters) -> Asked:
    """What these parameters ask for about a grant.

    LifecycleError `invalid_request`: a parameter comes twice (RFC 6749 §3.1).
    """
    values = [parameters.getlist(name) for name in PARAMETERS]
    if any(len(found) > 1 for found in values):
        raise LifecycleError(INVALID_REQUEST, "A grant management parameter comes twice.")
    return Asked(*(found[0] if found else "" for found in values))


def check_response_type(request: Asked, response_type: str) -> None:
    """LifecycleError `invalid_request`: a grant is asked for without the code flow."""
    if any(request) and response_type != "code":
        raise LifecycleError(INVALID_REQUEST, "Grant management needs one code request.")


def check_resources(request: Asked, resources: Iterable[str]) -> None:
    """LifecycleError `invalid_target`: a grant is asked for with a `resource` that none can hold.

    Call it before the consent page is shown.
    """
    if any(request) and not all(map(is_resource, resources)):
        said = f"A resource is an absolute URI of at most {MAX_RESOURCE} characters."
        raise LifecycleError(INVALID_TARGET, said)


def consented(scopes: Iterable[str], resources: Any, claims: Any) -> Content:
    """What a user consents to.

    `resources` is a URI, a list of them or None; `claims` is the claims parameter as JSON or a
    dict. LifecycleError `invalid_request`: no grant can hold it.
    """
    places = [resources] if isinstance(resources, str) else [*(resources or ())]
    entries = [{"scope": " ".join(scopes), "resource": places}] if scopes else []
    try:
        return Content.read(entries, sorted(_claim_names(claims)), None, grant_limits())
    except ValueError as error:
        said = f"The consented content cannot be granted: {error}"
        raise LifecycleError(INVALID_REQUEST, said) from None


def scopes_after(authorization: Authorization, consented: Content) -> list[str]:
    """The scopes that the grant will hold if the user consents (draft §5.2), in their order."""
    held = consented
    if authorization.action is GrantAction.MERGE:
        grant = Grant.objects.known(authorization.client.service, authorization.grant_id)
        held = grant.held().merged(consented)
    return sorted({name for name, _resource in held.pairs})


def _claim_names(claims: Any) -> set[str]:
    """The claims that were requested for userinfo and the ID token (OpenID Connect Core §5.5)."""
    if isinstance(claims, str):
        claims = strict_json.loads(claims) if claims else {}
    if not isinstance(claims or {}, dict):
        raise ValueError("the claims are no object")
    places = [claims.get(place) for place in ("userinfo", "id_token")] if claims else []
    return {name for place in places if isinstance(place, dict) for name in place}
