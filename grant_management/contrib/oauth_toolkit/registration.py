"""What the toolkit issues is registered here, with the grant that it belongs to.

Locks are taken in one order everywhere in the bridge: the client and the grant, then the toolkit's
rows, then our tokens. So whoever revokes a grant, which locks it before the toolkit's rows, never
waits for a refresh that waits for it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from oauth2_provider.settings import oauth2_settings

from grant_management import lifecycle
from grant_management.lifecycle import NEVER, Issue, Issued, LifecycleError
from grant_management.models import AccessToken, Client, Grant, RefreshToken, Service
from grant_management.models.locks import hold_client
from grant_management.protocol.digests import sha256
from grant_management.protocol.results import INVALID_GRANT

from . import bridge, rows
from .models import AuthorizedCode, LinkedToken
from .registered import refresh_token

LONGEST: Final = 2**31 - 1
"""Seconds that a token may live, unless it never ends."""


@dataclass(frozen=True, slots=True)
class Basis:
    """On what tokens are issued: a grant, or none; a refresh token, or none."""

    client: Client
    subject: str | None
    grant: Grant | None = None
    old: RefreshToken | None = None
    consented: int | None = None
    """The access generation of the grant when the user consented to it."""


def hold(request: Any) -> Basis:
    """What the tokens of a request are issued on, locked until the transaction ends.

    LifecycleError `invalid_grant`: its code is worth nothing.
    """
    client = bridge.client(request.client)
    if request.grant_type == "refresh_token":
        return _of_refresh_token(client, request)
    if request.grant_type == "authorization_code":
        basis = _of_code(client, request)
    else:
        own = request.grant_type == "client_credentials"
        basis = Basis(client, None if own else bridge.subject(request.user))
    lock(client, basis.grant)
    return basis


def lock(client: Client, grant: Grant | None) -> None:
    """The first of the locks. LifecycleError `invalid_grant`: the grant was purged."""
    if grant is None:
        hold_client(client)
        return
    try:
        Grant.objects.locked(client.service, grant.grant_id)
    except Grant.DoesNotExist:
        raise LifecycleError(INVALID_GRANT, "The grant is not alive.") from None


def register(token: dict[str, Any], basis: Basis) -> None:
    """What the toolkit issued, which may be other values than it was about to: in its grace period
    it gives those of before again, or makes more. The response says which grant they belong to.

    LifecycleError: they must not be issued, and the toolkit's rows neither.
    """
    order = _order(token)
    service = basis.client.service
    refresh_is_known = _is_known(RefreshToken, service, order.refresh_token)
    if not _is_known(AccessToken, service, order.access_token):
        _issue(basis, replace(order, consented=basis.consented), refresh_is_known)
    elif order.refresh_token is not None and not refresh_is_known:
        raise LifecycleError(INVALID_GRANT, "What this refresh token became was revoked.")
    _link(token, basis)
    if basis.grant is not None:
        token["grant_id"] = basis.grant.grant_id


def _of_code(client: Client, request: Any) -> Basis:
    """Of two requests with one code, the second waits here and finds that it was used."""
    code = rows.codes().filter(code=request.code, application=request.client)
    if not list(code.select_for_update().values_list("pk", flat=True)):
        raise LifecycleError(INVALID_GRANT, "The code was used already.")
    authorized = AuthorizedCode.objects.filter(service=client.service, digest=sha256(request.code))
    found = authorized.select_related("grant").first()
    if found is None:
        return Basis(client, bridge.subject(request.user))
    if found.grant is None:
        raise LifecycleError(INVALID_GRANT, "The grant is not alive.")
    subject = bridge.subject(request.user)
    return Basis(client, subject, found.grant, consented=found.generation)


def _of_refresh_token(client: Client, request: Any) -> Basis:
    """As it is under the locks of its grant and of the toolkit's rows."""
    before = refresh_token(request.refresh_token)
    lock(client, before.grant if before else None)
    theirs = rows.refresh_token(request.refresh_token).order_by("pk")
    list(theirs.select_for_update().values_list("pk", flat=True))
    old = refresh_token(request.refresh_token)
    if old is None:  # from before this app was added
        return Basis(client, bridge.subject(request.user))
    return Basis(client, old.subject, old.grant, old)


def _issue(basis: Basis, order: Issue, refresh_is_known: bool) -> None:
    old, is_new = basis.old, order.refresh_token is not None and not refresh_is_known
    if old is not None and old.rotated_at is None and is_new:
        lifecycle.rotate(old, order)
        return
    asked = order if is_new else replace(order, refresh_token=None)
    issued = lifecycle.issue(basis.client, basis.subject, basis.grant, asked)
    if old is not None and issued.refresh is not None:  # once more, in the grace period
        RefreshToken.objects.filter(pk=issued.refresh.pk).update(family=old.family)
    elif old is not None and refresh_is_known:
        _prolong(old, issued, order)


def _prolong(kept: RefreshToken, issued: Issued, order: Issue) -> None:
    """A refresh token that is not rotated lives as long as one that would be issued now."""
    seconds, ends = order.refresh_token_duration, []
    if seconds is not None and seconds != NEVER:
        ends.append(issued.access.issued_at + timedelta(seconds=seconds))
    if kept.grant is not None and kept.grant.expires_at is not None:
        ends.append(kept.grant.expires_at)
    RefreshToken.objects.filter(pk=kept.pk).update(expires_at=min(ends, default=None))


def _is_known(model: Any, service: Service, value: str | None) -> bool:
    digests = [] if value is None else [sha256(value)]
    return bool(model.objects.filter(service=service, digest__in=digests).exists())


def _order(token: dict[str, Any]) -> Issue:
    """What the toolkit issued. Where it keeps digests alone, it cannot give tokens again."""
    values = (token["access_token"], token.get("refresh_token"))
    if "" in values:
        raise LifecycleError(INVALID_GRANT, "The tokens of before cannot be given again.")
    return Issue(
        scopes=token["scope"],
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token"),
        access_token_duration=int(token["expires_in"]),
        refresh_token_duration=_refresh_token_duration(int(token["expires_in"])),
    )


def _refresh_token_duration(expires_in: int) -> int:
    """Seconds, or NEVER. The toolkit counts from the end of the access token; its setting is a
    number or a timedelta.
    """
    lifetime = oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS
    if not lifetime:
        return NEVER
    seconds = lifetime.total_seconds() if isinstance(lifetime, timedelta) else lifetime
    return min(expires_in + int(seconds), LONGEST)


def _link(token: dict[str, Any], basis: Basis) -> None:
    """So that the toolkit's rows are found when the grant dies; each by itself, since either may
    be deleted before the other.
    """
    access = rows.access_token(token["access_token"]).first()
    kept = {"service": basis.client.service, "grant": basis.grant}
    links = [LinkedToken(access_token=access, **kept)]
    if token.get("refresh_token") is not None:
        found = rows.refresh_tokens().filter(access_token=access)
        links += [LinkedToken(refresh_token=one, **kept) for one in found]
    LinkedToken.objects.bulk_create(links, ignore_conflicts=True)
