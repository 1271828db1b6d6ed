"""Issues here the tokens that an authorization server has issued, with the grant that they belong
to.

A bridge takes locks in one order everywhere: the client and the grant, then the rows of the
server's tokens, then our tokens. A revoke locks the grant before those rows too, so it never
deadlocks with a refresh. The row of a code is locked before all of these: a revoke does not touch
it.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from grant_management import lifecycle
from grant_management.lifecycle import Binding, Issue, Issued, LifecycleError
from grant_management.models import AccessToken, Client, Grant, RefreshToken, Service, TokenStatus
from grant_management.models.locks import hold_client, hold_token
from grant_management.protocol.digests import sha256
from grant_management.protocol.results import INVALID_GRANT

NOTHING: Final = Binding()


@dataclass(frozen=True, slots=True)
class Basis:
    """The client, subject, grant and refresh token that new tokens are issued on.

    `subject` None: a client's own tokens. `grant` None: the tokens belong to no grant. `old` is our
    row of the refresh token that was presented; None: there is none, or it is unknown here.
    """

    client: Client
    subject: str | None
    grant: Grant | None = None
    old: RefreshToken | None = None
    consented: int | None = None
    """The access generation that the grant had when the user consented. None: there is no code, or
    it is older than this record of it.
    """
    binding: Binding = NOTHING
    """What the new tokens are bound to. A confidential client's refresh tokens are not bound: such
    a client proves itself by its secret (RFC 9449 §5, RFC 8705 §4).
    """
    is_confidential: bool = False
    is_judged: bool = False
    """Whether the server has judged `old` by itself, under these locks. It may then take a token
    again that was rotated just now (a grace period): another pair joins the family of the first.
    """


def lock(client: Client, grant: Grant | None) -> None:
    """Lock the grant and its client, or the client alone where there is no grant.

    LifecycleError `invalid_grant`: the grant was purged.
    """
    if grant is None:
        hold_client(client)
        return
    try:
        Grant.objects.locked(client.service, grant.grant_id)
    except Grant.DoesNotExist:
        raise refused("The grant is not valid.") from None


def issue(basis: Basis, order: Issue) -> Issued:
    """The tokens of an order, whose values the server chose; `order.consented` is of the basis.

    Where the order has a new refresh token, the old one is rotated into it. Where it repeats the
    old one, that must be alive, and only an access token is issued. LifecycleError: the tokens must
    not be issued, and the server's rows must be rolled back.
    """
    asked = replace(order, consented=basis.consented, binding=basis.binding)
    service = basis.client.service
    if order.refresh_token is not None and is_known(RefreshToken, service, order.refresh_token):
        asked = replace(asked, refresh_token=None)
    issued = _issued(basis, asked)
    if issued.refresh is not None:
        _settle(basis, issued.refresh)
    return issued


def _issued(basis: Basis, asked: Issue) -> Issued:
    old = basis.old
    if old is not None and not (basis.is_judged and old.rotated_at is not None):
        if asked.refresh_token is not None:
            return lifecycle.rotate(old, asked)
        if not basis.is_judged:
            check_alive(old)
    return lifecycle.issue(basis.client, basis.subject, basis.grant, asked)


def _settle(basis: Basis, new: RefreshToken) -> None:
    """A confidential client's refresh token is bound to no key, and each one has its family."""
    values: dict[str, Any] = {}
    if basis.is_confidential and (new.jkt or new.x5t_s256):
        values |= {"jkt": "", "x5t_s256": ""}
    if basis.old is not None and new.family != basis.old.family:
        values["family"] = basis.old.family
    if values:
        new.its_row().update(**values)


def check_alive(old: RefreshToken) -> None:
    """LifecycleError `invalid_grant`: the refresh token is dead, judged under its lock."""
    try:
        held, now = hold_token(old)
    except RefreshToken.DoesNotExist:
        raise refused("The refresh token is not valid.") from None
    # A receiver of `token_presented` may have set `revoked_at` on `old` alone.
    if old.revoked_at is not None or held.status(now) is not TokenStatus.ACTIVE:
        raise refused("The refresh token is not valid.")


def is_known(
    model: type[AccessToken] | type[RefreshToken], service: Service, value: str | None
) -> bool:
    """Whether a token with this clear value is registered here; None never is."""
    digests = [] if value is None else [sha256(value)]
    return bool(model._default_manager.filter(service=service, digest__in=digests).exists())


def refused(description: str) -> LifecycleError:
    """The error `invalid_grant` (RFC 6749 §5.2)."""
    return LifecycleError(INVALID_GRANT, description)
