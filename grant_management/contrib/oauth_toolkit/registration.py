"""Registration of the tokens that the toolkit issues, with the grant that they belong to.

Locks are taken in the order that `contrib.bridge.issuing` describes.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from oauth2_provider.settings import oauth2_settings

from grant_management.contrib.bridge.issuing import NOTHING, Basis, is_known, issue, lock
from grant_management.lifecycle import NEVER, Binding, Issue, Issued, LifecycleError
from grant_management.models import AccessToken, Client, RefreshToken, Service
from grant_management.protocol.digests import sha256
from grant_management.protocol.results import INVALID_GRANT

from . import bridge, device, rows
from .models import AuthorizedCode, LinkedToken
from .sender import check_refresh

LONGEST: Final = 2**31 - 1
"""The longest lifetime of a token in seconds; a token that never expires has NEVER instead."""


def hold(request: Any) -> Basis:
    """The basis of the tokens that a request asks for, locked until the transaction ends.

    LifecycleError `invalid_grant`: the code was used already, the grant was purged, or the refresh
    token is bound to another key. `invalid_request`: the client ID or the user's key cannot be
    stored.
    """
    found = _basis(request)
    binding = getattr(request, "grant_management_binding", NOTHING)
    if found.old is not None:
        check_refresh(found.old, binding)
    is_confidential = bridge.is_confidential(request.client)
    # `_save_bearer_token` judges a refresh token once it is locked.
    return replace(found, binding=binding, is_confidential=is_confidential, is_judged=True)


def _basis(request: Any) -> Basis:
    client = bridge.client(request.client)
    if request.grant_type == "refresh_token":
        return _of_refresh_token(client, request)
    if request.grant_type == "authorization_code":
        basis = _of_code(client, request)
    elif request.grant_type == device.GRANT_TYPE:
        kept = device.redeem(client, request.device_code)
        basis = Basis(client, bridge.subject(request.user), kept.grant, consented=kept.generation)
    else:
        own = request.grant_type == "client_credentials"
        basis = Basis(client, None if own else bridge.subject(request.user))
    lock(client, basis.grant)
    return basis


def register(token: dict[str, Any], basis: Basis) -> None:
    """Register the tokens that the toolkit issued, and add the `grant_id` to its response `token`.

    The values are those of the response: in its grace period the toolkit may repeat the tokens of
    an earlier refresh, or issue another pair. LifecycleError: the tokens must not be issued, and
    the toolkit's rows must be rolled back.
    """
    order = _order(token)
    service, repeated = basis.client.service, order.refresh_token
    if not is_known(AccessToken, service, order.access_token):
        issued = issue(basis, order)
        if basis.old is not None and issued.refresh is None and repeated is not None:
            _prolong(basis.old, issued, order)  # kept: the toolkit does not rotate
    # The toolkit repeats an access token, and replaces its refresh token, which was revoked.
    elif repeated is not None and not is_known(RefreshToken, service, repeated):
        message = "The tokens that replaced this refresh token were revoked."
        raise LifecycleError(INVALID_GRANT, message)
    else:
        _check_repeated(service, order.access_token, basis.binding)
    _link(token, basis)
    if basis.binding.jkt:
        token["token_type"] = "DPoP"  # noqa: S105 - RFC 9449 §5, no credential
    if basis.grant is not None:
        token["grant_id"] = basis.grant.grant_id


def _of_code(client: Client, request: Any) -> Basis:
    """Of two requests with one code, the second waits for the lock and finds that the code was
    used.
    """
    code = rows.codes().filter(code=request.code, application=request.client)
    if not list(code.select_for_update().values_list("pk", flat=True)):
        raise LifecycleError(INVALID_GRANT, "The code was used already.")
    found = AuthorizedCode.objects.held(client.service, request.code)
    if found is None:  # the authorization request had no grant management parameters
        return Basis(client, bridge.subject(request.user))
    if found.grant is None:
        raise LifecycleError(INVALID_GRANT, "The grant is not valid.")
    subject = bridge.subject(request.user)
    return Basis(client, subject, found.grant, consented=found.generation)


def _of_refresh_token(client: Client, request: Any) -> Basis:
    """The refresh token as it is once its grant and the toolkit's rows are locked."""
    before = bridge.SERVER.refresh_token(request.refresh_token)
    lock(client, before.grant if before else None)
    theirs = rows.refresh_token(request.refresh_token).order_by("pk")
    list(theirs.select_for_update().values_list("pk", flat=True))
    old = bridge.SERVER.refresh_token(request.refresh_token)
    if old is None:  # issued before this app was added
        return Basis(client, bridge.subject(request.user))
    return Basis(client, old.subject, old.grant, old)


def _check_repeated(service: Service, value: str, binding: Binding) -> None:
    """A token that the toolkit repeats must be bound to what this request presents."""
    row = AccessToken.objects.get(service=service, digest=sha256(value))
    if Binding(row.jkt, row.x5t_s256) != binding:
        raise LifecycleError(INVALID_GRANT, "The tokens were issued for another key.")


def _prolong(kept: RefreshToken, issued: Issued, order: Issue) -> None:
    """A refresh token that is not rotated gets the expiry that a new one would have."""
    seconds, ends = order.refresh_token_duration, []
    if seconds is not None and seconds != NEVER:
        ends.append(issued.access.issued_at + timedelta(seconds=seconds))
    if kept.grant is not None and kept.grant.expires_at is not None:
        ends.append(kept.grant.expires_at)
    kept.its_row().update(expires_at=min(ends, default=None))


def _order(token: dict[str, Any]) -> Issue:
    """The order for the tokens that the toolkit issued.

    LifecycleError `invalid_grant`: the toolkit stores digests alone, so it cannot repeat tokens.
    """
    values = (token["access_token"], token.get("refresh_token"))
    if "" in values:
        raise LifecycleError(INVALID_GRANT, "The earlier tokens cannot be repeated.")
    return Issue(
        scopes=token["scope"],
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token"),
        access_token_duration=int(token["expires_in"]),
        refresh_token_duration=_refresh_token_duration(int(token["expires_in"])),
    )


def _refresh_token_duration(expires_in: int) -> int:
    """Seconds, or NEVER. The toolkit counts from the expiry of the access token; its setting is a
    number of seconds or a timedelta.
    """
    lifetime = oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS
    if not lifetime:
        return NEVER
    seconds = lifetime.total_seconds() if isinstance(lifetime, timedelta) else lifetime
    return min(expires_in + int(seconds), LONGEST)


def _link(token: dict[str, Any], basis: Basis) -> None:
    """Tie the toolkit's rows to the grant, so that they are found when its tokens die.

    Each row has a link of its own, since either may be deleted before the other.
    """
    access = rows.access_token(token["access_token"]).first()
    kept = {"service": basis.client.service, "grant": basis.grant}
    links = [LinkedToken(access_token=access, **kept)]
    if token.get("refresh_token") is not None:
        found = rows.refresh_tokens().filter(access_token=access)
        links += [LinkedToken(refresh_token=one, **kept) for one in found]
    # Rows that the toolkit kept are linked already.
    LinkedToken.objects.bulk_create(links, ignore_conflicts=True)
